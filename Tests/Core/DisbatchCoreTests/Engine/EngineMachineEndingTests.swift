import Testing

@testable import DisbatchCore

/// Timeouts and stops: who is told to end, when, and what becomes of it.
struct EngineMachineEndingTests {
    @Test func aTimeoutTerminatesThenKills() {
        var script = MachineScript(timeout: .seconds(60), killAfter: .seconds(3))
        script.run(.task(1), in: 0)
        script.expectDeadline(in: .seconds(60))
        script.after(.milliseconds(59_999))
        script.after(.milliseconds(1), .terminate(cylinder: 0))
        script.expectDeadline(in: .seconds(3))
        script.after(.milliseconds(2999))
        script.after(.milliseconds(1), .kill(cylinder: 0))
        script.expectDeadline(in: nil)
        script.after(.seconds(100))
        script.on(.exited(cylinder: 0, .signalled(9)), .kill(cylinder: 0))
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 124, .timedOut))
    }

    /// Its code is 124 though it ended well when told to; and whoever it left behind is killed with it.
    @Test func aTaskThatHeedsItsTimeout() {
        var script = MachineScript(timeout: .seconds(1))
        script.run(.task(1), in: 0)
        script.on(.outputEnded(cylinder: 0))
        script.after(.seconds(1), .terminate(cylinder: 0))
        script.on(
            .exited(0), .kill(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 124, .timedOut))
    }

    @Test func timeOfATaskCountsFromItsStart() {
        var script = MachineScript(timeout: .seconds(10))
        script.on(.assigned(.task(1)), .start(cylinder: 0, .task(1)))
        script.after(.seconds(100))
        script.on(.spawned(cylinder: 0, pid: 1))
        script.expectDeadline(in: .seconds(10))
    }

    @Test func aTasksOwnLimitGoesBeforeTheEngines() {
        var script = MachineScript(slots: 2, timeout: .seconds(10))
        script.run(.task(1, limit: .seconds(2)), in: 0)
        script.run(.task(2, limit: .seconds(20)), in: 1)
        script.expectDeadline(in: .seconds(2))
        script.after(.seconds(2), .terminate(cylinder: 0))
        script.after(.seconds(10), .kill(cylinder: 0))
        script.after(.seconds(8), .terminate(cylinder: 1))
    }

    @Test func perEngineCommandsHaveOnlyTheirOwnLimit() {
        var script = MachineScript(slots: 1, timeout: .seconds(10))
        script.run(.command(1, .start), in: 1)
        script.expectDeadline(in: nil)
        script.on(.outputEnded(cylinder: 1))
        script.on(.exited(1), .finish(cylinder: 1, .command(1, .start), returnCode: 0, .exited))
        script.run(.command(2, .stop, limit: .seconds(4)), in: 1)
        script.after(.seconds(4), .terminate(cylinder: 1))
        script.on(.exited(1, 1), .kill(cylinder: 1))
        script.on(
            .outputEnded(cylinder: 1),
            .finish(cylinder: 1, .command(2, .stop, limit: .seconds(4)), returnCode: 124, .timedOut))
    }

    @Test func aSoftEndTerminatesThenKillsAndReturnsWhatWaits() {
        var script = MachineScript(slots: 2, killAfter: .seconds(5))
        script.run(.task(1), in: 0)
        script.run(.task(2), in: 1)
        script.on(.assigned(.task(3)))
        script.on(
            .endTasksRequested(atOnce: false), .giveBack([AssignmentID(3)]), .terminate(cylinder: 0),
            .terminate(cylinder: 1))
        script.on(.exited(cylinder: 0, .signalled(15)), .kill(cylinder: 0))
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: -15, .stopped))
        script.on(.endTasksRequested(atOnce: false), .giveBack([]))
        script.after(.seconds(5), .kill(cylinder: 1))
        // The engine is not told to leave: it takes tasks again.
        script.run(.task(4), in: 0)
    }

    @Test func endingAtOnceKills() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(.endTasksRequested(atOnce: true), .giveBack([]), .kill(cylinder: 0))
        script.expectDeadline(in: nil)
        script.on(.exited(cylinder: 0, .signalled(9)), .kill(cylinder: 0))
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: -9, .stopped))
    }

    @Test func endingAtOnceAfterAskingKillsNow() {
        var script = MachineScript(timeout: .seconds(1))
        script.run(.task(1), in: 0)
        script.after(.seconds(1), .terminate(cylinder: 0))
        script.on(.endTasksRequested(atOnce: true), .giveBack([]), .kill(cylinder: 0))
        script.after(.seconds(100))
        script.on(.exited(cylinder: 0, .signalled(9)), .kill(cylinder: 0))
        // The timeout came first and is the reason.
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 124, .timedOut))
    }

    @Test(arguments: [(false, EngineAction.terminate(cylinder: 0)), (true, .kill(cylinder: 0))])
    func aStopWhileStartingIsDoneAsSoonAsItRuns(atOnce: Bool, action: EngineAction) {
        var script = MachineScript()
        script.on(.assigned(.task(1)), .start(cylinder: 0, .task(1)))
        script.on(.endTasksRequested(atOnce: atOnce), .giveBack([]))
        script.on(.spawned(cylinder: 0, pid: 1), action)
        script.on(.exited(0), .kill(cylinder: 0))
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 0, .stopped))
    }

    @Test func theHarderOfTwoStopsWhileStartingCounts() {
        var script = MachineScript()
        script.on(.assigned(.task(1)), .start(cylinder: 0, .task(1)))
        script.on(.endTasksRequested(atOnce: false), .giveBack([]))
        script.on(.endTasksRequested(atOnce: true), .giveBack([]))
        script.on(.endTasksRequested(atOnce: false), .giveBack([]))
        script.on(.spawned(cylinder: 0, pid: 1), .kill(cylinder: 0))
    }

    @Test func aStartThatFailsAfterAStopIsNoFailure() {
        var script = MachineScript()
        script.on(.assigned(.task(1)), .start(cylinder: 0, .task(1)))
        script.on(.endTasksRequested(atOnce: false), .giveBack([]))
        script.on(.spawnFailed(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 126, .stopped))
    }

    /// Its process ended by itself: what keeps its output open has its 5 s, or is killed where all ends at once.
    @Test func aStopWhileOutputIsDrained() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(.exited(0, 4))
        script.on(.endTasksRequested(atOnce: false), .giveBack([]))
        script.on(.endTasksRequested(atOnce: true), .giveBack([]), .kill(cylinder: 0))
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: 4, .exited))
    }

    @Test func anOrphanKillsAllAndLeavesWithTheLast() {
        var script = MachineScript(slots: 3)
        script.run(.task(1), in: 0)
        script.run(.task(2), in: 1)
        script.on(.assigned(.task(3)), .start(cylinder: 2, .task(3)))
        script.on(.assigned(.task(4)))
        script.on(.exited(1))
        script.on(.orphaned, .kill(cylinder: 0), .kill(cylinder: 1))
        script.on(.assigned(.task(5)))
        script.on(.assigned(.command(6, .start)))
        script.on(.outputEnded(cylinder: 1), .finish(cylinder: 1, .task(2), returnCode: 0, .exited))
        script.on(.exited(cylinder: 0, .signalled(9)), .kill(cylinder: 0))
        script.on(.outputEnded(cylinder: 0), .finish(cylinder: 0, .task(1), returnCode: -9, .stopped))
        script.on(.spawned(cylinder: 2, pid: 9), .kill(cylinder: 2))
        script.on(.outputEnded(cylinder: 2))
        script.on(
            .exited(cylinder: 2, .signalled(9)), .kill(cylinder: 2),
            .finish(cylinder: 2, .task(3), returnCode: -9, .stopped), .exit(status: 1))
        script.on(.orphaned)
    }

    @Test func anIdleOrphanLeavesAtOnce() {
        var script = MachineScript()
        script.on(.orphaned, .exit(status: 1))
        script.on(.assigned(.task(1)))
        script.on(.assigned(.command(2, .start)))
    }

    /// A shutdown that is under way ends as the orphan it has become.
    @Test func anOrphanThatWasShuttingDown() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(.shutDownRequested)
        script.on(.orphaned, .kill(cylinder: 0))
        script.on(.outputEnded(cylinder: 0))
        script.on(
            .exited(cylinder: 0, .signalled(9)), .kill(cylinder: 0),
            .finish(cylinder: 0, .task(1), returnCode: -9, .stopped), .exit(status: 1))
    }

    @Test func theNextDeadlineIsTheEarliestOfAll() {
        var script = MachineScript(slots: 3, timeout: .seconds(100), killAfter: .seconds(7))
        script.run(.task(1), in: 0)
        script.after(.seconds(10))
        script.run(.task(2, limit: .seconds(20)), in: 1)
        script.run(.task(3), in: 2)
        script.on(.exited(2))
        script.expectDeadline(in: .seconds(5))
        script.after(
            .seconds(5), .stopReading(cylinder: 2), .finish(cylinder: 2, .task(3), returnCode: 0, .exited))
        script.expectDeadline(in: .seconds(15))
        script.after(.seconds(15), .terminate(cylinder: 1))
        script.expectDeadline(in: .seconds(7))
        script.after(.seconds(7), .kill(cylinder: 1))
        script.expectDeadline(in: .seconds(63))
        script.on(
            .leaseRenewed(sentAt: Instant(nanoseconds: 5), lease: .seconds(30)),
            .acknowledgeLease(sentAt: Instant(nanoseconds: 5)))
        script.expectDeadline(in: .seconds(30))
    }
}
