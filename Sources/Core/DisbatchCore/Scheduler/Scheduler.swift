/// The options that are the scheduler's.
package struct SchedulerConfiguration: Equatable, Sendable {
    /// Further attempts at a task that fails (`--retries`).
    package var retries = 0
    /// Further attempts at a task whose engine was lost (`--max-lost`).
    package var maxLost = 3
    package var failsFast = false
    /// Whether an engine whose START command failed is left unused (`--strict-start`).
    package var isStartStrict = false
    /// Number of tasks in a row that fail at once, while others' succeed, after which an engine is given no more; nil:
    /// never.
    package var quarantineAfter: Int?
    /// Time for which the tasks of leased engines live after the last lease token; nil: no engine is leased.
    package var lease: Duration?
    /// Time that the driver waits beyond the lease before it gives an engine's tasks to others.
    package var leaseGrace = Duration.seconds(10)
    package var heartbeat = Duration.seconds(10)
    /// Time that an engine may take to go after it was told to, and a STOP command in a run that ends early.
    package var closingPatience = Duration.seconds(30)
    package var earlyStopLimit = Duration.seconds(10)
    /// The longest that a START command may run (`--start-timeout`); nil for no limit.
    package var startTimeout: Duration? = .seconds(600)
    /// Number of waiting items below which the source is read.
    package var lowWaterMark = 1024

    package init() {}
}

