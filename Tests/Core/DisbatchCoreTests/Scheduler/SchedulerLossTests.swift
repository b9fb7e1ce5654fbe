import Testing

@testable import DisbatchCore

@Suite("Scheduler, when engines are lost or the run is stopped")
struct SchedulerLossTests {
    private let first = EngineID(0)
    private let second = EngineID(1)

    /// One task, which the first engine holds; the second is idle.
    private func shellWithTask(_ configure: (inout SchedulerConfiguration) -> Void) -> RecordingShell {
        let shell = RecordingShell(configure)
        shell.read(TaskItem.tasks(0...0))
        shell.launch(0, 1)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.join(1)
        return shell
    }

    @Test("gives an engine's task to another when its lease ended, and takes the late report for a Z row")
    func leaseEnds() {
        let shell = shellWithTask { $0.lease = .seconds(60) }
        shell.pass(seconds: 12)
        shell.tell(.timePassed)
        shell.expect(.renewLease(first), .renewLease(second))
        // No further token for the first engine: its lease must not live on by tokens that it does not answer.
        for round in 0..<5 {
            shell.tell(.leaseAcknowledged(second, sentAt: shell.now))
            shell.pass(seconds: 12)
            shell.tell(.timePassed)
            let quiet = SchedulerAction.warn(.engineQuiet(first, node: "n0", seconds: 12))
            shell.expect(all: (round == 0 ? [quiet] : []) + [.renewLease(second)])
        }
        shell.tell(.leaseAcknowledged(second, sentAt: shell.now))
        shell.pass(seconds: 12)
        let firstID = shell.id(of: 0)
        shell.tell(.timePassed)
        shell.expect(
            .abandon(first), .keepLostAttempt(shell.loss(0, on: 0)), shell.lostWarning(0, startedTasks: 1),
            .renewLease(second), shell.handed(0, to: 1, attempt: 2))
        shell.tell(.taskFinished(first, firstID, cylinder: 0, .good))
        shell.expect(.record(shell.row(0, on: 0, kind: .givenUp)))
        shell.finish(0, on: 1)
        shell.expect(.record(shell.row(0, on: 1, attempt: 2)), .shutDown(second))
        shell.leave(1, ending: .completed)
        #expect(shell.scheduler.totals.enginesLost == 1)
        #expect(shell.scheduler.totals.finished == 1)
    }

    @Test("gives up an engine that does not end its tasks after a second signal")
    func secondSignal() {
        let shell = shellWithTask { _ in }
        shell.tell(.stopRequested(.interrupted(signal: 2)))
        shell.expect(.endTasks(first, atOnce: false), .shutDown(second))
        shell.tell(.engineGone(second))
        shell.tell(.stopRequested(.interrupted(signal: 2)))
        shell.expect(.endTasks(first, atOnce: true))
        shell.pass(seconds: 1_000_000)
        shell.tell(.timePassed)
        shell.expect(
            .abandon(first), .keepLostAttempt(shell.loss(0, on: 0)), shell.lostWarning(0, startedTasks: 1),
            .awaitRows)
        shell.tell(.rowsWritten)
        shell.expect(.finish(.interrupted(signal: 2)))
    }

    @Test("gives a task up that was lost too often")
    func lostTooOften() {
        let shell = shellWithTask { $0.maxLost = 1 }
        shell.tell(.engineGone(first))
        shell.expect(
            .keepLostAttempt(shell.loss(0, on: 0)), shell.lostWarning(0, startedTasks: 1),
            shell.handed(0, to: 1, attempt: 2))
        shell.launch(2)
        shell.tell(.engineGone(second))
        shell.expect(
            .recordLost(shell.loss(0, on: 1, attempt: 2)), .warn(.taskGivenUp(TaskID(0), losses: 2)),
            shell.lostWarning(1, startedTasks: 1), .abandon(EngineID(2)), .awaitRows)
        shell.tell(.rowsWritten)
        shell.expect(.finish(.completed))
        #expect(shell.scheduler.totals.lost == 1)
        #expect(shell.scheduler.totals.failed == 1)
    }

    @Test("runs a task again, as another attempt, that its engine ended by itself")
    func endedByLease() {
        let shell = shellWithTask { $0.maxLost = 1 }
        shell.finish(0, on: 0, .stopped)
        shell.expect(.keepAttempt(shell.row(0, on: 0, .stopped)), shell.handed(0, to: 1, attempt: 2))
        let lost = shell.loss(0, on: 1, attempt: 2)
        shell.finish(0, on: 1, .stopped)
        shell.expect(
            .recordLost(lost), .warn(.taskGivenUp(TaskID(0), losses: 2)), .shutDown(first), .shutDown(second))
    }

    @Test("gives what a context's end cuts short to others, and counts no loss")
    func contextEnds() {
        let shell = shellWithTask { $0.maxLost = 0 }
        shell.tell(.contextOpened(ContextID(1), taskLimit: nil))
        shell.expect()
        shell.tell(.engineLaunched(EngineID(2), in: ContextID(1), node: "n2", leased: true))
        shell.tell(.contextEnding(ContextID(0)))
        shell.expect(.recall(first, count: 1), .shutDown(second), .endTasks(first, atOnce: false))
        shell.tell(.contextEnding(ContextID(0)))
        shell.expect(.endTasks(first, atOnce: true))
        shell.finish(0, on: 0, .stopped)
        shell.expect(.keepAttempt(shell.row(0, on: 0, .stopped)), .shutDown(first))
        shell.join(2)
        shell.expect(shell.handed(0, to: 2, attempt: 2))
        shell.tell(.engineGone(first))
        shell.tell(.engineGone(second))
        shell.finish(0, on: 2)
        shell.expect(.record(shell.row(0, on: 2, attempt: 2)), .shutDown(EngineID(2)))
        shell.leave(2, ending: .completed)
    }

