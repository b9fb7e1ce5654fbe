import DisbatchCore

/// Instances whose engines come and go.
extension Fleet {
    mutating func engineReady(_ name: String, _ now: Instant) {
        instances[name]?.retryUntil = nil
        guard let instance = instances[name], instance.state == .connecting else { return }
        move(name, to: .ready, now)
        instances[name]?.wasReady = true
        instances[name]?.idleSince = instance.isBusy ? nil : now
        failures = 0
    }

    /// An instance that had an engine may get another; one that never had goes.
    mutating func engineFailed(
        _ name: String, _ message: String, _ now: Instant, _ actions: inout [FleetAction]
    ) {
        guard let instance = instances[name] else { return }
        switch instance.state {
        case .ready:
            move(name, to: .connecting, now)
            instances[name]?.isBusy = false
            actions.append(.connect(name: name, zone: instance.zone))
        case .starting, .connecting, .inserting:
            actions.append(.warn("\(name): no engine: \(message)"))
            if instance.state == .inserting { instances[name]?.isUnwanted = true } else { delete(name, now, &actions) }
            if !instance.wasReady { countFailure("\(name): no engine: \(message)", &actions) }
        case .leaving, .deleting: break
        }
    }

    /// The engine that was launched is gone.
    mutating func engineEnded(
        _ name: String, _ departure: EngineDeparture, _ now: Instant, _ actions: inout [FleetAction]
    ) {
        guard let instance = instances[name], instance.hasEngine else { return }
        instances[name]?.hasEngine = false
        // Where it could not be logged in to, nothing can be left.
        let isRetried = departure != .inOrder && now < instance.retryUntil ?? now
        if departure != .inOrder, !isRetried { instances[name]?.mayHaveRemains = true }
        if instance.isDraining {
            deleteDrained(name, &actions)
        } else if instance.wasPreempted || hasEnded {
            return
        } else if isRetried {
            instances[name]?.reconnectAt = now + rules.retryPause
        } else if case .failed(let reason) = departure {
            engineFailed(name, reason, now, &actions)
        } else {
            // The driver sent it away, perhaps because the run is over: which would be said next.
            instances[name]?.stopAt = now + rules.endNotice
        }
    }

    /// Deletes an instance whose engine has gone for that, or has no more time to.
    mutating func deleteDrained(_ name: String, _ actions: inout [FleetAction]) {
        guard let instance = instances[name], instance.isDraining else { return }
        instances[name]?.isDraining = false
        actions.append(.delete(name: name, zone: instance.zone))
    }

    /// Does what was put off when an engine ended.
    mutating func checkEngines(_ now: Instant, _ actions: inout [FleetAction]) {
        guard !hasEnded else { return }
        for name in order {
            if let time = instances[name]?.stopAt, time <= now {
                instances[name]?.stopAt = nil
                stopped(name, now, &actions)
            }
            if let instance = instances[name], let time = instance.reconnectAt, time <= now {
                instances[name]?.reconnectAt = nil
                if instance.state == .connecting { actions.append(.connect(name: name, zone: instance.zone)) }
            }
        }
    }

    /// When something that was put off is due.
    var engineTimes: [Instant] {
        hasEnded ? [] : instances.values.flatMap { [$0.stopAt, $0.reconnectAt].compactMap { $0 } }
    }
}
