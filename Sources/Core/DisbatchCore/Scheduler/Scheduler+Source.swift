extension Scheduler {
    mutating func readItems(_ items: [TaskItem]) {
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

    mutating func endSource(_ end: SourceEnd) {
        isReading = false
        sourceEnd = end
        looksForIdle = true
    }

    /// Asks for more items while few wait.
    mutating func requestItems(into actions: inout [SchedulerAction]) {
        guard sourceEnd == nil, !isReading, source.count < configuration.lowWaterMark else { return }
        isReading = true
        actions.append(.readItems)
    }

    /// Whether handing out tasks came to an item that is none, with tasks perhaps behind it.
    var hasUndigestedHead: Bool {
        guard pendingBarrier == nil, let item = source.first else { return false }
        if case .task = item { return false }
        return true
    }

    /// Takes everything that is no task from the head of the queue.
    mutating func digestSource(at now: Instant, into actions: inout [SchedulerAction]) {
        while pendingBarrier == nil, let item = source.first {
            if case .perEngine(let command) = item {
                addPerEngine(command)
            } else {
                knowHead(at: now, into: &actions)
            }
            switch item {
            case .task: return
            case .barrier(let barrier): pendingBarrier = PendingBarrier(barrier: barrier, reached: now)
            case .skipped(let count, let failed):
                totals.skipped += count
                if failed > 0 { noteSkippedFailures(failed, at: now, into: &actions) }
            case .perEngine: break
            }
            _ = source.popFirst()
            guard phase == .running else { return }
        }
        if sourceEnd != nil { knowHead(at: now, into: &actions) }
        awaitBarrierRows(into: &actions)
    }

    private mutating func addPerEngine(_ command: PerEngineCommand) {
        switch command.phase {
        case .start: startCommands.append(command.spec)
        case .stop: stopCommands.append(command.spec)
        }
    }

    /// Lets engines begin, now that all per-engine commands are known.
    private mutating func knowHead(at now: Instant, into actions: inout [SchedulerAction]) {
        guard !headIsKnown else { return }
        headIsKnown = true
        for index in allEngines() where engines[index].life == .joined {
            startNext(0, on: index, at: now, into: &actions)
        }
    }

    private mutating func noteSkippedFailures(
        _ count: Int, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        totals.skippedFailed += count
        failedSinceBarrier = true
        if configuration.failsFast { failFast(at: now, into: &actions) }
    }

    /// Whether every task before the pending barrier ended.
    private var isBarrierReady: Bool { tasksInFlight == 0 && again.isEmpty }

    /// What a barrier lets start, starts after the rows it rests on are written.
    private mutating func awaitBarrierRows(into actions: inout [SchedulerAction]) {
        guard let pending = pendingBarrier, !pending.awaitsRows, isBarrierReady else { return }
        pendingBarrier?.awaitsRows = true
        actions.append(.awaitRows)
    }

    mutating func rowsWritten(at now: Instant, into actions: inout [SchedulerAction]) {
        if phase == .flushing {
            phase = .finished
            actions.append(.finish(ending ?? .completed))
        } else if let pending = pendingBarrier, pending.awaitsRows, phase == .running {
            meet(pending, at: now, into: &actions)
        }
    }

    private mutating func meet(_ pending: PendingBarrier, at now: Instant, into actions: inout [SchedulerAction]) {
        pendingBarrier = nil
        actions.append(.recordBarrier(pending.barrier, reached: pending.reached, met: now))
        if pending.barrier.checks, failedSinceBarrier {
            actions.append(.warn(.checkFailed(pending.barrier)))
            close(.checkFailed, at: now, into: &actions)
        }
        failedSinceBarrier = false
    }
}
