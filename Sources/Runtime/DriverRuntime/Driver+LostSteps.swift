import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// A step of a Slurm job whose srun is gone while the step may go on.
struct LostStep {
    let engine: EngineID
    /// When Slurm is asked next; nil while it is being asked.
    var nextAsk: Instant?
    /// When nothing more is gained: by then its lease is over.
    let lastAsk: Instant
}

extension Driver {
    /// What the step of an engine is called, in this job and no other run's.
    func stepName(of engine: EngineID) -> String { "disbatch-\(RunHost.pid)-\(engine.rawValue)" }

    /// Asks Slurm to end the step of an engine that can't be heard any more, and to say when it is no more. That is
    /// proof, and sooner than the lease. (A step that never spoke may not be there yet: it was given nothing.)
    func endStep(of link: EngineLink) {
        let context = link.context
        guard context.plan.kind == "slurm", link.carrier == .launcher, link.stage == .working else { return }
        let last = now() + configuration.lease + configuration.leaseGrace
        context.lostSteps.append(LostStep(engine: link.id, nextAsk: now(), lastAsk: last))
    }

    func askOfSteps(in context: RunContext) {
        context.lostSteps.removeAll { now() >= $0.lastAsk }
        for place in context.lostSteps.indices {
            guard let time = context.lostSteps[place].nextAsk, now() >= time, let job = context.plan.job else {
                continue
            }
            context.lostSteps[place].nextAsk = nil
            let engine = context.lostSteps[place].engine
            run(
                ["/bin/sh", "-c", Self.stepCommand, "sh", job, stepName(of: engine)],
                for: .lostStep(context.id, engine))
        }
    }

    /// 0 where the step is gone, 4 where it was there and is told to end.
    private static let stepCommand = """
        steps=$(squeue -h -s -j "$1" -o '%i %j') || exit 1
        step=$(printf '%s\\n' "$steps" | sed -n "s/^ *\\([^ ]*\\) $2 *$/\\1/p")
        [ -n "$step" ] || exit 0
        scancel "$step"; exit 4
        """

    func takeStepAnswer(_ outcome: CommandOutcome, _ engine: EngineID, in context: RunContext) {
        guard let place = context.lostSteps.firstIndex(where: { $0.engine == engine }) else { return }
        guard outcome.isGood else {
            // Where Slurm does not answer, it is not pressed.
            let isThere = outcome.end == .exited(status: 4)
            context.lostSteps[place].nextAsk = now() + (isThere ? .milliseconds(500) : .seconds(10))
            return
        }
        context.lostSteps.remove(at: place)
        log.write(.info, "engine \(engine.rawValue): its step is gone, says Slurm")
        tell(.engineGone(engine))
    }
}
