import Testing

@testable import DisbatchCore

@Suite("Driver machine, signals")
struct DriverSignalTests {
    private let first = EngineID(0)
    private let terminated = TaskOutcome.ended(-15)

    /// A job of two nodes, each with a task; that of the first has ended by SIGTERM.
    private func undecided() -> DriverScript {
        let script = DriverScript()
        script.begin(.job("a", "b"), tasks: 2)
        script.join(0, task: 0)
        script.join(1, task: 1)
        script.end(0, on: 0, terminated)
        script.expect()
        return script
    }

    @Test("takes a task's end by SIGTERM in a job for its result after a second without any word")
    func result() {
        let script = undecided()
        script.wait(.milliseconds(999))
        script.expect()
        script.wait(.milliseconds(1))
        script.expect(script.row(0, on: 0, terminated))
    }

    @Test("takes it for a result at once outside of jobs")
    func noJob() {
        let script = DriverScript()
        script.begin(.hosts("a"), tasks: 2)
        script.join(0, task: 0)
        script.end(0, on: 0, terminated)
        script.expect(script.row(0, on: 0, terminated), script.handed(1, to: 0))
    }

    @Test("takes it for a stop where the engine gets a signal, and every such end after that")
    func engineSignalled() {
        let script = undecided()
        script.tell(.engineSignalled(first, 15))
        script.expect(
            .show(.warning, "engine 0 on a got SIGTERM: it takes no more tasks"),
            .tasks(.recall(first, count: 1)), script.kept(0, on: 0, .stopped), .shutDown(first))
        script.tell(.engineSignalled(EngineID(1), 10))
        script.expect(.tasks(.recall(EngineID(1), count: 1)))
        script.end(1, on: 1, terminated)
        script.expect(script.kept(1, on: 1, .stopped), .shutDown(EngineID(1)))
    }

    @Test("takes any end for a stop that comes within a second of the engine's signal", arguments: [Int32(0), 1])
    func endsAtASignal(code: Int32) {
        let script = undecided()
        script.tell(.engineSignalled(EngineID(1), 10))
        script.expect(.tasks(.recall(EngineID(1), count: 1)))
        script.end(1, on: 1, .ended(code))
        script.expect(script.kept(1, on: 1, .ended(code, .stopped)), .shutDown(EngineID(1)))
    }

    @Test("takes a good end for a result that comes later than that")
    func endsLongAfterASignal() {
        let script = undecided()
        script.tell(.engineSignalled(EngineID(1), 10))
        script.expect(.tasks(.recall(EngineID(1), count: 1)))
        script.wait(.seconds(1))
        script.expect(script.row(0, on: 0, terminated))
        script.end(1, on: 1, .good)
        script.expect(script.row(1, on: 1, .good), .shutDown(EngineID(1)), .shutDown(first))
    }

    @Test("takes it for a stop where the engine is gone")
    func engineGone() {
        let script = undecided()
        script.engineEnds(0, status: 91)
        let again = script.isTriedAgain(0, "exit status 91", seconds: 1)
        script.expect(
            all: [script.kept(0, on: 0, .stopped)] + script.gone(0, "exit status 91") + [again, .forgetGuard("g0")]
                + [.tasks(.warn(.engineLost(first, node: "a", startedTasks: 0)))])
    }

    @Test("takes it for a stop where the driver is told to end")
    func driverSignalled() {
        let script = undecided()
        script.tell(.signalled(15))
        script.expect(
            .show(.info, "SIGTERM: ending the running tasks (again: at once)"),
            .tasks(.endTasks(first, atOnce: false)), .tasks(.endTasks(EngineID(1), atOnce: false)),
            script.kept(0, on: 0, .stopped), .shutDown(first))
        #expect(script.wasSignalled)
        script.end(1, on: 1, terminated)
        script.expect(script.kept(1, on: 1, .stopped), .shutDown(EngineID(1)))
    }

    @Test("waits for that word anew after it stood still")
    func standstill() {
        let script = undecided()
        script.standStill(.seconds(5000))
        script.tell(.timePassed)
        script.expect(.renewLease(first, .seconds(3000)), .renewLease(EngineID(1), .seconds(3000)))
        script.wait(.seconds(1))
        script.expect(script.row(0, on: 0, terminated))
    }

    @Test("starts nothing new after SIGUSR1 and SIGUSR2", arguments: [(Int32(10), "SIGUSR1"), (12, "SIGUSR2")])
    func drain(number: Int32, name: String) {
        let script = DriverScript()
        script.begin(.hosts("a"), tasks: 2)
        script.join(0, task: 0)
        script.tell(.signalled(number))
        script.expect(
            .show(.info, "\(name): no new task starts; the run ends when the running ones have"),
            .tasks(.recall(first, count: 1)))
        script.end(0, on: 0)
        script.expect(script.row(0, on: 0), .shutDown(first))
        #expect(!script.wasSignalled)
    }

    @Test("ends what runs after SIGUSR2 in a job of Grid Engine's, which is about to be killed")
    func gridEngine() {
        let script = DriverScript()
        var context = NewContext.job("a")
        context.plan.kind = "sge"
        script.begin(context)
        script.join(0, task: 0)
        script.tell(.signalled(12))
        script.expect(
            .show(.info, "SIGUSR2: the job is about to end; ending what runs, for a later run"),
            .tasks(.recall(first, count: 1)),
            .tasks(.endTasks(first, atOnce: false)))
    }
}
