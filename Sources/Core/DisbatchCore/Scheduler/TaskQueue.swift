/// Tasks that wait to be assigned, in order: those that come back first, then the source's up to the next barrier.
///
/// The queue knows nothing of engines but which one a task stays away from. Its memory does not grow with the task
/// file: the source is read while few items wait (``requestsItems(below:)``).
struct TaskQueue: Sendable {
    /// The barrier at the head of the queue.
    struct PendingBarrier: Equatable, Sendable {
        var barrier: Barrier
        var reached: Instant
        /// Whether all earlier tasks ended and their rows are being written.
        var awaitsRows = false
    }

    /// Items that were read from the source and not digested or handed out yet.
    private var source = RingBuffer<TaskItem>()
    /// Tasks that were handed out before and go first.
    private var again = WaitingTasks()
    /// Tasks that may be what ends their engines: each is run alone, after the others.
    private var suspects = RingBuffer<WaitingTask>()
    /// Whether items were asked for and have not come yet.
    private var isReading = false
    /// The highest number that was read, and one.
    private var numbersRead = 0
    private(set) var sourceEnd: SourceEnd?
    private(set) var pendingBarrier: PendingBarrier?
    private var failedSinceBarrier = false
    private(set) var startCommands: [TaskSpec] = []
    private(set) var stopCommands: [TaskSpec] = []
    /// Whether all per-engine commands were read: another item came to the head of the queue, or the source ended.
    private(set) var commandsAreKnown = false
    /// Tasks that the run's own stop ended or dropped.
    private(set) var droppedTasks = 0

    // MARK: The source

    /// Appends items that the source yielded.
    mutating func append(_ items: [TaskItem]) {
        isReading = false
        for item in items {
            source.append(item)
            switch item {
            case .task(let spec): numbersRead = spec.id.rawValue + 1
            case .barrier(let barrier): numbersRead = barrier.id.rawValue + 1
            case .skipped(let count, _): numbersRead += count
            case .perEngine: break
            }
        }
    }

    /// Notes that the source yields no more.
    mutating func endSource(_ end: SourceEnd) {
        isReading = false
        sourceEnd = end
    }

    /// Whether to read more items now: true once for each reading, while fewer than `lowWaterMark` wait.
    mutating func requestsItems(below lowWaterMark: Int) -> Bool {
        guard sourceEnd == nil, !isReading, source.count < lowWaterMark else { return false }
        isReading = true
        return true
    }

    // MARK: The head

    /// Whether the item at the head is no task, with tasks perhaps behind it.
    var hasUndigestedHead: Bool {
        !isAtBarrier && !source.isEmpty && !isTaskAtHead
    }

    /// Takes the item at the head out, if it is no task; nil where a task, a barrier or nothing is there.
    ///
    /// The queue keeps per-engine commands and the barrier itself; the caller counts skipped tasks.
    mutating func digestHead(at now: Instant) -> TaskItem? {
        guard hasUndigestedHead, let item = source.first else {
            if !source.isEmpty || sourceEnd != nil { commandsAreKnown = true }
            return nil
        }
        switch item {
        case .perEngine(let command): add(command)
        case .task: return nil
        case .barrier(let barrier):
            commandsAreKnown = true
            pendingBarrier = PendingBarrier(barrier: barrier, reached: now)
        case .skipped(_, let failed):
            commandsAreKnown = true
            if failed > 0 { failedSinceBarrier = true }
        }
        _ = source.popFirst()
        return item
    }

    private mutating func add(_ command: PerEngineCommand) {
        switch command.phase {
        case .start: startCommands.append(command.spec)
        case .stop: stopCommands.append(command.spec)
        }
    }

    // MARK: The barrier

    /// Notes that a task has its final result.
    mutating func taskEnded(failed: Bool) {
        if failed { failedSinceBarrier = true }
    }

    /// Whether to wait for the rows of the tasks before the pending barrier: true once, when the last of them ended.
    /// Tasks behind a barrier start after the rows that they rest on are written.
    mutating func beginsAwaitingRows(assignedTasks: Int) -> Bool {
        guard let pending = pendingBarrier, !pending.awaitsRows, assignedTasks == 0, again.isEmpty, suspects.isEmpty
        else { return false }
        pendingBarrier?.awaitsRows = true
        return true
    }

    /// Lets the tasks behind the pending barrier go, now that the rows before it are written. Returns the barrier, and
    /// whether its CHECK found a failed task; nil where no barrier waits for rows.
    mutating func passBarrier() -> (pending: PendingBarrier, checkFailed: Bool)? {
        guard let pending = pendingBarrier, pending.awaitsRows else { return nil }
        let checkFailed = pending.barrier.checks && failedSinceBarrier
        pendingBarrier = nil
        failedSinceBarrier = false
        return (pending, checkFailed)
    }

    // MARK: Tasks

