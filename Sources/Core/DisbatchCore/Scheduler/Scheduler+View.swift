/// What may be seen of the scheduler from outside.
extension Scheduler {
    /// What the run is about.
    package var shownPhase: RunSnapshot.Phase {
        switch phase {
        case .running: .running
        case .draining: .draining
        case .stopping: .stopping
        case .closing, .flushing, .finished: .closing
        }
    }

    /// How many engines there are, those that are gone included.
    package var engineCount: Int { engines.count }

    /// One engine, by its place; what the scheduler does not know is left for the driver to say.
    package func shownEngine(_ index: Int) -> EngineSnapshot {
        let engine = engines[index]
        return EngineSnapshot(
            id: engine.id, context: engine.context, label: "", node: engine.node, state: engine.shownState,
            slots: engine.slots, assigned: engine.held.count, finished: engine.finishedTasks,
            failed: engine.failedTasks, heard: Timestamp(microseconds: 0))
    }

    /// Tasks that wait and could be run now, if there were slots: what is behind a barrier could not. Nil where more
    /// may be in the source.
    package var startableCount: Int? {
        guard phase == .running else { return 0 }
        guard pendingBarrier == nil else { return again.count }
        var count = again.count
        for place in 0..<source.count {
            switch source[place] {
            case .task: count += 1
            case .barrier: return count
            case .perEngine, .skipped: break
            }
        }
        return sourceEnd == nil ? nil : count
    }

    /// The slots of an engine; 0 until it is ready.
    package func slots(of engine: EngineID) -> Int { index(of: engine).map { engines[$0].slots } ?? 0 }

    /// Whether an engine may still be sent away.
    package func isLive(_ engine: EngineID) -> Bool { index(of: engine).map { engines[$0].isLive } ?? false }

    /// The tasks that run, engine by engine, as far as is known, at most so many.
    package func shownRunning(at now: Instant, most: Int) -> [RunningTask] {
        var tasks: [RunningTask] = []
        for engine in engines where engine.isLive {
            let occupying = inFlight.assignments(in: engine.held).lazy.filter { !$0.isStaging }
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
