/// The state of a task, as it is asked for by its number.
package enum TaskStanding: Equatable, Sendable {
    /// An engine has the task.
    case assigned(AssignedTask)
    /// The task was read and waits, for the first time or again.
    case waiting
    /// The task's number has not been read.
    case unread
    /// The task has ended, in this run or an earlier one.
    case ended
}

/// A task that an engine has.
package struct AssignedTask: Equatable, Sendable {
    package var assignment: AssignmentID
    package var engine: EngineID
    package var node: String
    /// Whether the engine said that the task started.
    package var hasStarted: Bool
    /// Whether the task ended, and only its files are on their way home.
    package var isStaging: Bool
    /// Whether the task is to end already.
    package var isKilled: Bool
    /// Whether the engine can't be told anything, because its channel ended.
    package var isOutOfReach: Bool
}

extension Scheduler {
    /// The state of a task. Looks at all that is known: for questions that come now and then.
    package func standing(of task: TaskID) -> TaskStanding {
        if let entry = inFlight.assignment(of: task), let index = pool.index(of: entry.engine) {
            return .assigned(
                AssignedTask(
                    assignment: entry.id, engine: entry.engine, node: pool[index].node,
                    hasStarted: entry.hasStarted, isStaging: entry.isStaging, isKilled: entry.isKilled,
                    isOutOfReach: pool[index].isSilent))
        }
        guard queue.hasRead(task) else { return .unread }
        return queue.contains(task) ? .waiting : .ended
    }

    /// Lets a task end that an engine has; told again, at once. The task gets its row from what then becomes of it.
    mutating func kill(_ task: TaskID, into actions: inout ActionList) {
        guard let entry = inFlight.assignment(of: task), !entry.isStaging, let index = pool.index(of: entry.engine)
        else {
            return
        }
        inFlight.markKilled(entry.id)
        guard !pool[index].isSilent else { return }
        actions.order(.endTask(entry.engine, entry.id, atOnce: entry.isKilled))
    }

    /// Records that a task that was to end had not been started.
    mutating func withdrawn(
        _ id: AssignmentID, by engine: EngineID, at now: Instant, into actions: inout ActionList
    ) {
        guard let index = pool.index(of: engine), inFlight[id]?.engine == engine, inFlight[id]?.isKilled == true
        else { return }
        let entry = remove(id, from: index)
        contexts[pool[index].context]?.regainAssignment()
        endUnstarted(entry, on: index, at: now, into: &actions)
        pool.settle(index)
        goIfEmpty(index, at: now, into: &actions)
    }

    /// Records a task that ended before it started.
    mutating func endUnstarted(
        _ entry: InFlight, on index: Int, at now: Instant, into actions: inout ActionList
    ) {
        actions.order(
            .recordLost(
                LostAttempt(
                    kind: .task, spec: entry.task.spec, attempt: entry.task.attempt, engine: entry.engine,
                    node: pool[index].node, assigned: now, lost: now, ending: .killed)))
        noteFinal(entry.task.spec.id, failed: true, at: now, into: &actions)
    }
}
