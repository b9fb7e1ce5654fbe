import Testing

@testable import DisbatchCore

@Suite("Driver machine, allocations")
struct DriverAllocationTests {
    private let first = EngineID(0)
    private let purpose = CommandPurpose.allocationEnd(ContextID(0))
    private let query = AllocationEndQuery.slurm(job: "1")
    private var question: DriverAction { .run(query.words, purpose) }

    /// A job whose end the manager is asked for, with one engine that has a task.
    private func script(_ change: (inout NewContext) -> Void = { _ in }) -> DriverScript {
        let script = DriverScript()
        var context = NewContext.job("a")
        context.plan.endQuery = query
        change(&context)
        script.begin(context, tasks: 2)
        script.join(0, task: 0)
        script.wait(.zero)
        return script
    }

    /// The manager answers that the allocation ends in so long.
    private func answer(_ script: DriverScript, endsIn seconds: Int) {
        let answer = ManagerAnswer(status: 0, text: "2023-11-14T22:13:20\n")
        let wallClock = Timestamp(microseconds: Int64(1_700_000_000 - seconds) * 1_000_000)
        script.tell(.commandEnded(purpose, answer, wallClock: wallClock))
        script.expect()
    }

    @Test("drains an allocation before its end, ends its tasks, and then at once")
    func steps() {
        let script = script()
        script.expect(question)
        answer(script, endsIn: 200)
        #expect(script.log.last == "the allocation ends in 200 s (--margin)")
        for (pause, left) in [(60, 140), (60, 80), (25, 55)] {
            script.wait(.seconds(pause))
            script.expect(question)
            answer(script, endsIn: left)
        }
        script.wait(.seconds(5))
        script.expect(
            .show(.info, "the allocation ends in 50 s: no new task starts in it"), .tasks(.recall(first, count: 1)))
        script.wait(.seconds(35))
        script.expect(
            .show(.info, "the allocation ends in 15 s: ending what runs, for a later run"),
            .tasks(.endTasks(first, atOnce: false)))
        script.wait(.seconds(12))
        script.expect(.tasks(.endTasks(first, atOnce: true)))
        script.end(0, on: 0, .stopped)
        script.expect(script.kept(0, on: 0, .stopped), .shutDown(first))
        script.engineEnds(0, status: 0)
        script.expect(all: script.gone(0, "exit status 0") + [.forgetGuard("g0"), .tasks(.awaitRows)])
        script.finish(.drained)
    }

    @Test(
        "asks again after 10 s where there was no answer, then after a minute",
        arguments: [ManagerAnswer(status: 1, text: "slurm is busy\n"), ManagerAnswer(status: 0, text: "soon")])
    func failures(answer: ManagerAnswer) {
        let script = script()
        script.expect(question)
        for seconds in [10, 60, 60] {
            script.tell(.commandEnded(purpose, answer, wallClock: Timestamp(microseconds: 0)))
            script.expect()
            #expect(script.log.last?.hasPrefix("when the allocation ends is not known: ") == true)
            script.wait(.seconds(seconds) - .milliseconds(1))
            script.expect()
            script.wait(.milliseconds(1))
            script.expect(question)
        }
    }

    @Test("does not ask where the user does not want it")
    func noMargin() {
        let script = script { $0.policy.margin = .zero }
        script.expect()
    }

    @Test("gives nodes back together that nothing is left for, but the driver's own")
    func retirement() {
        let script = DriverScript()
        var context = NewContext.job("a", "b", "c", "d")
        context.plan.home = "a"
        context.policy.retirement = .command("give")
        script.begin(context, tasks: 4)
        for engine in 0...3 { script.join(engine, task: engine) }
        for engine in 1...2 {
            script.end(engine, on: engine)
            script.expect(script.row(engine, on: engine), .shutDown(EngineID(engine)))
        }
        script.engineEnds(1, status: 0)
        script.expect(all: script.gone(1, "exit status 0") + [.forgetGuard("g1")])
        script.wait(.milliseconds(500))
        script.engineEnds(2, status: -9)
        script.expect(all: script.gone(2, "killed by SIGKILL") + [.forgetGuard("g2")])
        script.wait(.milliseconds(999))
        script.expect()
        script.wait(.milliseconds(1))
        let settings = [
            "NODE=b,c", "NODES=b,c", "RETCODE=0,-1", "RETCODES=0,-1", "ACTIVE=a,d", "RETIRED=b,c",
            "STEP_PREFIX=disbatch",
        ]
        let purpose = CommandPurpose.retirement(ContextID(0), nodes: "b,c")
        script.expect(.run(["env"] + settings + ["/bin/sh", "-c", "give"], purpose))
        let answer = ManagerAnswer(status: 0, text: "thanks\n")
        script.tell(.commandEnded(purpose, answer, wallClock: Timestamp(microseconds: 0)))
        script.expect()
        #expect(script.log.last == "gave back b,c: thanks")
    }
}
