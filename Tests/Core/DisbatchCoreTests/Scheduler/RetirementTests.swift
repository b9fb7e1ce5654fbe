import Testing

@testable import DisbatchCore

@Suite("Scheduler, sending engines away before the end")
struct RetirementTests {
    /// Three tasks on as many engines, of which the first is on the driver's node, if there is one.
    private func shell(home: String?) -> RecordingShell {
        let shell = RecordingShell()
        shell.read(TaskItem.tasks(0...2))
        shell.tell(.retirementAllowed(ContextID(0), keeping: home))
        shell.launch(0, 1, 2)
        for engine in 0...2 {
            shell.join(engine)
            shell.expect(shell.handed(engine, to: engine))
        }
        return shell
    }

    @Test("keeps one that can take the tasks of the last that works")
    func spare() {
        let shell = shell(home: nil)
        shell.finish(0, on: 0)
        shell.expect(.record(shell.row(0, on: 0)), .shutDown(EngineID(0)))
        shell.finish(1, on: 1)
        shell.expect(.record(shell.row(1, on: 1)))
        shell.tell(.engineGone(EngineID(2)))
        shell.expect(
            .keepLostAttempt(shell.loss(2, on: 2)), shell.lostWarning(2, startedTasks: 1),
            shell.handed(2, to: 1, attempt: 2))
        shell.finish(2, on: 1)
        shell.expect(.record(shell.row(2, on: 1, attempt: 2)), .shutDown(EngineID(1)))
        shell.leave(0, 1, ending: .completed)
    }

    @Test("keeps the driver's node, and no other beside it")
    func home() {
        let shell = shell(home: "n0")
        shell.finish(0, on: 0)
        shell.expect(.record(shell.row(0, on: 0)))
        shell.finish(1, on: 1)
        shell.expect(.record(shell.row(1, on: 1)), .shutDown(EngineID(1)))
        shell.finish(2, on: 2)
        shell.expect(.record(shell.row(2, on: 2)), .shutDown(EngineID(0)), .shutDown(EngineID(2)))
        shell.leave(0, 1, 2, ending: .completed)
    }

    @Test("sends none away while more may be read")
    func stream() {
        let shell = RecordingShell()
        shell.tell(.contextOpened(ContextID(0), taskLimit: nil))
        shell.expect(.readItems)
        shell.tell(.retirementAllowed(ContextID(0), keeping: nil))
        shell.tell(.itemsRead(TaskItem.tasks(0...0)))
        shell.expect(.readItems)
        shell.launch(0, 1, 2)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.join(1)
        shell.join(2)
        shell.tell(.sourceEnded(.complete))
        shell.expect(.shutDown(EngineID(1)))
    }
}
