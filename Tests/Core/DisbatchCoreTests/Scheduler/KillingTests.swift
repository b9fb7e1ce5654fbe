import Testing

@testable import DisbatchCore

@Suite("Scheduler, when the user ends one task")
struct KillingTests {
    private let first = EngineID(0)
    private static let killed = TaskOutcome.ended(-15, .killed)

    /// One engine of one slot that holds the first of these tasks.
    private func shell(_ tasks: Int = 1, _ configure: (inout SchedulerConfiguration) -> Void = { _ in })
        -> RecordingShell
    {
        let shell = RecordingShell(configure)
        shell.read(TaskItem.tasks(0...tasks - 1))
        shell.launch(0)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        return shell
    }

    @Test(
        "tells its engine, at once when asked again, and does not run it again", arguments: [TaskOutcome.bad, killed])
    func noRetry(outcome: TaskOutcome) {
        let shell = shell { $0.retries = 5 }
        shell.tell(.killRequested(TaskID(0)))
        shell.expect(.endTask(first, shell.id(of: 0), atOnce: false))
        shell.tell(.killRequested(TaskID(0)))
        shell.expect(.endTask(first, shell.id(of: 0), atOnce: true))
        shell.finish(0, on: 0, outcome)
        shell.expect(.record(shell.row(0, on: 0, outcome)), .shutDown(first))
        #expect(shell.scheduler.totals.failed == 1)
        shell.leave(0, ending: .completed)
    }

    @Test("lets a task that ended well all the same have succeeded")
    func success() {
        let shell = shell()
        shell.tell(.killRequested(TaskID(0)))
        shell.expect(.endTask(first, shell.id(of: 0), atOnce: false))
        shell.finish(0, on: 0)
        shell.expect(.record(shell.row(0, on: 0)), .shutDown(first))
        #expect(shell.scheduler.totals.failed == 0)
        shell.leave(0, ending: .completed)
    }

    @Test("gives a task up whose engine is lost meanwhile")
    func lost() {
        let shell = shell { $0.maxLost = 5 }
        shell.launch(1)
        shell.join(1)
        shell.tell(.killRequested(TaskID(0)))
        shell.expect(.endTask(first, shell.id(of: 0), atOnce: false))
        let lost = shell.loss(0, on: 0)
        shell.tell(.engineGone(first))
        shell.expect(.recordLost(lost), shell.lostWarning(0, startedTasks: 1), .shutDown(EngineID(1)))
        #expect(shell.scheduler.totals.failed == 1)
        shell.leave(1, ending: .completed)
    }

    @Test("tells nothing to an engine that is silent, and gives the task up with it")
    func silent() {
        let shell = shell { $0.lease = .seconds(60) }
        shell.tell(.engineSilent(first))
        shell.tell(.killRequested(TaskID(0)))
        shell.expect()
        #expect(shell.scheduler.standing(of: TaskID(0)).assigned?.isOutOfReach == true)
        let lost = shell.loss(0, on: 0)
        shell.tell(.engineGone(first))
        shell.expect(.recordLost(lost), shell.lostWarning(0, startedTasks: 1), .awaitRows)
    }

    @Test("gives a row to what the run's stop ends after the user wanted it to end")
    func stopped() {
        let shell = shell()
        shell.tell(.killRequested(TaskID(0)))
        shell.expect(.endTask(first, shell.id(of: 0), atOnce: false))
        shell.tell(.stopRequested(.interrupted(signal: 2)))
        shell.expect(.endTasks(first, atOnce: false))
        shell.finish(0, on: 0, .stopped)
        shell.expect(.record(shell.row(0, on: 0, .stopped)), .shutDown(first))
    }

    @Test(
        "records a task as ended that its engine had not started, whichever way it comes back",
        arguments: [true, false])
    func unstarted(isWithdrawn: Bool) {
        let shell = shell(3)
        shell.finish(0, on: 0, .quick)
        shell.expect(.record(shell.row(0, on: 0, .quick)), shell.handed(1, to: 0), shell.handed(2, to: 0))
        shell.tell(.killRequested(TaskID(2)))
        let id = shell.id(of: 2)
        shell.expect(.endTask(first, id, atOnce: false))
        shell.tell(isWithdrawn ? .assignmentWithdrawn(first, id) : .assignmentsReturned(first, [id]))
        var lost = shell.loss(2, on: 0)
        lost.assigned = shell.now
        lost.ending = .killed
        shell.expect(.recordLost(lost))
        #expect(lost.outcome(start: Timestamp(microseconds: 1), finish: Timestamp(microseconds: 1)).returnCode == -15)
        #expect(shell.scheduler.totals.failed == 1 && shell.scheduler.totals.lost == 0)
        shell.tell(.assignmentWithdrawn(first, id))
        shell.finish(1, on: 0, .quick)
        shell.expect(.record(shell.row(1, on: 0, .quick)), .shutDown(first))
        shell.leave(0, ending: .completed)
    }

    @Test("knows where each task stands")
    func standings() {
        let shell = RecordingShell { $0.retries = 1 }
        shell.tell(.contextOpened(ContextID(0), taskLimit: nil))
        shell.expect(.readItems)
        let barrier = Barrier(id: TaskID(2), streamIndex: 3, checks: false, key: nil, line: [])
        shell.tell(.itemsRead([.skipped(count: 1, failed: 0), .task(.task(1)), .barrier(barrier), .task(.task(3))]))
        shell.expect(.readItems)
        shell.launch(0, 1)
        shell.join(0)
        shell.expect(shell.handed(1, to: 0))
        func standing(_ task: Int) -> TaskStanding { shell.scheduler.standing(of: TaskID(task)) }
        #expect(standing(0) == .ended)
        #expect(standing(1).assigned?.engine == first && standing(1).assigned?.hasStarted == false)
        #expect(standing(3) == .waiting)
        #expect(standing(4) == .unread)
        shell.tell(.taskStarted(first, shell.id(of: 1)))
        #expect(standing(1).assigned?.hasStarted == true)
        // It would be run again, but not on this engine as long as another may come.
        shell.finish(1, on: 0, .bad)
        shell.expect(.keepAttempt(shell.row(1, on: 0, .bad)), shell.handed(1, to: 0, attempt: 2))
        shell.tell(.filesAwaited(first, shell.id(of: 1)))
        #expect(standing(1).assigned?.isStaging == true)
        shell.tell(.killRequested(TaskID(1)))
        shell.expect()
        for task in [0, 3, 4] {
            shell.tell(.killRequested(TaskID(task)))
            shell.expect()
        }
    }

    @Test("sees no sign of a bad node in it")
    func quarantine() {
        let shell = RecordingShell { $0.quarantineAfter = 1 }
        shell.read(TaskItem.tasks(0...2))
        shell.launch(0, 1)
        shell.join(0)
        shell.expect(shell.handed(0, to: 0))
        shell.join(1)
        shell.expect(shell.handed(1, to: 1))
        let quick = TaskOutcome.ended(-15, .killed, milliseconds: 100)
        shell.finish(1, on: 1)
        shell.expect(.record(shell.row(1, on: 1)), shell.handed(2, to: 1))
        shell.tell(.killRequested(TaskID(0)))
        shell.expect(.endTask(first, shell.id(of: 0), atOnce: false))
        shell.finish(0, on: 0, quick)
        shell.expect(.record(shell.row(0, on: 0, quick)))
        #expect(shell.scheduler.shownEngine(0).state == .active)
    }
}

extension TaskStanding {
    fileprivate var assigned: AssignedTask? { if case .assigned(let task) = self { task } else { nil } }
}
