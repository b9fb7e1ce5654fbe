import DisbatchCore

/// Judges a run by what the scheduler is told and what it orders, knowing nothing of its state.
struct Oracle {
    let configuration: SchedulerConfiguration
    let contextLimit: Int?
    /// Whether engines may go before the end.
    let retires: Bool
    /// Whether nothing but the scheduler can make an engine leave a recall unanswered.
    let isFaultless: Bool
    /// The first thing that was wrong.
    var violation: String?

    var tasks: [OracleTask] = []
    var segments = [OracleSegment()]
    /// Barriers met: tasks of the segment of this number may run.
    var openSegment = 0
    var engines: [OracleEngine] = []
    /// Of each context: assignments that count against its limit, and whether it was drained.
    var spent: [Int: Int] = [:]
    var drainedContexts: Set<Int> = []
    /// Those whose time is nearly over.
    var endingContexts: Set<Int> = []
    /// The task of each assignment that an engine holds.
    var assignments: [UInt64: Int] = [:]
    var commands: [UInt64: PerEnginePhase] = [:]
    /// Assignments whose process runs.
    var alive: Set<UInt64> = []
    var isThawing = false

    var startCommands = 0
    var stopCommands = 0
    var isHeadKnown = false
    var sourceEnd: SourceEnd?
    var idleSlots = 0

    var gate = OracleGate()
    /// Whether a skipped failure may end the run as soon as it is looked at.
    var mayFailFast = false

    var rows = 0
    var rowsRequested = 0
    var rowsSynced = 0
    /// The number of the last row that isn't a late report's.
    var lastRow = 0
    var finished = 0
    var failed = 0

    init(_ parameters: SimulationParameters, _ configuration: SchedulerConfiguration) {
        self.configuration = configuration
        isFaultless =
            parameters.deathRate + parameters.silenceRate + parameters.freezeRate + parameters.cutRate == 0
            && parameters.blackoutAt + parameters.sleepAt + parameters.allocationSeconds + parameters.muteRate == 0
        retires = parameters.retires != 0
        contextLimit = parameters.contextLimit > 0 ? parameters.contextLimit : nil
    }

    /// Whether tasks may be handed out at all.
    var isOpen: Bool { gate.isOpen }

    mutating func fail(_ text: String) {
        if violation == nil { violation = text }
    }

    func accepts(_ engine: OracleEngine) -> Bool {
        engine.joined && isHeadKnown && engine.startsEnded == startCommands && !engine.refused && !engine.silent
            && !engine.isLost && !engine.leaving && !engine.shutDown && engine.stopsAssigned == 0
    }

    /// Brings an engine's idle slots into the sum.
    mutating func settle(_ index: Int) {
        let engine = engines[index]
        let idle = accepts(engine) && engine.alone == nil ? max(0, engine.slots - engine.occupying) : 0
        idleSlots += idle - engine.idle
        engines[index].idle = idle
        if isOpen, accepts(engine) { engines[index].wasUsed = true }
    }

    // MARK: What the scheduler is told

    mutating func note(_ event: SchedulerEvent) {
        switch event {
        case .itemsRead(let items): for item in items { read(item) }
        case .sourceEnded(let end):
            sourceEnd = end
            knowHead()
        case .engineLaunched(_, let context, _, _):
            engines.append(OracleEngine(context: context.rawValue))
            let isSpent = contextLimit.map { spent[context.rawValue, default: 0] >= $0 } ?? false
            engines[engines.count - 1].leaving = isSpent || gate.isShut || drainedContexts.contains(context.rawValue)
        case .engineJoined(let engine, let slots, _):
            engines[engine.rawValue].joined = true
            engines[engine.rawValue].slots = slots
        case .filesAwaited(let engine, let assignment):
            if engines[engine.rawValue].assigned.contains(assignment.rawValue) {
                engines[engine.rawValue].sending.insert(assignment.rawValue)
            }
        case .taskFinished(let engine, let assignment, _, let outcome): ended(assignment, on: engine, outcome)
        case .assignmentsReturned(let engine, let returned): gaveBack(returned, engine)
        case .assignmentWithdrawn(let engine, let assignment): giveBack(assignment, engine.rawValue)
        case .killRequested(let task):
            let isHeld = engines.contains { engine in
                engine.assigned.contains { assignments[$0] == task.rawValue && !engine.sending.contains($0) }
            }
            if isHeld { tasks[task.rawValue].wasKilled = true }
        case .engineSilent(let engine): engines[engine.rawValue].silent = true
        case .engineGone(let engine):
            engines[engine.rawValue].gone = true
            drop(engine.rawValue)
        case .rowsWritten: rowsSynced = rowsRequested
        case .drainRequested(let scope): drain(scope)
        case .contextEnding(let context):
            endingContexts.insert(context.rawValue)
            drain(.context(context))
        case .stopRequested: gate.isStopped = true
        case .startingHeld(let isSo): gate.isHeld = isSo
        case .contextOpened, .contextsExpected, .enginesExpected, .contextMayGrow, .retirementAllowed, .taskStarted,
            .woke, .timePassed:
            break
        case .leaseAcknowledged(let engine, let sentAt):
            engines[engine.rawValue].tokenAcknowledged = max(
                engines[engine.rawValue].tokenAcknowledged, sentAt.nanoseconds)
        }
        if let engine = event.engine { settle(engine.rawValue) }
    }

