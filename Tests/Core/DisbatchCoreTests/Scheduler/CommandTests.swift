import Testing

@testable import DisbatchCore

@Suite("Scheduler, when per-engine commands hang")
struct CommandTests {
    private let first = EngineID(0)
    private let second = EngineID(1)

    private func row(_ outcome: TaskOutcome, on engine: Int) -> RecordedTask {
        RecordedTask(
            kind: .perEngine, spec: .task(9), attempt: 1, engine: EngineID(engine), node: "n\(engine)", cylinder: 0,
            outcome: outcome)
    }

    private func slow(_ seconds: Int, others: Int = 0, _ phase: PerEnginePhase = .start) -> SchedulerAction {
        .warn(.commandSlow(second, node: "n1", phase, number: 1, seconds: seconds, others: others))
    }

    /// Two engines, each with its START command; that of the first ends at once, and it is given the only task.
    private func shellWithHangingStart(
        stops: Bool = false, _ configure: (inout SchedulerConfiguration) -> Void = { _ in }
    ) -> RecordingShell {
        let shell = RecordingShell(configure)
        let commands = [PerEnginePhase.start, .stop].prefix(stops ? 2 : 1).map { phase in
            TaskItem.perEngine(PerEngineCommand(phase: phase, spec: .task(9)))
        }
        shell.read(commands + TaskItem.tasks(0...0))
        shell.launch(0, 1)
        shell.join(0)
        shell.expect(shell.handed(.task(9), kind: .perEngine(.start), to: 0))
        shell.finish(9, on: 0)
        shell.expect(.recordPerEngine(row(.good, on: 0), .start), shell.handed(0, to: 0))
        shell.join(1)
        shell.expect(shell.handed(.task(9), kind: .perEngine(.start), to: 1))
        return shell
    }

    @Test("gives START commands a time limit")
    func timeLimit() {
        let shell = RecordingShell { $0.startTimeout = .seconds(600) }
        shell.read([.perEngine(PerEngineCommand(phase: .start, spec: .task(9))), .task(.task(0))])
        shell.launch(0)
        shell.join(0)
        shell.expect(shell.handed(.task(9), kind: .perEngine(.start), to: 0, timeLimit: .seconds(600)))
    }

    @Test("tells of a START command that takes long, and ends it when no work is left")
    func noWorkIsLeft() {
        let shell = shellWithHangingStart()
        #expect(shell.scheduler.nextDeadline == shell.now + .seconds(10))
        shell.pass(seconds: 10)
        shell.tell(.timePassed)
        shell.expect(slow(10))
        shell.pass(seconds: 50)
        shell.finish(0, on: 0)
        shell.expect(.record(shell.row(0, on: 0)), .shutDown(first), .endTasks(second, atOnce: false))
        shell.tell(.engineGone(first))
        shell.finish(9, on: 1, .stopped)
        shell.expect(.recordPerEngine(row(.stopped, on: 1), .start), .shutDown(second))
        shell.leave(1, ending: .completed)
        #expect(shell.scheduler.totals.perEngineFailed == 0)
    }

    @Test("leaves a START command its time that began just now, and then lets STOP clear away what it did")
    func youngCommand() {
        let shell = shellWithHangingStart(stops: true)
        let start = shell.id(of: 9)
        shell.pass(seconds: 4)
        shell.finish(0, on: 0)
        shell.expect(.record(shell.row(0, on: 0)), shell.handed(.task(9), kind: .perEngine(.stop), to: 0))
        shell.finish(9, on: 0)
        shell.expect(.recordPerEngine(row(.good, on: 0), .stop), .shutDown(first))
        shell.tell(.engineGone(first))
        shell.pass(seconds: 6)
        shell.tell(.timePassed)
        shell.expect(slow(10), .endTasks(second, atOnce: false))
        shell.tell(.taskFinished(second, start, cylinder: 0, .stopped))
        shell.expect(
            .recordPerEngine(row(.stopped, on: 1), .start),
            shell.handed(.task(9), kind: .perEngine(.stop), to: 1, timeLimit: .seconds(10)))
        shell.pass(seconds: 10)
        shell.tell(.timePassed)
        shell.expect(slow(10, .stop))
        shell.finish(9, on: 1, .ended(124, .timedOut))
        shell.expect(.recordPerEngine(row(.ended(124, .timedOut), on: 1), .stop), .shutDown(second))
        shell.leave(1, ending: .completed)
    }

    @Test(
        "ends the START command of an engine, a context or a run that is to start nothing more",
        arguments: [DrainScope.engine(EngineID(1)), .context(ContextID(0)), .run])
    func drained(scope: DrainScope) {
        let shell = shellWithHangingStart()
        shell.pass(seconds: 4)
        shell.tell(.drainRequested(scope))
        if scope != .engine(second) { shell.expect(.recall(first, count: 1)) }
        shell.pass(seconds: 6)
        shell.tell(.timePassed)
        shell.expect(slow(10), .endTasks(second, atOnce: false))
        shell.finish(9, on: 1, .stopped)
        shell.expect(.recordPerEngine(row(.stopped, on: 1), .start), .shutDown(second))
        shell.tell(.engineGone(second))
        shell.finish(0, on: 0)
        shell.expect(.record(shell.row(0, on: 0)), .shutDown(first))
        shell.leave(0, ending: .completed)
        #expect(shell.scheduler.totals.perEngineFailed == 0)
    }

    @Test("kills a START command that does not end, and gives its engine up where even that fails")
    func deadMount() {
        let shell = shellWithHangingStart { $0.heartbeat = .seconds(10) }
        let began = shell.now
        for engine in [first, second] {
            shell.tell(.leaseAcknowledged(engine, sentAt: shell.now))
        }
        shell.pass(seconds: 10)
        shell.tell(.timePassed)
        shell.expect(.renewLease(first), .renewLease(second), slow(10))
        shell.finish(0, on: 0)
        shell.expect(.record(shell.row(0, on: 0)), .shutDown(first), .endTasks(second, atOnce: false))
        shell.tell(.engineGone(first))
        for _ in 0..<2 {
            shell.tell(.leaseAcknowledged(second, sentAt: shell.now))
            shell.pass(seconds: 10)
            shell.tell(.timePassed)
            shell.expect(.endTasks(second, atOnce: true), .renewLease(second))
        }
        shell.pass(seconds: 10)
        shell.tell(.timePassed)
        let lost = LostAttempt(
            kind: .perEngine(.start), spec: .task(9), attempt: 1, engine: second, node: "n1",
            assigned: began, lost: shell.now)
        shell.expect(
            .abandon(second), .recordLost(lost), shell.lostWarning(1, startedTasks: 0), .awaitRows)
        shell.tell(.rowsWritten)
        shell.expect(.finish(.completed))
        #expect(shell.scheduler.totals.perEngineFailed == 0)
    }

    @Test("names one engine where many are slow at one time")
    func many() {
        let shell = RecordingShell()
        shell.read([.perEngine(PerEngineCommand(phase: .start, spec: .task(9))), .task(.task(0))])
        for engine in 0..<4 {
            shell.launch(engine)
            shell.join(engine)
            shell.expect(shell.handed(.task(9), kind: .perEngine(.start), to: engine))
            if engine == 0 {
                shell.finish(9, on: 0)
                shell.expect(.recordPerEngine(row(.good, on: 0), .start), shell.handed(0, to: 0))
            }
        }
        shell.pass(seconds: 10)
        shell.tell(.timePassed)
        shell.expect(slow(10, others: 2))
    }
}
