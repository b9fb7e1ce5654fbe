import Testing

@testable import DisbatchCore

@Suite("Scheduler, while tasks' files are under way")
struct SchedulerStagingTests {
    private let first = EngineID(0)

    @Test("gives a slot to the next task while files are on their way, and a barrier waits for them")
    func slotIsFree() {
        let shell = RecordingShell { _ in }
        shell.read(TaskItem.tasks(0...1))
        shell.launch(0)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        let id = shell.id(of: 0)
        shell.tell(.filesAwaited(first, id))
        shell.expect(shell.handed(1, to: 0))
        #expect(shell.scheduler.runningCount == 1)
        // Once more is nothing more.
        shell.tell(.filesAwaited(first, id))
        shell.finish(1, on: 0)
        shell.expect(.record(shell.row(1, on: 0)))
        shell.tell(.taskFinished(first, id, cylinder: 0, .good))
        shell.expect(.record(shell.row(0, on: 0)), .shutDown(first))
        shell.leave(0, ending: .completed)
    }

    @Test("takes a task whose files were under way for one that had started, and never for one that comes back")
    func lost() {
        let shell = RecordingShell { _ in }
        shell.read(TaskItem.tasks(0...1))
        shell.launch(0, 1)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.tell(.filesAwaited(first, shell.id(of: 0)))
        shell.expect(shell.handed(1, to: 0))
        shell.tell(.assignmentsReturned(first, [shell.id(of: 0)]))
        shell.expect()
        shell.tell(.engineGone(first))
        shell.expect(
            .keepLostAttempt(shell.loss(0, on: 0)), .keepLostAttempt(shell.loss(1, on: 0)),
            shell.lostWarning(0, startedTasks: 2))
    }
}
