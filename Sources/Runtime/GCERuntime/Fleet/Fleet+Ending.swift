import DisbatchCore

/// Which instances go, and when something is to be looked at again.
extension Fleet {
    /// Ends what takes too long, and asks again for deletions that failed.
    mutating func checkLimits(_ now: Instant, _ actions: inout [FleetAction]) {
        for name in order {
            guard let instance = instances[name], let limit = limit(of: instance), limit <= now else { continue }
            switch instance.state {
            case .starting, .connecting:
                let what = instance.state == .starting ? "it does not start" : "it can't be connected to"
                actions.append(.warn("\(name): \(what) within \(rules.startLimit)"))
                delete(name, now, &actions)
                if !instance.wasReady { countFailure("\(name): \(what)", &actions) }
            case .leaving, .deleting: delete(name, now, &actions)
            case .inserting, .ready: break
            }
        }
    }

    /// When an instance has been in its state for too long. A request is always answered.
    private func limit(of instance: FleetInstance) -> Instant? {
        switch instance.state {
        case .inserting, .ready: nil
        case .starting, .connecting: instance.stateBegin + rules.startLimit
        case .leaving: instance.stateBegin + rules.preemptionLimit
        case .deleting: instance.deleteAt
        }
    }

    /// Deletes what nobody has work for: what has no engine yet before what has one, and the newest first.
    mutating func removeSurplus(_ now: Instant, _ actions: inout [FleetAction]) {
        let candidates = surplusInstances()
        // Those that are wanted again begin to linger anew, but for engines that have had no task since.
        let chosen = Set(candidates)
        for name in order where instances[name]?.state != .ready && !chosen.contains(name) {
            instances[name]?.idleSince = nil
        }
        for name in candidates {
            guard let instance = instances[name] else { continue }
            let since = instance.idleSince ?? now
            instances[name]?.idleSince = since
            guard isDraining || since + rules.linger <= now else { continue }
            if instance.state == .inserting {
                instances[name]?.isUnwanted = true
            } else {
                letGo(name, now, &actions)
            }
        }
        if waiting == 0, outstanding == 0 { vacancies.removeAll() }
    }

    /// Those that nobody has work for; while the fleet drains, all that have none.
    private func surplusInstances() -> [String] {
        guard knowsDemand || isDraining else { return [] }
        let surplus = instances.values.count(where: \.isPromising) - (isDraining ? 0 : wanted)
        return surplus > 0 ? Array(idleInstances().prefix(surplus)) : []
    }

    private func idleInstances() -> [String] {
        let promising = order.reversed().filter { instances[$0]?.isPromising == true }
        return promising.filter { instances[$0]?.state == .inserting }
            + promising.filter { [.starting, .connecting].contains(instances[$0]?.state) }
            + promising.filter { instances[$0]?.state == .ready && instances[$0]?.isBusy == false }
    }

    /// When the next thing is due.
    func nextTime(_ now: Instant) -> Instant? {
        var times = instances.values.compactMap { limit(of: $0) } + engineTimes
        if !isDraining {
            for name in surplusInstances() {
                if let since = instances[name]?.idleSince { times.append(since + rules.linger) }
            }
        }
        if !makesNoMore, instances.values.count(where: \.isPromising) < wanted, instances.count < rules.limit {
            times += shortages.values.map(\.end).filter { $0 > now }
        }
        return times.min()
    }
}
