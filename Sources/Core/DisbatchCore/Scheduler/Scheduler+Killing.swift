/// Where a task stands, for who asks for it by its number.
package enum TaskStanding: Equatable, Sendable {
    /// An engine holds it.
    case held(HeldTask)
    /// It was read and waits, for the first time or again.
    case waiting
    /// Its number has not been read.
    case unread
    /// It has ended, in this run or an earlier one.
    case ended
}

/// A task that an engine holds.
package struct HeldTask: Equatable, Sendable {
    package var assignment: AssignmentID
    package var engine: EngineID
    package var node: String
    /// Whether the engine said that it started.
    package var hasStarted: Bool
    /// Whether it ended, and only its files are on their way home.
    package var isStaging: Bool
    /// Whether it is to end already.
    package var isKilled: Bool
    /// Whether the engine's channel ended: it can't be told anything.
    package var isOutOfReach: Bool
}

extension Scheduler {
    /// Where a task stands. It takes a look at all that is known: for who asks now and then.
    package func standing(of task: TaskID) -> TaskStanding {
        if let entry = inFlight.assignment(of: task), let index = index(of: entry.engine) {
            return .held(
                HeldTask(
                    assignment: entry.id, engine: entry.engine, node: engines[index].node,
                    hasStarted: entry.hasStarted, isStaging: entry.isStaging, isKilled: entry.isKilled,
                    isOutOfReach: engines[index].isSilent))
        }
        if task.rawValue >= numbersRead { return .unread }
        if again.contains(task) { return .waiting }
        for place in 0..<source.count {
            if case .task(let spec) = source[place], spec.id == task { return .waiting }
        }
        return .ended
    }

    /// Lets a task end that an engine holds; told again, at once. It gets its row from what then becomes of it.
    mutating func kill(_ task: TaskID, into actions: inout [SchedulerAction]) {
        guard let entry = inFlight.assignment(of: task), !entry.isStaging, let index = index(of: entry.engine) else {
            return
        }
        inFlight.markKilled(entry.id)
        guard !engines[index].isSilent else { return }
        actions.append(.endTask(entry.engine, entry.id, atOnce: entry.isKilled))
    }

    /// A task that was to end had not been started.
    mutating func withdrawn(
        _ id: AssignmentID, by engine: EngineID, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        guard let index = index(of: engine), inFlight[id]?.engine == engine, inFlight[id]?.isKilled == true,
            let entry = remove(id, from: index)
        else { return }
        tasksInFlight -= 1
        regainContextLimit(of: index)
        endUnstarted(entry, on: index, at: now, into: &actions)
        settle(index)
        goIfEmpty(index, at: now, into: &actions)
    }

    /// Records a task that ended before it started.
    mutating func endUnstarted(
        _ entry: InFlight, on index: Int, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        actions.append(
            .recordLost(
                LostAttempt(
                    kind: .task, spec: entry.task.spec, attempt: entry.task.attempt, engine: entry.engine,
                    node: engines[index].node, assigned: now, lost: now, ending: .killed)))
        noteFinal(entry.task.spec.id, failed: true, at: now, into: &actions)
    }
}