    @Test("is drained where a context's end leaves no engine, whether they go in order or are lost", arguments: [0, 1])
    func lastContextEnds(lost: Int) {
        let shell = shellWithTask { $0.maxLost = 0 }
        shell.tell(.contextEnding(ContextID(0)))
        shell.expect(.recall(first, count: 1), .shutDown(second), .endTasks(first, atOnce: false))
        shell.tell(.engineGone(second))
        if lost == 0 {
            shell.finish(0, on: 0, .stopped)
            shell.expect(.keepAttempt(shell.row(0, on: 0, .stopped)), .shutDown(first))
            shell.leave(0, ending: .drained)
            #expect(shell.hasTasksLeft)
            return
        }
        shell.tell(.engineGone(first))
        shell.expect(
            .recordLost(shell.loss(0, on: 0)), .warn(.taskGivenUp(TaskID(0), losses: 1)),
            shell.lostWarning(0, startedTasks: 1), .awaitRows)
        shell.tell(.rowsWritten)
        shell.expect(.finish(.completed))
    }

    @Test("ends what runs at a first failure, if asked to")
    func failFast() {
        let shell = RecordingShell { $0.failsFast = true }
        shell.read(TaskItem.tasks(0...2))
        shell.launch(0)
        shell.join(0, slots: 2)
        shell.expect(shell.handed(0, to: 0), shell.handed(1, to: 0))
        shell.finish(0, on: 0, .bad)
        shell.expect(
            .record(shell.row(0, on: 0, .bad)), .warn(.failedFast(TaskID(0))), .endTasks(first, atOnce: false))
        shell.finish(1, on: 0, .stopped)
        shell.expect(.keepAttempt(shell.row(1, on: 0, .stopped)), .shutDown(first))
        shell.leave(0, ending: .failedFast)
        #expect(shell.hasTasksLeft)
    }

    @Test("ends what runs at an interrupt, and at once at the second")
    func interruptTwice() {
        let shell = shellWithTask { _ in }
        shell.tell(.stopRequested(.interrupted(signal: 2)))
        shell.expect(.endTasks(first, atOnce: false), .shutDown(second))
        shell.tell(.stopRequested(.interrupted(signal: 15)))
        shell.expect(.endTasks(first, atOnce: true))
        shell.finish(0, on: 0, .stopped)
        shell.expect(.keepAttempt(shell.row(0, on: 0, .stopped)), .shutDown(first))
        shell.leave(0, 1, ending: .interrupted(signal: 2))
        #expect(shell.hasTasksLeft)
    }

    @Test("doesn't wait for a silent engine's lease when it stops", arguments: [true, false])
    func silentInStop(isSilentBefore: Bool) {
        let shell = shellWithTask { $0.lease = .seconds(1_000_000) }
        if isSilentBefore { shell.tell(.engineSilent(first)) }
        shell.tell(.stopRequested(.interrupted(signal: 2)))
        let givenUp: [SchedulerAction] = [
            .abandon(first), .keepLostAttempt(shell.loss(0, on: 0)), shell.lostWarning(0, startedTasks: 1),
        ]
        if isSilentBefore {
            shell.expect(givenUp[0], givenUp[1], givenUp[2], .shutDown(second))
        } else {
            shell.expect(.endTasks(first, atOnce: false), .shutDown(second))
            shell.tell(.engineSilent(first))
            shell.expect(givenUp[0], givenUp[1], givenUp[2])
        }
        shell.leave(1, ending: .interrupted(signal: 2))
        #expect(shell.hasTasksLeft)
    }

    @Test("doesn't take an engine for lost that closes its channel as it goes")
    func silentAsItGoes() {
        let shell = shellWithTask { $0.lease = .seconds(1_000_000) }
        shell.tell(.stopRequested(.interrupted(signal: 2)))
        shell.expect(.endTasks(first, atOnce: false), .shutDown(second))
        shell.tell(.engineSilent(second))
        shell.expect()
        shell.tell(.engineGone(second))
        #expect(shell.scheduler.totals.enginesLost == 0)
    }

    @Test("gives an engine up that goes silent before it was given anything")
    func silentBeforeJoining() {
        let shell = RecordingShell { $0.lease = .seconds(1_000_000) }
        shell.read(TaskItem.tasks(0...0))
        shell.launch(0)
        shell.tell(.engineSilent(first))
        shell.expect(.abandon(first), .awaitRows)
        #expect(shell.scheduler.totals.enginesLost == 0, "who never came to be is not lost")
        shell.tell(.rowsWritten)
        shell.expect(.finish(.noEngine))
    }

    @Test("abandons an engine that is launched as the run ends")
    func launchedAtTheEnd() {
        let shell = shellWithTask { _ in }
        shell.finish(0, on: 0)
        shell.expect(.record(shell.row(0, on: 0)), .shutDown(first), .shutDown(second))
        shell.launch(2)
        shell.expect(.abandon(EngineID(2)))
        shell.leave(0, 1, ending: .completed)
    }
}
