import Testing

@testable import DisbatchCore

/// Runs whose engines come later, or come and go.
@Suite("Scheduler, contexts to come")
struct ComingContextsTests {
    private let first = EngineID(0)

    /// One task and no engine, which is lost.
    private func shellWithoutEngines(_ event: SchedulerEvent) -> RecordingShell {
        let shell = RecordingShell()
        shell.read(TaskItem.tasks(0...0))
        shell.tell(event)
        shell.expect()
        shell.launch(0)
        shell.tell(.engineGone(first))
        return shell
    }

    @Test("waits for contexts, until none is to be expected")
    func expectedContexts() {
        let shell = shellWithoutEngines(.contextsExpected(true))
        shell.expect()
        shell.tell(.contextsExpected(false))
        shell.expect(.awaitRows)
        #expect(shell.scheduler.ending == .noEngine)
    }

    @Test("gives up at once where contexts were expected and none came")
    func noContextCame() {
        let shell = RecordingShell()
        shell.read(TaskItem.tasks(0...0))
        shell.tell(.contextsExpected(true))
        shell.expect()
        shell.tell(.contextsExpected(false))
        shell.expect(.awaitRows)
        #expect(shell.scheduler.ending == .noEngine)
    }

    @Test("waits for the engines of a context that may grow, unless it is drained", arguments: [true, false])
    func growingContext(isDrained: Bool) {
        let shell = shellWithoutEngines(.contextMayGrow(ContextID(0), true))
        shell.expect()
        shell.tell(isDrained ? .drainRequested(.context(ContextID(0))) : .contextMayGrow(ContextID(0), false))
        shell.expect(.awaitRows)
        #expect(shell.scheduler.ending == .noEngine)
    }

    @Test("counts the tasks that could start now: none behind a barrier")
    func startable() {
        let shell = RecordingShell()
        let barrier = Barrier(id: TaskID(2), streamIndex: 3, checks: false, key: nil, line: [])
        shell.tell(.itemsRead([.task(.task(0)), .task(.task(1))]))
        shell.expect(.readItems)
        #expect(shell.scheduler.startableCount == nil, "more may come")
        shell.tell(.itemsRead([.barrier(barrier), .task(.task(3))]))
        shell.expect(.readItems)
        #expect(shell.scheduler.startableCount == 2)
        shell.tell(.sourceEnded(.complete))
        #expect(shell.scheduler.startableCount == 2)
    }
}