/// Decides what runs where: a value without clock, random or I/O. Like the ``DriverMachine``, it can't be copied.
///
/// Events go in by ``handle(_:at:into:)``, actions come out; the driver's loop performs them, the simulator plays
/// them. After any event the invariants of ``checkInvariants()`` hold.
package struct Scheduler: ~Copyable, Sendable {
    /// The stages of a run.
    enum Phase: Equatable, Sendable {
        /// Tasks are handed out. Next: any below.
        case running
        /// Nothing new starts; what runs may end. Next: ``stopping``, ``closing``.
        case draining
        /// Tasks that run are being ended. Next: ``closing``.
        case stopping
        /// No task is left on any engine; engines run STOP commands and go. Next: ``flushing``.
        case closing
        /// All engines are gone; the last rows are being written. Next: ``finished``.
        case flushing
        case finished
    }

    struct ContextState: Equatable, Sendable {
        /// Assignments that `-C` still allows; nil without a limit.
        var assignmentsLeft: Int?
        /// Whether the context is to start nothing more, on engines to come either.
        var isDrained = false
        /// Whether engines may go before the run ends, and the node whose engine may not.
        var retires = false
        var home: String?
        /// Whether engines may yet come to the context.
        var mayGrow = false
        /// Whether the context's time is nearly over: an end of its tasks then does not count against them.
        var isEnding = false

        /// Gives back to `-C` what an assignment took that came to nothing.
        mutating func regainAssignment() { assignmentsLeft = assignmentsLeft.map { $0 + 1 } }
    }

    let configuration: SchedulerConfiguration
    var phase = Phase.running
    /// The ending that the run will have; the first cause decides.
    var ending: RunEnding?

    /// The tasks that wait, in which order, and which a barrier holds back.
    var queue = TaskQueue()
    /// The engines, and which of them can take a task.
    var pool = EnginePool()
    /// The assignments that engines have.
    var inFlight = InFlightTable()
    var commandWatch = CommandWatch()
    /// Assignments that were given up with their engine, for a late report of them.
    var givenUp: [EngineID: [AssignmentID: RecordedTask]] = [:]
    var contexts: [ContextID: ContextState] = [:]
    /// Whether a context has a limit of assignments (`-C`).
    var hasLimits = false
    /// Whether contexts may yet come: then a run without engines waits for them. Nil where that was never said.
    var expectsContexts: Bool?
    /// Whether lost engines would be launched again: then a run without engines waits for them.
    var expectsEngines = false
    /// Whether no task is handed out for now.
    var isHeld = false
    var nextHeartbeat = Instant(nanoseconds: 0)
    package internal(set) var totals = RunTotals()

    package init(configuration: SchedulerConfiguration) {
        self.configuration = configuration
    }

    /// Handles one event and appends what is to be done, in this order, to `actions`.
    package mutating func handle(
        _ event: SchedulerEvent, at now: Instant, into actions: inout ActionList
    ) {
        guard phase != .finished else { return }
        switch event {
        case .itemsRead(let items): queue.append(items)
        case .sourceEnded(let end): endSource(end)
        case .contextOpened(let context, let limit):
            contexts[context] = ContextState(assignmentsLeft: limit)
            hasLimits = hasLimits || limit != nil
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
        case .leaseAcknowledged(let engine, let sentAt): acknowledged(engine, sentAt: sentAt, at: now, into: &actions)
        case .engineSilent(let engine): silent(engine, at: now, into: &actions)
        case .engineGone(let engine): gone(engine, at: now, into: &actions)
        case .rowsWritten: rowsWritten(at: now, into: &actions)
        case .drainRequested(let scope): drain(scope, at: now, into: &actions)
        case .contextEnding(let context): endContext(context, at: now, into: &actions)
        case .stopRequested(let reason): stop(reason, at: now, into: &actions)
        case .startingHeld(let isSo):
            isHeld = isSo
            guard isSo else { break }
            for index in pool.all() where pool[index].life == .active {
                recall(pool[index].occupying, from: index, into: &actions)
            }
        case .woke: giveLeasesAnew(at: now, into: &actions)
        case .timePassed: break
        }
        keepLeases(at: now, into: &actions)
        watchCommands(at: now, into: &actions)
        advance(at: now, into: &actions)
    }

    /// When to tell ``SchedulerEvent/timePassed`` at the latest.
    package var nextDeadline: Instant {
        phase == .finished || pool.liveCount == 0 ? .distantFuture : min(nextHeartbeat, commandWatch.nextDeadline)
    }

    /// Whether tasks are being handed out, or would be if there were any.
    package var isRunning: Bool { phase == .running }

    /// Whether tasks that this run should have come to were not run.
    package var hasTasksLeft: Bool { queue.hasTasksLeft }

    /// The end that the source came to; nil while more may be read.
    package var sourceEnd: SourceEnd? { queue.sourceEnd }

    /// Looks at engines that an event was not about: their number per event must not grow with the number of engines.
    package var looks: Int { pool.looks }

    /// Time for which an engine's tasks live after a lease token; nil where they need none.
    package func lease(of engine: EngineID) -> Duration? {
        pool.index(of: engine).flatMap { pool[$0].isLeased ? configuration.lease : nil }
    }

    /// The task of an assignment, and which attempt at it this is; nil where no engine has it any more.
    package func task(of assignment: AssignmentID) -> (spec: TaskSpec, attempt: Int)? {
        guard let entry = inFlight[assignment], entry.kind == .task else { return nil }
        return (entry.task.spec, entry.task.attempt)
    }

    /// The task of an assignment, if it is this engine's.
    package func task(of assignment: AssignmentID, assignedTo engine: EngineID) -> (spec: TaskSpec, attempt: Int)? {
        inFlight[assignment]?.engine == engine ? task(of: assignment) : nil
    }

    /// Tasks that run now, as far as is known: each engine starts its assignments as its slots become free.
    package var runningCount: Int {
        pool.engines.reduce(0) { $1.isLive ? $0 + min($1.occupying, $1.slots) : $0 }
    }

    /// Assignments of an engine, those that wait there too.
    package func assignedCount(of engine: EngineID) -> Int {
        pool.index(of: engine).map { pool[$0].assigned.count } ?? 0
    }

    /// Tasks that are assigned to engines.
    package var assignedCount: Int { inFlight.taskCount }

    /// Takes the step that the state now allows: barriers, assignments, recalls, reading, the end.
    private mutating func advance(at now: Instant, into actions: inout ActionList) {
        switch phase {
        case .running:
            repeat {
                digestSource(at: now, into: &actions)
                guard phase == .running else { return advance(at: now, into: &actions) }
                if !isHeld { assignWaiting(at: now, into: &actions) }
            } while queue.hasUndigestedHead
            if !isHeld {
                // An idle slot for which the queue has nothing gets what waits on another engine.
                while let (index, count) = pool.nextToRecall() { recall(count, from: index, into: &actions) }
                retireIdle(at: now, into: &actions)
            }
            if queue.requestsItems(below: configuration.lowWaterMark) { actions.order(.readItems) }
            endIfNothingRemains(at: now, into: &actions)
        case .draining, .stopping:
            closeIfEmpty(at: now, into: &actions)
        case .closing:
            guard pool.liveCount == 0 else { return }
            phase = .flushing
            actions.order(.awaitRows)
        case .flushing, .finished: break
        }
    }
}
