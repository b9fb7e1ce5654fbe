/// Per-engine commands that hang: on a dead mount, in a `module load`.
extension Scheduler {
    /// Tells of commands that take long, and ends those that nobody waits for.
    mutating func watchCommands(at now: Instant, into actions: inout ActionList) {
        guard now >= commandWatch.nextDeadline else { return }
        var slow: [InFlight] = []
        while let due = commandWatch.takeDue(at: now) {
            guard inFlight.isAssigned(due.assignment, to: due.engine), let command = inFlight[due.assignment] else {
                continue
            }
            slow.append(command)
        }
        guard let first = slow.first else { return }
        let engine = pool[first.engine.rawValue]
        actions.order(.warn(.slow(first, of: engine, others: slow.count - 1, at: now)))
        for command in slow {
            let index = command.engine.rawValue
            if phase != .running || pool[index].isUnwanted { endStart(on: index, at: now, into: &actions) }
        }
    }

    /// Ends the START command of an engine for which nothing is left, unless it began just now: most are quick.
    mutating func endStart(on index: Int, at now: Instant, into actions: inout ActionList) {
        guard case .starting = pool[index].life, pool[index].endOrder.givenAt == nil,
            let command = inFlight.command(in: pool[index].assigned), now >= command.assignedAt + CommandWatch.leastTime
        else { return }
        pool[index].endOrder = EndOrder(givenAt: now, isCutShort: true)
        endTasks(index, atOnce: false, at: now, into: &actions)
    }

    /// Kills what was to end on an engine and did not. Where that fails, because it waits on a device or the engine
    /// stands still, the engine is given up. Returns whether it was.
    mutating func keepEnding(on index: Int, at now: Instant, into actions: inout ActionList) -> Bool {
        guard let since = pool[index].endOrder.givenAt else { return false }
        if now >= since + configuration.closingPatience {
            giveUp(index, at: now, into: &actions)
            return true
        }
        if now >= since + configuration.earlyStopLimit { endTasks(index, atOnce: true, at: now, into: &actions) }
        return false
    }
}

extension SchedulerWarning {
    fileprivate static func slow(
        _ command: InFlight, of engine: EngineState, others: Int, at now: Instant
    ) -> SchedulerWarning {
        let number =
            switch engine.life {
            case .starting(let next), .stopping(let next): next + 1
            default: 1
            }
        // Some are told of a little early, together with others.
        let time = max(now - command.assignedAt + .milliseconds(500), CommandWatch.patience)
        let seconds = Int(time.components.seconds)
        return .commandSlow(
            engine.id, node: engine.node, command.kind == .perEngine(.stop) ? .stop : .start, number: number,
            seconds: seconds, others: others)
    }
}
