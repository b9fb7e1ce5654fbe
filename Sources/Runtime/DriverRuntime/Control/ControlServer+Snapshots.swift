import DisbatchCore

/// News of the run for clients, and clients' requests.
extension ControlServer {
    func sendSnapshot(to peer: ControlPeer) {
        let now = RunClock.now
        peer.nextSnapshot = peer.interval.map { now + $0 } ?? .distantFuture
        // Who does not read is told less often.
        guard peer.hasRoom else { return }
        let totals = driver.machine.scheduler.totals
        var snapshot = RunSnapshot()
        snapshot.phase = driver.machine.scheduler.shownPhase
        snapshot.time = RunClock.wall
        snapshot.start = driver.startTime
        snapshot.totals = totals
        snapshot.totalTasks = driver.machine.policy.totalTasks
        snapshot.running = driver.machine.scheduler.runningCount
        rate.note(totals.finished, at: now)
        let seconds = Double(snapshot.time.microseconds - snapshot.start.microseconds) / 1e6
        let average = seconds > 0 ? Double(totals.finished) / seconds : 0
        snapshot.rate = rate.perSecond > 0 ? rate.perSecond : average
        snapshot.engines = changedEngines(for: peer)
        snapshot.failures = failures.since(peer.toldFailures)
        peer.toldFailures = failures.count
        peer.send(.snapshot(snapshot))
    }

    private func changedEngines(for peer: ControlPeer) -> [EngineSnapshot] {
        var changed: [EngineSnapshot] = []
        for index in 0..<driver.machine.scheduler.engineCount {
            var engine = driver.machine.scheduler.shownEngine(index)
            engine.label = driver.machine.contexts[engine.context.rawValue].plan.label
            if let connection = driver.engines[engine.id] {
                engine.heard = RunClock.wall(of: connection.heard)
                engine.cpuShare = connection.processors.share
            } else if index < peer.toldEngines.count {
                engine.heard = peer.toldEngines[index].heard
            }
            if index == peer.toldEngines.count {
                peer.toldEngines.append(engine)
            } else if peer.toldEngines[index] != engine {
                peer.toldEngines[index] = engine
            } else {
                continue
            }
            changed.append(engine)
        }
        return changed
    }

    /// Does what a client wants, and says what comes of it.
    func obey(_ control: RunControl) -> (isDone: Bool, text: String) {
        switch control {
        case .drain:
            driver.reporter.show(.info, "dbutil: no new task starts; the run ends when the running ones have")
            driver.tell(.tasks(.drainRequested(.run)))
            return (true, "no new task starts; the run ends when the running ones have")
        case .stop:
            driver.reporter.show(.info, "dbutil: ending the running tasks")
            driver.tell(.tasks(.stopRequested(.interrupted(signal: SignalNumber.terminate))))
            return (true, "the running tasks are ended, and the run with them")
        case .stopEngine(let engine):
            guard driver.machine.scheduler.isLive(engine) else {
                return (false, "there is no engine \(engine.rawValue) to be stopped")
            }
            driver.tell(.tasks(.drainRequested(.engine(engine))))
            return (true, "engine \(engine.rawValue) takes no more tasks, and goes when its running ones have ended")
        case .kill(let task): return kill(task)
        case .stopContext(let label):
            let open = driver.machine.contexts.filter { !$0.isOver }
            guard let context = open.first(where: { $0.plan.label == label }) else {
                let labels = open.map(\.plan.label).joined(separator: ", ")
                return (false, "there is no context \(label); there is \(labels.isEmpty ? "none" : labels)")
            }
            driver.tell(.contextStopped(context.id))
            return (true, "context \(label) takes no more tasks, and goes when its running ones have ended")
        }
    }

    private func kill(_ task: TaskID) -> (isDone: Bool, text: String) {
        let number = "task \(task.rawValue)"
        switch driver.machine.scheduler.standing(of: task) {
        case .assigned(let assigned) where assigned.isStaging:
            return (false, "\(number) has ended; its files are on their way home")
        case .assigned(let assigned):
            driver.reporter.show(.info, "dbutil: ending \(number)")
            driver.tell(.tasks(.killRequested(task)))
            let place = "\(number) on \(assigned.node) (engine \(assigned.engine.rawValue))"
            if assigned.isOutOfReach {
                return (true, "\(place) can't be reached: it ends by the engine's lease, and is not run again")
            }
            if assigned.isKilled { return (true, "\(place) is killed") }
            return (true, "\(place) is ended, and is not run again; asked again, at once")
        case .waiting: return (false, "\(number) waits to be started: only what runs can be ended")
        case .unread, .ended: return (false, reasonThatNoneRuns(task))
        }
    }

    func reasonThatNoneRuns(_ task: TaskID) -> String {
        let number = "task \(task.rawValue)"
        guard driver.machine.scheduler.standing(of: task) == .unread else {
            return "\(number) has ended; dbutil --show \(task.rawValue) tells of it"
        }
        return driver.machine.scheduler.sourceEnd == .complete
            ? "there is no \(number)" : "\(number) has not been read yet, if there is one"
    }
}
