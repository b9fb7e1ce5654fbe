/// Something that happened on an engine's node, as its machine is told of it.
package enum EngineEvent: Equatable, Sendable {
    case assigned(Assignment)
    case recalled(count: Int)
    case leaseRenewed(sentAt: Instant, lease: Duration?)
    case endTasksRequested(atOnce: Bool)
    /// The user wants one task to end.
    case killRequested(AssignmentID, atOnce: Bool)
    case shutDownRequested
    case spawned(cylinder: Int, pid: Int32)
    case spawnFailed(cylinder: Int)
    case exited(cylinder: Int, ProcessResult)
    /// Both of a task's streams came to their ends.
    case outputEnded(cylinder: Int)
    /// The driver's channel or the guard is gone: nothing may live on.
    case orphaned
    case timePassed
}

/// How a task's process ended, before the engine judges it.
package enum ProcessResult: Equatable, Sendable {
    case exited(status: Int32)
    case signalled(Int32)

    /// The return code that the status file shows.
    package var returnCode: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let number): -number
        }
    }
}

/// Something for an engine to do. A cylinder is a slot from 0; the one past the last is for per-engine commands.
package enum EngineAction: Equatable, Sendable {
    case start(cylinder: Int, Assignment)
    /// SIGTERM to the task's process group.
    case terminate(cylinder: Int)
    /// SIGKILL to the task's process group and all its descendants.
    case kill(cylinder: Int)
    /// Read no more of the task's output: a process that keeps it open can't hold the task up any longer.
    case stopReading(cylinder: Int)
    /// Report the task in this cylinder, which is free from now on.
    case finish(cylinder: Int, Assignment, returnCode: Int32, Ending)
    case giveBack([AssignmentID])
    /// Tell that a task that was to end had not been started, and won't be.
    case withdraw(AssignmentID)
    case acknowledgeLease(sentAt: Instant)
    /// No task is left: leave, with 0 if that was asked for.
    case exit(status: Int32)
}

