/// What a run's user asked of the scheduler.
package struct SchedulerConfiguration: Sendable {
    /// How many more times a failed task is run (`--retries`).
    package var retries = 0
    /// How many times a task is run again after its engine was lost (`--max-lost`).
    package var maxLost = 3
    package var failsFast = false
    /// Whether an engine whose START command failed is left unused (`--strict-start`).
    package var isStartStrict = false
    /// An engine whose last so many tasks all failed at once, while others' succeed, is given no more; nil: never.
    package var quarantineAfter: Int?
    /// How long the tasks of leased engines live after the last lease token; nil: no engine is leased.
    package var lease: Duration?
    /// How much longer than the lease the driver waits before it gives an engine's tasks to others.
    package var leaseGrace = Duration.seconds(10)
    package var heartbeat = Duration.seconds(10)
    /// How long an engine may take to go after it was told to, and a STOP command in a run that ends early.
    package var closingPatience = Duration.seconds(30)
    package var earlyStopLimit = Duration.seconds(10)
    /// The source is read while fewer items than this wait.
    package var lowWaterMark = 1024

    package init() {}
}

/// Decides what runs where: a value without clock, random or I/O.
///
/// Events go in by ``handle(_:at:into:)``, actions come out; the driver's loop performs them, the simulator plays
/// them. After any event the invariants of ``checkInvariants()`` hold.
package struct Scheduler: Sendable {
    /// What the run is about now.
    enum Phase: Equatable, Sendable {
        /// Tasks are handed out. Next: any below.
        case running
        /// Nothing new starts; what runs may end. Next: ``stopping``, ``closing``.
        case draining
        /// What runs is being ended. Next: ``closing``.
        case stopping
        /// No task is left on any engine; engines run STOP commands and go. Next: ``flushing``.
        case closing
        /// All engines are gone; the last rows are being written. Next: ``finished``.
        case flushing
        case finished
    }

    /// The barrier at the head of the queue.
    struct PendingBarrier: Equatable, Sendable {
        var barrier: Barrier
        var reached: Instant
        /// Whether all earlier tasks ended and their rows are being written.
        var awaitsRows = false
    }

    struct ContextState: Equatable, Sendable {
        /// How many more assignments `-C` allows; nil without a limit.
        var assignmentsLeft: Int?
        /// Whether it is to start nothing more, on engines to come either.
        var isDrained = false
        /// Whether engines may go before the run ends, and the node whose engine may not.
        var retires = false
        var home: String?
        /// Whether engines may yet come to it.
        var mayGrow = false
        /// Whether its time is nearly over: tasks that are ended there are no worse for it.
        var isEnding = false
    }

    let configuration: SchedulerConfiguration
    var phase = Phase.running
    /// How the run will have ended; settled by the first cause.
    var ending: RunEnding?

    var source = RingBuffer<TaskItem>()
    var isReading = false
    /// One more than the highest number that was read.
    var numbersRead = 0
    package internal(set) var sourceEnd: SourceEnd?
    /// Tasks that were handed out before and go first.
    var again = WaitingTasks()
    var pendingBarrier: PendingBarrier?
    var failedSinceBarrier = false
    /// Tasks that the run's own stop ended or dropped.
    var droppedTasks = 0

    /// Whether contexts may yet come: then a run without engines waits for them. Nil where that was never said.
    var expectsContexts: Bool?
    /// Whether lost engines would be launched again: then a run without engines waits for them.
    var expectsEngines = false
    var engines: [EngineState] = []
    var contexts: [ContextID: ContextState] = [:]
    var inFlight = InFlightTable()
    var tasksInFlight = 0
    /// What assignments were of that were given up with their engine, for a late report of them.
    var givenUp: [EngineID: [AssignmentID: RecordedTask]] = [:]
    /// Engines that may have idle slots, may take tasks ahead, may hold waiting ones; looked at again when taken out.
    var idleRing = RingBuffer<Int>()
    var hungryRing = RingBuffer<Int>()
    var aheadRing = RingBuffer<Int>()
    var idleSlots = 0
    var acceptingEngines = 0
    var liveEngines = 0
    var recallsPending = 0
    /// Engines that held nothing when they were settled last, and may go if they still do; and whether to look at
    /// them: one has come, or there may be nothing left for them.
    var restRing = RingBuffer<Int>()
    var looksForIdle = false
    /// Whether the last engine to go had been told to.
    var lastEngineLeftInOrder = false

    /// Tasks that succeeded, for ``noteHealth(of:_:at:into:)``.
    var successes = 0

    var startCommands: [TaskSpec] = []
    var stopCommands: [TaskSpec] = []
    /// Whether all per-engine commands are known: something else was read, or the end.
    var headIsKnown = false

    var nextHeartbeat = Instant(nanoseconds: 0)
    package internal(set) var totals = RunTotals()
    /// How often an engine was looked at that the event was not about: what must not grow with the number of engines.
    package internal(set) var looks = 0

    package init(configuration: SchedulerConfiguration) {
        self.configuration = configuration
    }

    /// Takes in one event and appends what is to be done, in this order, to `actions`.
    package mutating func handle(
        _ event: SchedulerEvent, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        guard phase != .finished else { return }
        switch event {
        case .itemsRead(let items): readItems(items)
        case .sourceEnded(let end): endSource(end)
        case .contextOpened(let context, let limit): contexts[context] = ContextState(assignmentsLeft: limit)
        case .contextsExpected(let isSo): expectsContexts = isSo
        case .enginesExpected(let isSo): expectsEngines = isSo
        case .contextMayGrow(let context, let isSo): contexts[context]?.mayGrow = isSo
        case .retirementAllowed(let context, let home):
            allowRetirement(of: context, keeping: home)
        case .engineLaunched(let engine, let context, let node, let leased):
            launched(
                EngineState(id: engine, context: context, node: node, isLeased: leased), at: now, into: &actions)
        case .engineJoined(let engine, let slots, let roundTrip):
            joined(engine, slots: slots, roundTrip: roundTrip, at: now, into: &actions)
        case .taskStarted(_, let assignment): inFlight.markStarted(assignment)
        case .filesAwaited(let engine, let assignment): filesAwaited(assignment, on: engine)
        case .taskFinished(let engine, let assignment, let cylinder, let outcome):
            finished(assignment, on: engine, cylinder: cylinder, outcome, at: now, into: &actions)
        case .assignmentsReturned(let engine, let assignments):
            returned(assignments, from: engine, at: now, into: &actions)
        case .assignmentWithdrawn(let engine, let assignment):
            withdrawn(assignment, by: engine, at: now, into: &actions)
        case .killRequested(let task): kill(task, into: &actions)
        case .leaseAcknowledged(let engine, let sentAt): acknowledged(engine, sentAt: sentAt, at: now)
        case .engineSilent(let engine): silent(engine, at: now, into: &actions)
        case .engineGone(let engine): gone(engine, at: now, into: &actions)
        case .rowsWritten: rowsWritten(at: now, into: &actions)
        case .drainRequested(let scope): drain(scope, at: now, into: &actions)
        case .contextEnding(let context): endContext(context, at: now, into: &actions)
        case .stopRequested(let reason): stop(reason, at: now, into: &actions)
        case .woke: giveLeasesAnew(at: now, into: &actions)
        case .timePassed: break
        }
        keepLeases(at: now, into: &actions)
        advance(at: now, into: &actions)
    }

    /// When to tell ``SchedulerEvent/timePassed`` at the latest.
    package var nextDeadline: Instant {
        phase == .finished || liveEngines == 0 ? .distantFuture : nextHeartbeat
    }

    /// Whether tasks are being handed out, or would be if there were any.
    package var isRunning: Bool { phase == .running }

    /// Whether tasks that this run should have come to were not run.
    package var hasTasksLeft: Bool {
        sourceEnd == nil || sourceEnd == .limited || !source.isEmpty || !again.isEmpty || pendingBarrier != nil
            || droppedTasks > 0
    }

    /// How long an engine's tasks live after a lease token; nil where they need none.
    package func lease(of engine: EngineID) -> Duration? {
        index(of: engine).flatMap { engines[$0].isLeased ? configuration.lease : nil }
    }

    /// The task, and which attempt at it, of an assignment that an engine holds.
    package func task(of assignment: AssignmentID) -> (spec: TaskSpec, attempt: Int)? {
        guard let entry = inFlight[assignment], entry.kind == .task else { return nil }
        return (entry.task.spec, entry.task.attempt)
    }

    /// The same, if it is this engine that holds it.
    package func task(of assignment: AssignmentID, heldBy engine: EngineID) -> (spec: TaskSpec, attempt: Int)? {
        inFlight[assignment]?.engine == engine ? task(of: assignment) : nil
    }

    /// Tasks that run now, as far as is known: each engine starts what it holds as its slots become free.
    package var runningCount: Int {
        engines.reduce(0) { $1.isLive ? $0 + min($1.occupying, $1.slots) : $0 }
    }

    /// How many tasks an engine holds, those that wait there too.
    package func heldCount(of engine: EngineID) -> Int { index(of: engine).map { engines[$0].held.count } ?? 0 }

    /// Tasks that engines hold.
    package var assignedCount: Int { tasksInFlight }

    /// Takes the step that the state now allows: barriers, assignments, recalls, reading, the end.
    private mutating func advance(at now: Instant, into actions: inout [SchedulerAction]) {
        switch phase {
        case .running:
            repeat {
                digestSource(at: now, into: &actions)
                guard phase == .running else { return advance(at: now, into: &actions) }
                assignWaiting(at: now, into: &actions)
            } while hasUndigestedHead
            recallForIdle(into: &actions)
            retireIdle(at: now, into: &actions)
            requestItems(into: &actions)
            endIfNothingRemains(at: now, into: &actions)
        case .draining, .stopping:
            closeIfEmpty(at: now, into: &actions)
        case .closing:
            guard liveEngines == 0 else { return }
            phase = .flushing
            actions.append(.awaitRows)
        case .flushing, .finished: break
        }
    }
}
