import Testing

@testable import DisbatchCore

@Suite("Scheduler")
struct SchedulerTests {
    private let first = EngineID(0)
    private let second = EngineID(1)

    @Test("tries a failed task again on another engine, though the first is idle")
    func retryElsewhere() {
        let shell = RecordingShell { $0.retries = 1 }
        shell.read(TaskItem.tasks(0...1))
        shell.launch(0, 1)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.join(1)
        shell.expect(shell.handed(1, to: 1))
        shell.finish(0, on: 0, .bad)
        shell.expect(.keepAttempt(shell.row(0, on: 0, .bad)))
        shell.finish(1, on: 1)
        shell.expect(.record(shell.row(1, on: 1)), shell.handed(0, to: 1, attempt: 2))
        shell.finish(0, on: 1, .bad)
        shell.expect(.record(shell.row(0, on: 1, attempt: 2, .bad)), .shutDown(first), .shutDown(second))
        shell.leave(0, 1, ending: .completed)
        #expect(shell.scheduler.totals.retried == 1)
        #expect(shell.scheduler.totals.failed == 1)
        #expect(!shell.hasTasksLeft)
    }

    @Test("tries a failed task again on the only engine")
    func retryAlone() {
        let shell = RecordingShell { $0.retries = 1 }
        shell.read(TaskItem.tasks(0...0))
        shell.launch(0)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.finish(0, on: 0, .bad)
        shell.expect(.keepAttempt(shell.row(0, on: 0, .bad)), shell.handed(0, to: 0, attempt: 2))
    }

    /// One engine with one slot, which runs task 1 while task 2 waits there.
    private func shellWithWaitingTask(_ items: [TaskItem] = TaskItem.tasks(0...2)) -> RecordingShell {
        let shell = RecordingShell()
        shell.read(items)
        shell.launch(0, 1)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.finish(0, on: 0, .quick)
        shell.expect(.record(shell.row(0, on: 0, .quick)), shell.handed(1, to: 0), shell.handed(2, to: 0))
        return shell
    }

    @Test("asks a waiting task back for an engine that is idle at the end of the queue")
    func recallForIdle() {
        let shell = shellWithWaitingTask()
        shell.join(1)
        shell.expect(.recall(first, count: 1))
        shell.tell(.assignmentsReturned(first, [shell.id(of: 2)]))
        shell.expect(shell.handed(2, to: 1))
        shell.finish(1, on: 0)
        shell.expect(.record(shell.row(1, on: 0)))
        shell.finish(2, on: 1)
        shell.expect(.record(shell.row(2, on: 1)), .shutDown(first), .shutDown(second))
        shell.leave(0, 1, ending: .completed)
    }

    @Test("asks another engine when the one that it asked goes silent")
    func recallFromAnother() {
        let shell = RecordingShell { $0.lease = .seconds(1_000_000) }
        shell.read(TaskItem.tasks(0...5))
        shell.launch(0, 1, 2)
        for engine in 0...1 {
            shell.join(engine)
            shell.expect(shell.handed(engine, to: engine))
        }
        shell.finish(0, on: 0, .quick)
        shell.expect(.record(shell.row(0, on: 0, .quick)), shell.handed(2, to: 0), shell.handed(3, to: 0))
        shell.finish(1, on: 1, .quick)
        shell.expect(.record(shell.row(1, on: 1, .quick)), shell.handed(4, to: 1), shell.handed(5, to: 1))
        shell.join(2)
        shell.expect(.recall(first, count: 1))
        shell.tell(.engineSilent(first))
        shell.expect(.recall(second, count: 1))
    }

    @Test(
        "hands out ahead of need what may end before the next word of it comes",
        arguments: [(1, 10_000, 0), (1, 100, 1), (4, 100, 1), (5, 100, 2), (1, 1, 22), (1, 0, 64), (80, 0, 80)])
    func ahead(slots: Int, milliseconds: Int, count: Int) {
        let shell = RecordingShell()
        shell.read(TaskItem.tasks(0...200))
        shell.launch(0)
        shell.join(0, slots: slots)
        shell.expect(all: (0..<slots).map { shell.handed($0, to: 0) })
        let outcome = TaskOutcome.ended(0, milliseconds: Int64(milliseconds))
        shell.finish(0, on: 0, outcome)
        // The one that takes the ended one's place, and those ahead.
        let next = (slots...slots + count).map { shell.handed($0, to: 0) }
        shell.expect(all: [.record(shell.row(0, on: 0, outcome))] + next)
    }

    @Test("goes on handing out behind skipped tasks")
    func skippedBetween() {
        let shell = RecordingShell()
        shell.read([.task(.task(0)), .skipped(count: 2, failed: 0), .task(.task(3))])
        shell.launch(0)
        shell.join(0, slots: 2)
        shell.expect(shell.handed(0, to: 0), shell.handed(3, to: 0))
        #expect(shell.scheduler.totals.skipped == 2)
    }

    @Test("ends at a context's limit, with tasks left")
    func contextLimit() {
        let shell = RecordingShell()
        shell.read(TaskItem.tasks(0...2), contextLimit: 2)
        shell.launch(0)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.finish(0, on: 0)
        shell.expect(.record(shell.row(0, on: 0)), shell.handed(1, to: 0))
        shell.finish(1, on: 0)
        shell.expect(.record(shell.row(1, on: 0)), .shutDown(first))
        shell.leave(0, ending: .drained)
        #expect(shell.hasTasksLeft)
    }

