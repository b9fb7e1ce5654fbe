import DisbatchCore

extension Oracle {
    /// Judges one action, in the order in which they are performed.
    mutating func note(_ action: SchedulerAction, at now: Int64) {
        switch action {
        case .assign(let engine, let assignment):
            switch assignment.kind {
            case .task: assigned(assignment, to: engine.rawValue, at: now)
            case .perEngine(let phase): assignedCommand(assignment, phase, to: engine.rawValue)
            }
            settle(engine.rawValue)
        case .recall(let engine, _):
            if engines[engine.rawValue].silent { fail("recall from engine \(engine.rawValue), which is silent") }
            engines[engine.rawValue].recallsAsked += 1
        case .shutDown(let engine): shutDown(engine.rawValue)
        case .abandon(let engine):
            // Without a lease the launcher is ended, but its end alone is proof that nothing runs.
            let mayRun = configuration.lease == nil && !gate.isStopped && !gate.hasFailedFast
            guard !mayRun || engines[engine.rawValue].assigned.isEmpty else { return }
            engines[engine.rawValue].abandoned = true
            drop(engine.rawValue)
        case .record(let task): recorded(task)
        case .recordPerEngine: noteRow()
        case .keepAttempt(let task): keptAttempt(task)
        case .recordLost(let lost): recordedLost(lost)
        case .keepLostAttempt(let lost): keptLost(lost)
        case .recordBarrier(let barrier, _, _): met(barrier)
        case .awaitRows: rowsRequested = rows
        case .endTasks(let engine, _):
            // It gives back what waits there, as for a recall.
            let isEnding = endingContexts.contains(engines[engine.rawValue].context)
            if isEnding { engines[engine.rawValue].recallsAsked += 1 }
        case .endTask(let engine, let id, _):
            let task = assignments[id.rawValue].map { tasks[$0] }
            if task?.wasKilled != true || !engines[engine.rawValue].assigned.contains(id.rawValue) {
                fail("a task is ended that nobody wants to end, or elsewhere")
            }
        case .renewLease(let engine): engines[engine.rawValue].noteToken(sentAt: now)
        case .warn(.runsAlone(let task, let engine, _)): runsAlone(task, on: engine.rawValue)
        case .readItems, .warn, .finish: break
        }
    }

    private mutating func noteRow() {
        rows += 1
        lastRow = rows
    }

    // MARK: Suspects

    private mutating func runsAlone(_ task: TaskID, on index: Int) {
        let what = "task \(task.rawValue) is to run alone on engine \(index)"
        if !engines[index].assigned.isEmpty { fail("\(what), which has others") }
        if !tasks[task.rawValue].isSuspect { fail("\(what), and was not lost with others") }
        engines[index].alone = task.rawValue
    }

    /// Another task than those that wait to be run alone was what ended their engines.
    private mutating func pardonSuspects() {
        for place in tasks.indices where tasks[place].isSuspect && tasks[place].holders == 0 {
            tasks[place].cuts += tasks[place].losses
            tasks[place].losses = 0
            tasks[place].isSuspect = false
        }
    }

    // MARK: Handing out

    private mutating func assigned(_ assignment: Assignment, to index: Int, at now: Int64) {
        let place = assignment.spec.id.rawValue
        let (task, engine) = (tasks[place], engines[index])
        let what = "task \(place) handed to engine \(index)"
        if !isOpen { fail("\(what), though the run hands out nothing more") }
        if !accepts(engine) { fail("\(what), which takes no tasks: \(engine)") }
        if engine.isOverdue(at: now, heartbeat: heartbeat) { fail("\(what), which has not answered for long") }
        if let alone = engine.alone, alone != place { fail("\(what), where task \(alone) is to run alone") }
        if task.kind != .task { fail("\(what), but it is a \(task.kind)") }
        if task.rows > 0 { fail("\(what) after its row") }
        if task.wasKilled { fail("\(what), though its user ended it") }
        if task.holders > 0 { fail("\(what) while another holds it") }
        if Int(task.segment) != openSegment { fail("\(what) before its barrier: \(task.segment), \(openSegment) met") }
        if assignment.attempt != task.attempt {
            fail("\(what) as attempt \(assignment.attempt), but it is attempt \(task.attempt)")
        }
        let mayGoElsewhere = engines.indices.contains {
            $0 != index && accepts(engines[$0]) && !engines[$0].mayBeOverdue(at: now, heartbeat: heartbeat)
        }
        if task.avoided == index, mayGoElsewhere {
            fail("\(what), on which it failed, while there is another")
        }
        let idleOfAvoided = task.avoided >= 0 ? engines[Int(task.avoided)].idle : 0
        if engine.occupying >= engine.slots, idleSlots - idleOfAvoided - overdueSlots(at: now) > 0 {
            fail("\(what) ahead of need, while another is idle")
        }
        if engine.occupying >= engine.slots + max(engine.slots, 64) {
            fail("\(what), which holds \(engine.occupying)")
        }
        engines[index].assigned.insert(assignment.id.rawValue)
        if assignments.updateValue(place, forKey: assignment.id.rawValue) != nil { fail("\(what) under a used number") }
        tasks[place].holders += 1
        if !task.wasAssigned {
            tasks[place].wasAssigned = true
            segments[openSegment].assigned += 1
        }
        spend(engine.context, what)
    }