/// Decides for one engine what runs in which cylinder, and when something has to end. Pure, as ``Scheduler`` is.
package struct EngineMachine: Sendable {
    /// The states of a cylinder.
    enum Cylinder: Equatable, Sendable {
        /// Next: ``starting(_:)``.
        case idle
        /// A process is being started. Next: ``running(_:end:)``, ``idle``.
        case starting(Assignment, end: EndRequest?)
        /// The process runs, to end by `deadline`, if there is one. Next: ``ending(_:_:killAt:)``, ``drainingOutput``.
        case running(Assignment, deadline: Instant?)
        /// The process was told to end, and is killed at `killAt`. Next: ``drainingOutput``.
        case ending(Assignment, Ending, killAt: Instant)
        /// The process ended; its output is still open, and is waited for until `until`. Next: ``idle``.
        case drainingOutput(Assignment, Ending, ProcessResult, until: Instant)
    }

    /// A wish that a process end as soon as it has started, and the reason.
    struct EndRequest: Equatable, Sendable {
        var reason: Ending
        var atOnce: Bool
    }

    /// Time for which a task whose process ended waits for others that keep its output open, as in disBatch.
    static let outputPatience = Duration.seconds(5)
    /// A time for an answer of the driver that says nothing of the way: less than the grace that it gives a lease.
    static let usualAnswer = Duration.seconds(1)

    private let slots: Int
    private let settings: TaskSettings
    private(set) var cylinders: [Cylinder]
    private var idleCylinders: [Int]
    private var waiting = RingBuffer<Assignment>()
    private var outputOpen: [Bool]
    private var leaseEnd = Instant.distantFuture
    /// Our clock less the driver's, at most the quickest token's way too large.
    private var clockOffset = Duration.nanoseconds(Int64.max)
    /// The most by which that can be too large: a token is only sent once what was said before was heard.
    private var offsetError = Duration.nanoseconds(Int64.max)
    /// When the driver was last told something that it answers by a token: the greeting, and each acknowledgement.
    private var toldDriver: Instant
    private var leaves = false
    private var exitStatus: Int32 = 0
    private var hasExited = false
    /// The earliest thing that time will bring, where known; recomputed when it passed.
    package private(set) var nextDeadline = Instant.distantFuture

    /// - Parameter greeted: when the driver was greeted.
    package init(slots: Int, settings: TaskSettings, greeted: Instant) {
        toldDriver = greeted
        self.slots = slots
        self.settings = settings
        cylinders = Array(repeating: .idle, count: slots + 1)
        outputOpen = Array(repeating: false, count: slots + 1)
        idleCylinders = Array((0..<slots).reversed())
    }

    /// The cylinder that runs per-engine commands.
    package var commandCylinder: Int { slots }

    /// Whether no process is running or being started.
    package var isIdle: Bool { cylinders.allSatisfy { $0 == .idle } }

    /// Tasks that wait here because no slot is free.
    package var waitingCount: Int { waiting.count }

    /// The assignment that a cylinder is busy with, or nil.
    package func assignment(in cylinder: Int) -> Assignment? {
        switch cylinders[cylinder] {
        case .idle: nil
        case .starting(let assignment, _), .running(let assignment, _), .ending(let assignment, _, _),
            .drainingOutput(let assignment, _, _, _):
            assignment
        }
    }

    /// Handles one event and appends what is to be done to `actions`.
    package mutating func handle(_ event: EngineEvent, at now: Instant, into actions: inout [EngineAction]) {
        // An engine that stood still must not start what came meanwhile if its time is up; a new token goes first.
        if case .leaseRenewed = event {} else if now >= nextDeadline { passDeadlines(at: now, into: &actions) }
        switch event {
        case .assigned(let assignment): accept(assignment, into: &actions)
        case .recalled(let count): giveBack(count, into: &actions)
        case .leaseRenewed(let sentAt, let lease): renew(sentAt: sentAt, lease: lease, at: now, into: &actions)
        case .endTasksRequested(let atOnce):
            giveBack(waiting.count, into: &actions)
            endAll(.stopped, atOnce: atOnce, at: now, into: &actions)
        case .killRequested(let id, let atOnce): kill(id, atOnce: atOnce, at: now, into: &actions)
        case .shutDownRequested: leaves = true
        case .spawned(let cylinder, _): spawned(cylinder, at: now, into: &actions)
        case .spawnFailed(let cylinder): spawnFailed(cylinder, into: &actions)
        case .exited(let cylinder, let result): exited(cylinder, result, at: now, into: &actions)
        case .outputEnded(let cylinder): outputEnded(cylinder, into: &actions)
        case .orphaned: orphaned(at: now, into: &actions)
        case .timePassed: break
        }
        if now >= nextDeadline { passDeadlines(at: now, into: &actions) }
        leaveIfDone(into: &actions)
    }

    // MARK: Starting

    private mutating func accept(_ assignment: Assignment, into actions: inout [EngineAction]) {
        // An engine that is told to leave starts nothing more: not even tasks that were on their way to it.
        guard !leaves else { return }
        if case .perEngine = assignment.kind {
            precondition(cylinders[slots] == .idle, "one per-engine command at a time")
            return start(assignment, in: slots, into: &actions)
        }
        waiting.append(assignment)
        startWaiting(into: &actions)
    }

    private mutating func startWaiting(into actions: inout [EngineAction]) {
        guard !leaves else { return }
        while !waiting.isEmpty, let cylinder = idleCylinders.popLast(), let next = waiting.popFirst() {
            start(next, in: cylinder, into: &actions)
        }
    }

    private mutating func start(_ assignment: Assignment, in cylinder: Int, into actions: inout [EngineAction]) {
        cylinders[cylinder] = .starting(assignment, end: nil)
        outputOpen[cylinder] = true
        actions.append(.start(cylinder: cylinder, assignment))
    }

    private mutating func spawned(_ cylinder: Int, at now: Instant, into actions: inout [EngineAction]) {
        guard case .starting(let assignment, let end) = cylinders[cylinder] else { return }
        let limit = assignment.timeLimit ?? (assignment.kind == .task ? settings.timeout : nil)
        cylinders[cylinder] = .running(assignment, deadline: limit.map { now + $0 })
        if let limit { note(now + limit) }
        if let end { self.end(cylinder, end.reason, atOnce: end.atOnce, at: now, into: &actions) }
    }

    private mutating func spawnFailed(_ cylinder: Int, into actions: inout [EngineAction]) {
        guard case .starting(let assignment, let end) = cylinders[cylinder] else { return }
        finish(
            cylinder, assignment, returnCode: Self.spawnFailedReturnCode, end?.reason ?? .spawnFailed, into: &actions)
    }

    /// The status with which a shell answers when a command can't be executed.
    private static let spawnFailedReturnCode: Int32 = 126

    // MARK: Ending

    private mutating func exited(
        _ cylinder: Int, _ result: ProcessResult, at now: Instant, into actions: inout [EngineAction]
    ) {
        let assignment: Assignment
        var ending = Ending.exited
        switch cylinders[cylinder] {
        case .running(let running, _): assignment = running
        case .ending(let ended, let reason, _):
            assignment = ended
            ending = reason
            // At a timeout or stop no descendant may live on, in a session of its own either.
            actions.append(.kill(cylinder: cylinder))
        default: return
        }
        guard outputOpen[cylinder] else {
            return finish(cylinder, assignment, returnCode: code(result, ending), ending, into: &actions)
        }
        let until = now + Self.outputPatience
        cylinders[cylinder] = .drainingOutput(assignment, ending, result, until: until)
        note(until)
    }

    private mutating func outputEnded(_ cylinder: Int, into actions: inout [EngineAction]) {
        outputOpen[cylinder] = false
        guard case .drainingOutput(let assignment, let ending, let result, _) = cylinders[cylinder] else { return }
        finish(cylinder, assignment, returnCode: code(result, ending), ending, into: &actions)
    }

    private func code(_ result: ProcessResult, _ ending: Ending) -> Int32 {
        switch ending {
        case .timedOut: TaskOutcome.timeoutReturnCode
        // Whatever the task made of SIGTERM, an end that the user wanted is no success.
        case .killed:
            result == .signalled(9) ? TaskOutcome.killedReturnCode : TaskOutcome.terminatedReturnCode
        default: result.returnCode
        }
    }

    private mutating func finish(
        _ cylinder: Int, _ assignment: Assignment, returnCode: Int32, _ ending: Ending,
        into actions: inout [EngineAction]
    ) {
        cylinders[cylinder] = .idle
        if cylinder < slots { idleCylinders.append(cylinder) }
        actions.append(.finish(cylinder: cylinder, assignment, returnCode: returnCode, ending))
        startWaiting(into: &actions)
    }

    private mutating func giveBack(_ count: Int, into actions: inout [EngineAction]) {
        var returned: [AssignmentID] = []
        while returned.count < count, let last = waiting.popLast() { returned.append(last.id) }
        actions.append(.giveBack(returned.reversed()))
    }

    private mutating func endAll(
        _ reason: Ending, atOnce: Bool, at now: Instant, into actions: inout [EngineAction]
    ) {
        for cylinder in cylinders.indices { end(cylinder, reason, atOnce: atOnce, at: now, into: &actions) }
    }

    /// Ends one process: SIGTERM and, when its patience is over, SIGKILL; or SIGKILL at once.
    private mutating func end(
        _ cylinder: Int, _ reason: Ending, atOnce: Bool, at now: Instant, into actions: inout [EngineAction]
    ) {
        switch cylinders[cylinder] {
        case .idle: break
        case .starting(let assignment, let end):
            let atOnce = atOnce || end?.atOnce == true
            cylinders[cylinder] = .starting(assignment, end: EndRequest(reason: end?.reason ?? reason, atOnce: atOnce))
        case .running(let assignment, _):
            let killAt = atOnce ? .distantFuture : now + settings.killAfter
            cylinders[cylinder] = .ending(assignment, reason, killAt: killAt)
            note(killAt)
            actions.append(atOnce ? .kill(cylinder: cylinder) : .terminate(cylinder: cylinder))
        case .ending(let assignment, let earlier, _):
            guard atOnce else { return }
            cylinders[cylinder] = .ending(assignment, earlier, killAt: .distantFuture)
            actions.append(.kill(cylinder: cylinder))
        case .drainingOutput:
            // The output is kept open by a descendant; without them it comes to its end.
            if atOnce || reason == .killed { actions.append(.kill(cylinder: cylinder)) }
        }
    }

    private mutating func kill(
        _ id: AssignmentID, atOnce: Bool, at now: Instant, into actions: inout [EngineAction]
    ) {
        if let cylinder = cylinders.indices.first(where: { assignment(in: $0)?.id == id }) {
            return end(cylinder, .killed, atOnce: atOnce, at: now, into: &actions)
        }
        // One that is not here has ended, and that is told already.
        guard let index = (0..<waiting.count).first(where: { waiting[$0].id == id }) else { return }
        _ = waiting.remove(at: index)
        actions.append(.withdraw(id))
    }

    private mutating func orphaned(at now: Instant, into actions: inout [EngineAction]) {
        waiting.removeAll()
        leaves = true
        exitStatus = 1
        endAll(.stopped, atOnce: true, at: now, into: &actions)
    }

    private mutating func leaveIfDone(into actions: inout [EngineAction]) {
        guard leaves, !hasExited, isIdle else { return }
        hasExited = true
        actions.append(.exit(status: exitStatus))
    }

    // MARK: Time

    private mutating func renew(
        sentAt: Instant, lease: Duration?, at now: Instant, into actions: inout [EngineAction]
    ) {
        // The token's time is of the driver's clock. The quickest token so far tells how that clock stands to ours,
        // so that one that lay in a cut network for minutes doesn't count from its arrival. All of them may have lain
        // there: none was sent before what it answers.
        clockOffset = min(clockOffset, now - sentAt)
        offsetError = min(offsetError, now - toldDriver)
        toldDriver = now
        let doubt = max(.zero, offsetError - Self.usualAnswer)
        leaseEnd = lease.map { sentAt + (clockOffset + $0 - doubt) } ?? .distantFuture
        note(leaseEnd)
        actions.append(.acknowledgeLease(sentAt: sentAt))
    }

    private mutating func note(_ deadline: Instant) {
        nextDeadline = min(nextDeadline, deadline)
    }

    private mutating func passDeadlines(at now: Instant, into actions: inout [EngineAction]) {
        nextDeadline = .distantFuture
        if now >= leaseEnd {
            leaseEnd = .distantFuture
            orphaned(at: now, into: &actions)
        }
        for cylinder in cylinders.indices {
            passDeadline(of: cylinder, at: now, into: &actions)
            if let deadline = deadline(of: cylinder) { note(deadline) }
        }
        note(leaseEnd)
    }

    private func deadline(of cylinder: Int) -> Instant? {
        switch cylinders[cylinder] {
        case .idle, .starting: nil
        case .running(_, let deadline): deadline
        case .ending(_, _, let killAt): killAt
        case .drainingOutput(_, _, _, let until): until
        }
    }

    private mutating func passDeadline(of cylinder: Int, at now: Instant, into actions: inout [EngineAction]) {
        guard let deadline = deadline(of: cylinder), now >= deadline else { return }
        switch cylinders[cylinder] {
        case .idle, .starting: break
        case .running: end(cylinder, .timedOut, atOnce: false, at: now, into: &actions)
        case .ending(let assignment, let reason, _):
            cylinders[cylinder] = .ending(assignment, reason, killAt: .distantFuture)
            actions.append(.kill(cylinder: cylinder))
        case .drainingOutput(let assignment, let ending, let result, _):
            actions.append(.stopReading(cylinder: cylinder))
            finish(cylinder, assignment, returnCode: code(result, ending), ending, into: &actions)
        }
    }
}
