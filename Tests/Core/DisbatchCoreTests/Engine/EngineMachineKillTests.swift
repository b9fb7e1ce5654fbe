import Testing

@testable import DisbatchCore

/// The end of one task that its user wants.
struct EngineMachineKillTests {
    private func kill(_ task: UInt64, atOnce: Bool = false) -> EngineEvent {
        .killRequested(Assignment.task(task).id, atOnce: atOnce)
    }

    @Test func itIsTerminatedThenKilled() {
        var script = MachineScript(slots: 2, killAfter: .seconds(3))
        script.run(.task(1), in: 0)
        script.run(.task(2), in: 1)
        script.on(kill(1), .terminate(cylinder: 0))
        script.expectDeadline(in: .seconds(3))
        script.on(kill(1))
        script.after(.seconds(3), .kill(cylinder: 0))
        script.on(.outputEnded(cylinder: 0))
        script.on(
            .exited(cylinder: 0, .signalled(9)), .kill(cylinder: 0),
            .finish(cylinder: 0, .task(1), returnCode: -9, .killed))
        #expect(script.machine.assignment(in: 1) == .task(2))
    }

    /// It counts as ended by SIGTERM whatever it made of that.
    @Test(arguments: [ProcessResult.signalled(15), .exited(status: 0), .exited(status: 143), .signalled(1)])
    func itsCodeIsThatOfTheSignal(result: ProcessResult) {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(kill(1), .terminate(cylinder: 0))
        script.on(.outputEnded(cylinder: 0))
        script.on(
            .exited(cylinder: 0, result), .kill(cylinder: 0),
            .finish(cylinder: 0, .task(1), returnCode: -15, .killed))
    }

    @Test func atOnceItIsKilledAtOnce() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(kill(1), .terminate(cylinder: 0))
        script.on(kill(1, atOnce: true), .kill(cylinder: 0))
        script.after(.seconds(100))
    }

    @Test func oneThatIsBeingStartedEndsWhenItHas() {
        var script = MachineScript()
        script.on(.assigned(.task(1)), .start(cylinder: 0, .task(1)))
        script.on(kill(1))
        script.on(.spawned(cylinder: 0, pid: 1), .terminate(cylinder: 0))
        script.on(.outputEnded(cylinder: 0))
        script.on(
            .exited(cylinder: 0, .signalled(15)), .kill(cylinder: 0),
            .finish(cylinder: 0, .task(1), returnCode: -15, .killed))
    }

    @Test func oneThatWaitsIsNotStarted() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(.assigned(.task(2)))
        script.on(.assigned(.task(3)))
        script.on(kill(2), .withdraw(Assignment.task(2).id))
        script.on(kill(2))
        script.on(kill(7))
        script.on(.outputEnded(cylinder: 0))
        script.on(
            .exited(0), .finish(cylinder: 0, .task(1), returnCode: 0, .exited), .start(cylinder: 0, .task(3)))
    }

    /// Its process has its own end; who keeps its output open is killed.
    @Test func oneWhoseProcessEndedKeepsItsResult() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(.exited(cylinder: 0, .exited(status: 4)))
        script.on(kill(1), .kill(cylinder: 0))
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 4, .exited))
    }

    @Test func aTimeoutThatCameFirstStaysTheReason() {
        var script = MachineScript(timeout: .seconds(1))
        script.run(.task(1), in: 0)
        script.after(.seconds(1), .terminate(cylinder: 0))
        script.on(kill(1))
        script.on(.outputEnded(cylinder: 0))
        script.on(
            .exited(0), .kill(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 124, .timedOut))
    }
}