    private mutating func spend(_ context: Int, _ what: String) {
        spent[context, default: 0] += 1
        guard let limit = contextLimit, let count = spent[context], count >= limit else { return }
        if count > limit { fail("\(what), beyond the limit of its context") }
        for other in engines.indices where engines[other].context == context {
            engines[other].leaving = true
            settle(other)
        }
    }

    private mutating func assignedCommand(_ assignment: Assignment, _ phase: PerEnginePhase, to index: Int) {
        let engine = engines[index]
        let what = "\(phase) command \(assignment.spec.id.rawValue) for engine \(index)"
        commands[assignment.id.rawValue] = phase
        if !engine.joined || engine.silent || engine.isLost || engine.shutDown { fail("\(what), which is not there") }
        if !isHeadKnown { fail("\(what) before all are known") }
        switch phase {
        case .start:
            if engine.startsAssigned != assignment.spec.id.rawValue { fail("\(what) out of order") }
            if engine.startsEnded != engine.startsAssigned { fail("\(what) before the one before it ended") }
            if engine.stopsAssigned > 0 { fail("\(what) after a STOP command") }
            engines[index].startsAssigned += 1
        case .stop:
            if engine.stopsAssigned != assignment.spec.id.rawValue { fail("\(what) out of order") }
            if engine.stopsEnded != engine.stopsAssigned { fail("\(what) before the one before it ended") }
            if !engine.assigned.isEmpty { fail("\(what), which holds tasks") }
            engines[index].stopsAssigned += 1
            if engine.stopsAssigned == 0 { checkRetirement(of: index) }
        }
    }

    private mutating func shutDown(_ index: Int) {
        let engine = engines[index]
        if !engine.assigned.isEmpty { fail("engine \(index) is sent away with \(engine.assigned.count) tasks") }
        if engine.startsAssigned > 0 || engine.wasUsed && !mayFailFast, engine.stopsEnded != stopCommands {
            fail("engine \(index) is sent away after \(engine.stopsEnded) of \(stopCommands) STOP commands")
        }
        engines[index].shutDown = true
        settle(index)
        if engine.stopsAssigned == 0 { checkRetirement(of: index) }
    }

    /// One that goes though nobody wants it to: all is done, or nothing is left for it and others work.
    private mutating func checkRetirement(of index: Int) {
        let engine = engines[index]
        guard isOpen, !mayFailFast, !engine.leaving, !engine.refused, !engine.silent else { return }
        let segment = segments[openSegment]
        guard openSegment < segments.count - 1 || segment.ended < segment.read else { return }
        if !retires { fail("engine \(index) is sent away before the end") }
        if sourceEnd == nil || openSegment < segments.count - 1 || segment.assigned < segment.read {
            fail("engine \(index) is sent away with tasks to come")
        }
        if !engines.contains(where: accepts) { fail("engine \(index) is sent away, and no other takes tasks") }
    }

    // MARK: Rows

    private mutating func recorded(_ record: RecordedTask) {
        let place = record.spec.id.rawValue
        guard record.kind == .task else {
            rows += 1
            if !engines[record.engine.rawValue].isLost { fail("a late report of an engine that was not given up") }
            return
        }
        noteRow()
        if engines[record.engine.rawValue].isLost { fail("a lost engine's report counts for task \(place)") }
        if record.outcome.ending == .killed, !tasks[place].wasKilled { fail("task \(place) was killed by nobody") }
        if tasks[place].wasKilled { return final(place, failed: record.outcome.failed) }
        if record.outcome.ending == .stopped { fail("a row for task \(place), which the run's stop ended") }
        if record.outcome.failed, tasks[place].failures < configuration.retries, isOpen, !mayFailFast {
            fail("task \(place) failed and is not tried again")
        }
        final(place, failed: record.outcome.failed)
    }