    private mutating func read(_ item: TaskItem) {
        switch item {
        case .task(let spec):
            add(.task, spec.id)
            segments[segments.count - 1].read += 1
        case .barrier(let barrier):
            add(.barrier, barrier.id)
            segments[segments.count - 1].barrier = barrier
            segments.append(OracleSegment())
        case .skipped(let count, let failed):
            for _ in 0..<count { add(.skipped, TaskID(tasks.count)) }
            if failed > 0 {
                segments[segments.count - 1].hasFailure = true
                if configuration.failsFast { mayFailFast = true }
            }
        case .perEngine(let command):
            if command.phase == .start { startCommands += 1 } else { stopCommands += 1 }
            return
        }
        knowHead()
    }

    private mutating func add(_ kind: OracleTask.Kind, _ id: TaskID) {
        precondition(id.rawValue == tasks.count, "the stream numbers its items in order")
        var task = OracleTask()
        task.kind = kind
        task.segment = Int32(segments.count - 1)
        tasks.append(task)
    }

    private mutating func knowHead() {
        guard !isHeadKnown else { return }
        isHeadKnown = true
        for index in engines.indices { settle(index) }
    }

    private mutating func drain(_ scope: DrainScope) {
        guard !gate.isShut else { return }
        switch scope {
        case .run: gate.isDrained = true
        case .context(let context): drainedContexts.insert(context.rawValue)
        case .engine: break
        }
        for index in engines.indices {
            switch scope {
            case .context(let context) where engines[index].context != context.rawValue: continue
            case .engine(let engine) where engine.rawValue != index: continue
            default: engines[index].leaving = true
            }
            settle(index)
        }
    }

    /// Forgets what an engine holds, as it is lost.
    mutating func drop(_ index: Int) {
        let isAlone = engines[index].assigned.count == 1
        for id in engines[index].assigned {
            guard let task = assignments.removeValue(forKey: id) else { continue }
            tasks[task].holders -= 1
            tasks[task].wasLostWithOthers = !isAlone
        }
        engines[index].alone = nil
        engines[index].assigned.removeAll()
        engines[index].sending.removeAll()
        settle(index)
    }

    private mutating func gaveBack(_ returned: [AssignmentID], _ engine: EngineID) {
        let index = engine.rawValue
        engines[index].recallsAnswered += 1
        for id in returned { giveBack(id, index) }
    }

    private mutating func giveBack(_ id: AssignmentID, _ index: Int) {
        guard engines[index].assigned.remove(id.rawValue) != nil,
            let task = assignments.removeValue(forKey: id.rawValue)
        else { return }
        tasks[task].holders -= 1
        if engines[index].alone == task { engines[index].alone = nil }
        spent[engines[index].context, default: 0] -= 1
    }

    private mutating func ended(_ id: AssignmentID, on engine: EngineID, _ outcome: TaskOutcome) {
        let index = engine.rawValue
        engines[index].sending.remove(id.rawValue)
        if engines[index].assigned.remove(id.rawValue) != nil, let task = assignments.removeValue(forKey: id.rawValue) {
            tasks[task].holders -= 1
            if engines[index].alone == task { engines[index].alone = nil }
            // What the end of its engine's lease ended has not taken the engine with it.
            tasks[task].wasLostWithOthers = false
            let isCut = endingContexts.contains(engines[index].context)
            if outcome.ending == .stopped, !isCut { engines[index].leaseEnded = true }
        } else if let phase = commands.removeValue(forKey: id.rawValue) {
            guard !engines[index].isLost else { return }
            switch phase {
            case .start:
                engines[index].startsEnded += 1
                if outcome.failed, configuration.isStartStrict { engines[index].refused = true }
            case .stop: engines[index].stopsEnded += 1
            }
        }
    }
}
