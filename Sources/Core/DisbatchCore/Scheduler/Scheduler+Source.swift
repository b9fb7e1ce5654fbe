extension Scheduler {
    /// Notes that the source yields no more.
    mutating func endSource(_ end: SourceEnd) {
        queue.endSource(end)
        pool.mayHaveIdle = true
    }

    /// Acts on everything that is no task at the head of the queue.
    mutating func digestSource(at now: Instant, into actions: inout ActionList) {
        while let item = digestHead(at: now, into: &actions) {
            if case .skipped(let count, let failed) = item {
                totals.skipped += count
                totals.skippedFailed += failed
                if failed > 0, configuration.failsFast { failFast(at: now, into: &actions) }
            }
            guard phase == .running else { return }
        }
        if queue.beginsAwaitingRows(assignedTasks: inFlight.taskCount) { actions.order(.awaitRows) }
    }

    /// Takes one item that is no task, and lets engines begin once all per-engine commands are known.
    private mutating func digestHead(at now: Instant, into actions: inout ActionList) -> TaskItem? {
        let commandsWereKnown = queue.commandsAreKnown
        let item = queue.digestHead(at: now)
        if queue.commandsAreKnown, !commandsWereKnown {
            for index in pool.all() where pool[index].life == .joined {
                startNext(0, on: index, at: now, into: &actions)
            }
        }
        return item
    }

    /// Goes on after all rows so far were written: past a barrier, or to the end of the run.
    mutating func rowsWritten(at now: Instant, into actions: inout ActionList) {
        if phase == .flushing {
            phase = .finished
            actions.order(.finish(ending ?? .completed))
        } else if phase == .running, let (pending, checkFailed) = queue.passBarrier() {
            actions.order(.recordBarrier(pending.barrier, reached: pending.reached, met: now))
            guard checkFailed else { return }
            actions.order(.warn(.checkFailed(pending.barrier)))
            close(.checkFailed, at: now, into: &actions)
        }
    }
}