    private mutating func recordedLost(_ lost: LostAttempt) {
        noteRow()
        guard lost.kind == .task else { return }
        let place = lost.spec.id.rawValue
        if lost.ending == .killed {
            if !tasks[place].wasKilled { fail("task \(place) was killed by nobody") }
            return final(place, failed: true)
        }
        checkLost(lost)
        tasks[place].losses += 1
        if !tasks[place].wasKilled, tasks[place].losses <= configuration.maxLost {
            fail("task \(place) given up after too few losses")
        }
        if !tasks[place].wasKilled, tasks[place].wasLostWithOthers, configuration.maxLost > 0 {
            fail("task \(place) given up, though another may have been what ended its engine")
        }
        let wasSuspect = tasks[place].isSuspect
        final(place, failed: true)
        // What the end of a lease ended is no proof.
        if wasSuspect, !tasks[place].wasKilled, engines[lost.engine.rawValue].isLost { pardonSuspects() }
    }

    private mutating func final(_ place: Int, failed hasFailed: Bool) {
        tasks[place].rows += 1
        if tasks[place].rows > 1 { fail("a second row for task \(place)") }
        // One that its user ended has its row even where the run's stop does not wait for its end.
        let mayRun = tasks[place].wasKilled && gate.isShut
        if tasks[place].running > 0, !mayRun { fail("a row for task \(place), which runs") }
        if tasks[place].holders > 0 { fail("a row for task \(place), which an engine holds") }
        let segment = Int(tasks[place].segment)
        segments[segment].ended += 1
        segments[segment].lastRow = rows
        finished += 1
        guard hasFailed else { return }
        failed += 1
        segments[segment].hasFailure = true
        if configuration.failsFast { gate.hasFailedFast = true }
    }

    private mutating func keptAttempt(_ record: RecordedTask) {
        let place = record.spec.id.rawValue
        if tasks[place].wasKilled { fail("task \(place), which its user ended, has no row") }
        guard record.outcome.ending != .stopped else {
            guard !gate.isStopped, !gate.hasFailedFast else { return }
            if endingContexts.contains(engines[record.engine.rawValue].context) {
                tasks[place].cuts += 1
            } else {
                tasks[place].losses += 1
            }
            tasks[place].avoided = Int32(record.engine.rawValue)
            return
        }
        if tasks[place].failures >= configuration.retries { fail("task \(place) is tried again too often") }
        tasks[place].failures += 1
        tasks[place].isSuspect = false
        tasks[place].avoided = Int32(record.engine.rawValue)
    }

    private mutating func keptLost(_ lost: LostAttempt) {
        guard lost.kind == .task else { return fail("a lost per-engine command without a row") }
        let place = lost.spec.id.rawValue
        if tasks[place].wasKilled { fail("task \(place), which its user ended, has no row") }
        checkLost(lost)
        tasks[place].losses += 1
        if tasks[place].wasLostWithOthers, tasks[place].losses >= 2 { tasks[place].isSuspect = true }
        let mayBeInnocent = tasks[place].wasLostWithOthers && configuration.maxLost > 0
        if tasks[place].losses > configuration.maxLost, !mayBeInnocent, !gate.isStopped, !gate.hasFailedFast,
            !mayFailFast
        {
            fail("task \(place) was lost \(tasks[place].losses) times and has no row")
        }
    }

    private mutating func checkLost(_ lost: LostAttempt) {
        let engine = engines[lost.engine.rawValue]
        if !engine.isLost, !engine.leaseEnded {
            fail("task \(lost.spec.id.rawValue) lost with an engine that was not lost")
        }
    }

    private mutating func met(_ barrier: Barrier) {
        noteRow()
        let segment = segments[openSegment]
        if segment.barrier != barrier { fail("barrier \(barrier.id.rawValue) met out of order") }
        if segment.ended != segment.read {
            fail("barrier \(barrier.id.rawValue) met after \(segment.ended) of \(segment.read) tasks")
        }
        if segment.lastRow > rowsSynced {
            fail("barrier \(barrier.id.rawValue) met before its tasks' rows are written")
        }
        tasks[barrier.id.rawValue].rows += 1
        openSegment += 1
        if barrier.checks, segment.hasFailure { gate.hasFailedCheck = true }
    }
}
