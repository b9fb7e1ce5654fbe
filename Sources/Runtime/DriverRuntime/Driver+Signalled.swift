import DisbatchCore
import Glibc
import LinuxSystem

/// The end of a task by a signal that nobody here sent; or of a shell that says so of what it ran.
struct UnaskedEnd {
    let engine: EngineID
    let assignment: AssignmentID
    let cylinder: Int
    let outcome: TaskOutcome
    /// When it counts as the task's own.
    let due: Instant
}

extension Driver {
    /// A resource manager that ends a job may signal its tasks too, and these end before anybody hears of it: so long
    /// is waited for word that the engine or the driver was signalled as well, or is gone.
    private static let unaskedPatience = Duration.seconds(1)
    private static let managersSignals: Set<Int32> = [SIGTERM, SIGUSR1, SIGUSR2, SIGKILL]

    /// Tells the scheduler of a task's end, once it is clear whose doing that was.
    func tellEnd(of assignment: AssignmentID, _ cylinder: Int, _ outcome: TaskOutcome, from link: EngineLink) {
        guard link.context.plan.job != nil, outcome.ending == .exited,
            // A shell that had the signal later than what it waited for tells of it so.
            Self.managersSignals.contains(-outcome.returnCode)
                || Self.managersSignals.contains(outcome.returnCode - 128)
        else {
            return tell(.taskFinished(link.id, assignment, cylinder: cylinder, outcome))
        }
        let end = UnaskedEnd(
            engine: link.id, assignment: assignment, cylinder: cylinder, outcome: outcome,
            due: now() + Self.unaskedPatience)
        link.wasSignalled || wasSignalled ? tellManagersDoing(end) : unaskedEnds.append(end)
    }

    /// When the next of these ends counts as the task's own.
    var nextUnaskedEnd: Instant { unaskedEnds.first?.due ?? .distantFuture }

    /// Tells of those that nobody claimed.
    func tellUnclaimedEnds() {
        while let end = unaskedEnds.first, now() >= end.due {
            unaskedEnds.removeFirst()
            tell(.taskFinished(end.engine, end.assignment, cylinder: end.cylinder, end.outcome))
        }
    }

    /// Takes ends of an engine's tasks, or of all, for the doing of who signalled it: they are no results.
    func claimEnds(of engine: EngineID?) {
        let claimed = unaskedEnds.filter { engine == nil || $0.engine == engine }
        unaskedEnds.removeAll { engine == nil || $0.engine == engine }
        for end in claimed { tellManagersDoing(end) }
    }

    private func tellManagersDoing(_ end: UnaskedEnd) {
        var outcome = end.outcome
        outcome.ending = .stopped
        tell(.taskFinished(end.engine, end.assignment, cylinder: end.cylinder, outcome))
    }
}
