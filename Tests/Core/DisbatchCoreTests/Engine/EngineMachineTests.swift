import Testing

@testable import DisbatchCore

/// What runs where, and how it is reported.
struct EngineMachineTests {
    @Test func tasksStartInOrderAsSlotsGetFree() {
        var script = MachineScript(slots: 2)
        script.run(.task(1), in: 0)
        script.run(.task(2), in: 1)
        script.on(.assigned(.task(3)))
        script.on(.assigned(.task(4)))
        #expect(script.machine.waitingCount == 2)
        script.on(.outputEnded(cylinder: 1))
        script.on(
            .exited(1), .finish(cylinder: 1, .task(2), returnCode: 0, .exited), .start(cylinder: 1, .task(3)))
        script.on(.exited(0, 7))
        script.on(
            .outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 7, .exited),
            .start(cylinder: 0, .task(4)))
        #expect(script.machine.waitingCount == 0)
    }

    @Test func recallGivesTheLatestBackInTheirOrder() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        for id: UInt64 in 2...5 { script.on(.assigned(.task(id))) }
        script.on(.recalled(count: 2), .giveBack([AssignmentID(4), AssignmentID(5)]))
        script.on(.recalled(count: 0), .giveBack([]))
        script.on(.recalled(count: -1), .giveBack([]))
        script.on(.recalled(count: 10), .giveBack([AssignmentID(2), AssignmentID(3)]))
        script.on(.recalled(count: 1), .giveBack([]))
        #expect(script.machine.assignment(in: 0) == .task(1))
    }

    @Test func perEngineCommandsHaveACylinderOfTheirOwn() {
        var script = MachineScript(slots: 1)
        script.run(.task(1), in: 0)
        script.run(.command(2, .start), in: 1)
        #expect(script.machine.commandCylinder == 1)
        script.on(.outputEnded(cylinder: 1))
        script.on(.exited(1, 3), .finish(cylinder: 1, .command(2, .start), returnCode: 3, .exited))
        script.run(.command(3, .stop), in: 1)
        #expect(script.machine.assignment(in: 1) == .command(3, .stop))
    }

    @Test(
        arguments: [(.exited(status: 0), 0), (.exited(status: 255), 255), (.signalled(11), -11)]
            as [(ProcessResult, Int32)])
    func returnCodes(result: ProcessResult, code: Int32) {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(.outputEnded(cylinder: 0))
        script.on(
            .exited(cylinder: 0, result), .finish(cylinder: 0, .task(1), returnCode: code, .exited))
    }

    @Test func aTaskThatCantBeStartedIsReportedAndItsSlotIsFree() {
        var script = MachineScript()
        script.on(.assigned(.task(1)), .start(cylinder: 0, .task(1)))
        script.on(.assigned(.task(2)))
        script.on(
            .spawnFailed(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 126, .spawnFailed),
            .start(cylinder: 0, .task(2)))
    }

    @Test func outputIsWaitedForFiveSecondsBehindTheExit() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(.exited(0))
        script.expectDeadline(in: .seconds(5))
        script.after(.nanoseconds(4_999_999_999))
        script.after(
            .nanoseconds(1), .stopReading(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 0, .exited))
        script.expectDeadline(in: nil)
    }

    @Test func outputThatEndsInTimeEndsTheWait() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(.exited(0))
        script.now = script.now + .seconds(4)
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 0, .exited))
        script.after(.seconds(10))
        script.expectDeadline(in: nil)
    }

    /// What comes twice, too late, or for a cylinder with nothing in it does nothing.
    @Test func eventsOutOfPlaceAreIgnored() {
        var script = MachineScript(slots: 2)
        script.on(.exited(0))
        script.on(.outputEnded(cylinder: 0))
        script.on(.spawned(cylinder: 0, pid: 1))
        script.on(.spawnFailed(cylinder: 0))
        script.run(.task(1), in: 0)
        script.on(.spawned(cylinder: 0, pid: 1))
        script.on(.spawnFailed(cylinder: 0))
        script.on(.exited(0))
        script.on(.exited(0, 5))
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 0, .exited))
        script.on(.outputEnded(cylinder: 0))
        #expect(script.machine.isIdle)
    }

    @Test func shutDownWaitsForWhatRuns() {
        var script = MachineScript(slots: 2)
        script.run(.task(1), in: 0)
        script.on(.assigned(.task(2)), .start(cylinder: 1, .task(2)))
        script.on(.assigned(.task(3)))
        script.on(.shutDownRequested)
        script.on(.assigned(.task(4)))
        script.on(.assigned(.command(5, .stop)))
        script.on(.outputEnded(cylinder: 0))
        script.on(.exited(0), .finish(cylinder: 0, .task(1), returnCode: 0, .exited))
        script.on(
            .spawnFailed(cylinder: 1), .finish(cylinder: 1, .task(2), returnCode: 126, .spawnFailed), .exit(status: 0))
        script.after(.seconds(1))
    }

    @Test func shutDownOfAnIdleEngineIsItsEnd() {
        var script = MachineScript()
        script.on(.shutDownRequested, .exit(status: 0))
        script.on(.shutDownRequested)
        script.on(.orphaned)
    }
}