    /// Whether a task may be handed out now, if only to an engine that it does not stay away from.
    var hasTask: Bool { !again.isEmpty || hasNewTask }

    /// Whether a task may be handed out now for the first time.
    var hasNewTask: Bool {
        !isAtBarrier && isTaskAtHead
    }

    private var isAtBarrier: Bool { if case .some = pendingBarrier { true } else { false } }

    /// Whether the source's next item is a task. (Asked at every event, so it copies none: items are large.)
    private var isTaskAtHead: Bool {
        source.firstSatisfies { if case .task = $0 { true } else { false } }
    }

    /// Takes the next task that may go to this engine: those that come back first, then the source's.
    ///
    /// - Parameter engine: nil for any, where a task can't be kept away from the only engine there is.
    mutating func take(for engine: EngineID?) -> WaitingTask? {
        if let task = again.take(for: engine) { return task }
        guard hasNewTask, case .task(let spec)? = source.popFirst() else { return nil }
        return WaitingTask(spec: spec)
    }

    /// Puts a task behind the others that come back.
    mutating func retry(_ task: WaitingTask) { again.append(task) }

    /// Puts a task at the front, or among the suspects.
    mutating func prepend(_ task: WaitingTask) {
        if task.isSuspect { suspects.append(task) } else { again.prepend(task) }
    }

    /// Puts tasks at the front, in this order.
    mutating func prepend(_ tasks: [WaitingTask]) {
        for task in tasks.reversed() { prepend(task) }
    }

    // MARK: Suspects

    /// Whether a suspect may be handed out now: when no other task is left before the next barrier, for now.
    var hasSuspectOnly: Bool { !suspects.isEmpty && !hasTask }

    /// Takes the next suspect, unless it stays away from this engine; nil for any, as for ``take(for:)``.
    mutating func takeSuspect(for engine: EngineID?) -> WaitingTask? {
        if let engine, suspects.first?.avoided == engine { return nil }
        return suspects.popFirst()
    }

    /// Clears the tasks that wait as suspects: another was what ended their engines.
    mutating func pardonSuspects() {
        while let task = suspects.popFirst() { again.append(task.pardoned) }
    }

    // MARK: What is left

    /// Whether nothing waits, and no barrier is to be passed.
    var isEmpty: Bool { source.isEmpty && again.isEmpty && suspects.isEmpty && !isAtBarrier }

    /// Whether nothing waits, and nothing will be read any more.
    var isExhausted: Bool { sourceEnd != nil && isEmpty }

    /// Whether tasks that this run should have come to were not run.
    var hasTasksLeft: Bool { sourceEnd == nil || sourceEnd == .limited || !isEmpty || droppedTasks > 0 }

    /// Drops the tasks that would come back.
    mutating func dropReturning() {
        droppedTasks += again.count + suspects.count
        again.removeAll()
        suspects.removeAll()
    }

    /// Notes that the run's own stop ended a task that an engine had.
    mutating func noteDropped() { droppedTasks += 1 }

    /// Tasks that could be run now, if there were slots: those behind a barrier could not. Nil where more may be in the
    /// source.
    var startableCount: Int? {
        let returning = again.count + suspects.count
        guard pendingBarrier == nil else { return returning }
        var count = returning
        for index in 0..<source.count {
            switch source[index] {
            case .task: count += 1
            case .barrier: return count
            case .perEngine, .skipped: break
            }
        }
        return sourceEnd == nil ? nil : count
    }

    /// Whether a task's number was read.
    func hasRead(_ task: TaskID) -> Bool { task.rawValue < numbersRead }

    /// Whether a task waits, for the first time or again. (Looks at all.)
    func contains(_ task: TaskID) -> Bool {
        again.contains(task) || (0..<suspects.count).contains { suspects[$0].spec.id == task }
            || (0..<source.count).contains { index in
                if case .task(let spec) = source[index] { spec.id == task } else { false }
            }
    }

    // MARK: Invariants

    /// The first invariant of the queue that is broken, or nil: all must hold after each event.
    ///
    /// - Parameter isRunning: whether the run still hands tasks out, so that everything before the next task or barrier
    ///   was digested.
    func checkInvariants(isRunning: Bool) -> String? {
        if let pending = pendingBarrier {
            if isRunning, case .perEngine = source.first { return "a per-engine command behind a barrier" }
            if pending.awaitsRows, !again.isEmpty || !suspects.isEmpty {
                return "\(again.count + suspects.count) tasks come back before a barrier that was met"
            }
            if !commandsAreKnown { return "a barrier before the last per-engine command" }
        }
        if isRunning, hasUndigestedHead { return "an item that is no task was left at the head" }
        for index in 0..<source.count {
            guard case .task(let spec) = source[index], !hasRead(spec.id) else { continue }
            return "task \(spec.id.rawValue) waits, and \(numbersRead) numbers were read"
        }
        return nil
    }
}