    @Test("ends the run at a CHECK behind a skipped failure")
    func checkAfterSkipped() {
        let barrier = Barrier(
            id: TaskID(1), streamIndex: 2, checks: true, key: nil, line: Array("#DISBATCH BARRIER CHECK".utf8))
        let shell = RecordingShell()
        shell.tell(.itemsRead([.skipped(count: 1, failed: 1), .barrier(barrier), .task(.task(2))]))
        shell.expect(.awaitRows, .readItems)
        shell.tell(.sourceEnded(.complete))
        shell.launch(0)
        shell.join(0)
        shell.expect()
        shell.tell(.rowsWritten)
        shell.expect(
            .recordBarrier(barrier, reached: shell.now, met: shell.now), .warn(.checkFailed(barrier)),
            .shutDown(first))
        shell.leave(0, ending: .checkFailed)
        #expect(shell.hasTasksLeft)
    }

    @Test("while starting is held, hands nothing out and takes back what waits")
    func hold() {
        let shell = shellWithWaitingTask(TaskItem.tasks(0...3))
        shell.tell(.startingHeld(true))
        shell.expect(.recall(first, count: 2))
        shell.tell(.assignmentsReturned(first, [shell.id(of: 2)]))
        shell.join(1)
        shell.finish(1, on: 0)
        shell.expect(.record(shell.row(1, on: 0)))
        shell.tell(.startingHeld(false))
        shell.expect(shell.handed(2, to: 1), shell.handed(3, to: 0))
    }

    @Test("gives waiting tasks back when it drains, and lets running ones end")
    func drain() {
        let shell = shellWithWaitingTask()
        shell.tell(.drainRequested(.run))
        shell.expect(.recall(first, count: 2))
        shell.tell(.assignmentsReturned(first, [shell.id(of: 2)]))
        shell.finish(1, on: 0)
        shell.expect(.record(shell.row(1, on: 0)), .shutDown(first), .abandon(second))
        shell.leave(0, ending: .drained)
        #expect(shell.hasTasksLeft)
    }

    @Test("asks for all waiting tasks at a drain, though one is being asked back")
    func drainDuringRecall() {
        let shell = shellWithWaitingTask()
        shell.join(1)
        shell.expect(.recall(first, count: 1))
        shell.tell(.drainRequested(.engine(first)))
        shell.expect(.recall(first, count: 2))
        shell.tell(.assignmentsReturned(first, [shell.id(of: 2)]))
        shell.expect(shell.handed(2, to: 1))
        shell.tell(.assignmentsReturned(first, []))
        shell.finish(1, on: 0)
        shell.expect(.record(shell.row(1, on: 0)), .shutDown(first))
    }

    @Test("sends an engine away that comes to a drained context")
    func lateToDrainedContext() {
        let shell = RecordingShell()
        shell.read(TaskItem.tasks(0...1))
        shell.launch(0)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.tell(.drainRequested(.context(ContextID(0))))
        shell.expect(.recall(first, count: 1))
        shell.launch(1)
        shell.join(1)
        shell.expect(.shutDown(second))
    }

    private func perEngine(_ phase: PerEnginePhase) -> TaskItem {
        .perEngine(PerEngineCommand(phase: phase, spec: .task(0)))
    }

    private func commandRow(_ outcome: TaskOutcome) -> RecordedTask {
        RecordedTask(
            kind: .perEngine, spec: .task(0), attempt: 1, engine: first, node: "n0", cylinder: 0, outcome: outcome)
    }

    @Test("doesn't use an engine whose START command failed, if that is asked for", arguments: [true, false])
    func strictStart(isStrict: Bool) {
        let shell = RecordingShell { $0.isStartStrict = isStrict }
        shell.read([perEngine(.start), .task(.task(0))])
        shell.launch(0)
        shell.join(0)
        shell.expect(shell.handed(.task(0), kind: .perEngine(.start), to: 0))
        shell.finish(0, on: 0, .bad)
        let warning = SchedulerAction.warn(
            .startCommandFailed(first, node: "n0", returnCode: 1, engineUsed: !isStrict))
        if isStrict {
            shell.expect(.recordPerEngine(commandRow(.bad), .start), warning, .shutDown(first))
            shell.leave(0, ending: .noEngine)
        } else {
            shell.expect(.recordPerEngine(commandRow(.bad), .start), warning, shell.handed(0, to: 0))
        }
        #expect(shell.scheduler.totals.perEngineFailed == 1)
    }

    @Test("limits a STOP command's time in a run that ends early")
    func stopCommandAtDrain() {
        let shell = RecordingShell()
        shell.read([perEngine(.stop), .task(.task(0))])
        shell.launch(0)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.tell(.drainRequested(.run))
        shell.expect(.recall(first, count: 1))
        shell.finish(0, on: 0)
        shell.expect(
            .record(shell.row(0, on: 0)),
            shell.handed(.task(0), kind: .perEngine(.stop), to: 0, timeLimit: .seconds(10)))
        shell.finish(0, on: 0)
        shell.expect(.recordPerEngine(commandRow(.good), .stop), .shutDown(first))
        shell.leave(0, ending: .completed)
    }
}
