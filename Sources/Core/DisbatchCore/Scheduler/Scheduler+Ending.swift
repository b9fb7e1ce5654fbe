extension Scheduler {
    /// Ends the run when all is done, or nobody is left to do it.
    mutating func endIfNothingRemains(at now: Instant, into actions: inout ActionList) {
        if inFlight.taskCount == 0, queue.isExhausted { return close(.completed, at: now, into: &actions) }
        if pool.liveCount == 0, !pool.engines.isEmpty || expectsContexts == false, !mayHaveEngines {
            let isInOrder = pool.lastLeftInOrder || contexts.values.allSatisfy(\.isEnding)
            close(isInOrder ? .drained : .noEngine, at: now, into: &actions)
        }
    }

    /// Whether engines may come, though there may be none.
    private var mayHaveEngines: Bool {
        expectsContexts == true || expectsEngines || contexts.values.contains { $0.mayGrow && !$0.isDrained }
    }

    /// Starts nothing new on the engines meant.
    mutating func drain(_ scope: DrainScope, at now: Instant, into actions: inout ActionList) {
        guard phase == .running else { return }
        if scope == .run {
            phase = .draining
            ending = ending ?? .drained
        }
        if case .context(let context) = scope { contexts[context]?.isDrained = true }
        for index in pool.all() where scope.includes(pool[index]) {
            leave(index, returningWaiting: true, at: now, into: &actions)
        }
    }

    /// Ends the tasks that run in a context, and lets it start nothing more. Asked a second time, at once.
    mutating func endContext(_ context: ContextID, at now: Instant, into actions: inout ActionList) {
        guard phase != .stopping, phase != .flushing, let state = contexts[context] else { return }
        drain(.context(context), at: now, into: &actions)
        contexts[context]?.isEnding = true
        for index in pool.all() where pool[index].context == context {
            switch pool[index].life {
            case .launched, .joined: beginStop(index, at: now, into: &actions)
            case .stopping where !state.isEnding: break
            default: endTasks(index, atOnce: state.isEnding, at: now, into: &actions)
            }
        }
    }

    /// Ends all tasks that run. Asked a second time, at once.
    mutating func stop(_ reason: StopReason, at now: Instant, into actions: inout ActionList) {
        let isRepeated = phase == .stopping
        switch reason {
        case .interrupted(let signal): ending = isRepeated ? ending : .interrupted(signal: signal)
        case .recordBroken: ending = .recordBroken
        }
        guard phase != .flushing else { return }
        if phase == .closing {
            // Only STOP commands still run: they are what there is to end.
            for index in pool.all() where pool[index].isLive {
                endTasks(index, atOnce: true, at: now, into: &actions)
            }
            return
        }
        phase = .stopping
        queue.dropReturning()
        endAllTasks(atOnce: isRepeated, at: now, into: &actions)
    }

    mutating func failFast(at now: Instant, into actions: inout ActionList) {
        ending = .failedFast
        phase = .stopping
        queue.dropReturning()
        endAllTasks(atOnce: false, at: now, into: &actions)
    }

    private mutating func endAllTasks(atOnce: Bool, at now: Instant, into actions: inout ActionList) {
        for index in pool.all() where pool[index].isLive {
            endTasks(index, atOnce: atOnce, at: now, into: &actions)
            goIfEmpty(index, at: now, into: &actions)
        }
    }

    mutating func endTasks(_ index: Int, atOnce: Bool, at now: Instant, into actions: inout ActionList) {
        guard pool[index].isLive, pool[index].assigned.count > 0, !pool[index].isSilent else { return }
        // Nobody waits for ever for an engine that does not hear the second signal.
        if atOnce, phase == .stopping || phase == .closing {
            pool[index].endOrder.givenAt = pool[index].endOrder.givenAt ?? now
        }
        actions.order(.endTasks(pool[index].id, atOnce: atOnce))
    }

    /// Closes the run, while it drains or stops, when no engine has a task any more.
    mutating func closeIfEmpty(at now: Instant, into actions: inout ActionList) {
        guard inFlight.taskCount == 0 else { return }
        if phase == .draining, !queue.hasTasksLeft, queue.sourceEnd == .complete { ending = .completed }
        close(ending ?? .completed, at: now, into: &actions)
    }

    /// Shuts an engine down if it has no assignments and is to go.
    mutating func goIfEmpty(_ index: Int, at now: Instant, into actions: inout ActionList) {
        guard pool[index].isLive else { return }
        // It was told to go, and that its channel ends is part of that.
        if case .closing = pool[index].life { return }
        // Nobody waits out the lease of an engine that can't be told to end its tasks: they end by it.
        if phase == .stopping, pool[index].isSilent { return giveUp(index, at: now, into: &actions) }
        if pool[index].life == .leaving || phase == .stopping { beginStop(index, at: now, into: &actions) }
    }

    /// Sends all engines away; the run ends when they are gone.
    mutating func close(_ ending: RunEnding, at now: Instant, into actions: inout ActionList) {
        self.ending = ending
        phase = .closing
        for index in pool.all() where pool[index].isLive {
            beginStop(index, at: now, into: &actions)
        }
        guard pool.liveCount == 0 else { return }
        phase = .flushing
        actions.order(.awaitRows)
    }
}

extension DrainScope {
    fileprivate func includes(_ engine: EngineState) -> Bool {
        switch self {
        case .run: true
        case .context(let context): engine.context == context
        case .engine(let id): engine.id == id
        }
    }
}
