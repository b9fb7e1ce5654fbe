/// The scheduler as it is shown to users.
extension Scheduler {
    /// The phase of the run.
    package var shownPhase: RunSnapshot.Phase {
        switch phase {
        case .running: .running
        case .draining: .draining
        case .stopping: .stopping
        case .closing, .flushing, .finished: .closing
        }
    }

    /// The number of engines, those that are gone included.
    package var engineCount: Int { pool.engines.count }

    /// One engine, by its index. The driver fills in what the scheduler does not know.
    package func shownEngine(_ index: Int) -> EngineSnapshot {
        let engine = pool[index]
        return EngineSnapshot(
            id: engine.id, context: engine.context, label: "", node: engine.node, state: engine.shownState,
            slots: engine.slots, assigned: engine.assigned.count, finished: engine.finishedTasks,
            failed: engine.failedTasks, heard: Timestamp(microseconds: 0))
    }

    /// Tasks that wait and could be run now, if there were slots: what is behind a barrier could not. Nil where more
    /// may be in the source.
    package var startableCount: Int? {
        guard phase == .running else { return 0 }
        return queue.startableCount
    }

    /// The slots of an engine; 0 until it is ready.
    package func slots(of engine: EngineID) -> Int { pool.index(of: engine).map { pool[$0].slots } ?? 0 }

    /// Whether an engine may still be sent away.
    package func isLive(_ engine: EngineID) -> Bool { pool.index(of: engine).map { pool[$0].isLive } ?? false }

    /// The tasks that run, engine by engine, as far as is known, at most `most` of them.
    package func shownRunning(at now: Instant, most: Int) -> [RunningTask] {
        var tasks: [RunningTask] = []
        for engine in pool.engines where engine.isLive {
            let occupying = inFlight.assignments(in: engine.assigned).lazy.filter { !$0.isStaging }
            for entry in occupying.prefix(engine.slots) where entry.kind == .task {
                guard tasks.count < most else { return tasks }
                let spec = entry.task.spec
                tasks.append(
                    RunningTask(
                        task: spec.id, line: spec.streamIndex, attempt: entry.task.attempt, engine: engine.id,
                        node: engine.node, seconds: Double((now - entry.assignedAt).wholeNanoseconds) / 1e9,
                        command: Array(spec.command.prefix(RunningTask.commandLength))))
            }
        }
        return tasks
    }
}

extension EngineState {
    fileprivate var shownState: EngineSnapshot.State {
        switch life {
        case .launched, .joined, .starting: .starting
        case .active: .active
        case .leaving, .stopping, .closing: .leaving
        case .lost: .lost
        case .gone: .gone
        }
    }
}
