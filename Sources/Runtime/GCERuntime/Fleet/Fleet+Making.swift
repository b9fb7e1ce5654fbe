import DisbatchCore

/// How many instances there are to be, and where they are made.
extension Fleet {
    /// How many instances the tasks can fill, within the limit.
    var wanted: Int { rules.wanted(waiting: waiting, outstanding: outstanding) }

    /// Asks for instances, as many as are missing.
    ///
    /// Those that leave or are being deleted are there until they are gone: the limit holds for them too.
    mutating func makeMissing(_ now: Instant, _ actions: inout [FleetAction]) {
        guard !makesNoMore else { return }
        var promising = 0
        var requests = 0
        for instance in instances.values {
            if instance.isPromising { promising += 1 }
            if instance.state == .inserting, instance.leadsRequest { requests += 1 }
        }
        var missing = min(wanted - promising, rules.limit - instances.count)
        while missing > 0, requests < rules.insertsAtOnce {
            let model = nextModel(0)
            guard let zone = zone(for: model, now) else { return }
            let count = countAtOnce(missing, model)
            insert(count, zone, model, now, &actions)
            missing -= count
            requests += 1
        }
    }

    /// The model of the instance that takes the vacancy with this index.
    private func nextModel(_ place: Int) -> ProvisioningModel {
        let preemptions = place < vacancies.count ? vacancies[place] : 0
        return rules.wantsSpot && preemptions < max(rules.spotAttempts, 0) ? .spot : .standard
    }

    /// How many of those that are missing the next request asks for: they are alike, and follow each other.
    private func countAtOnce(_ missing: Int, _ model: ProvisioningModel) -> Int {
        let limit = min(missing, bulkLimit)
        guard limit >= rules.bulkMinimum else { return 1 }
        // Behind the vacancies all are alike.
        let others = (0..<min(limit, vacancies.count + 1)).first { nextModel($0) != model }
        let count = others ?? limit
        return count >= rules.bulkMinimum ? count : 1
    }

    private mutating func insert(
        _ count: Int, _ zone: String, _ model: ProvisioningModel, _ now: Instant, _ actions: inout [FleetAction]
    ) {
        var names: [String] = []
        for _ in 0..<count {
            serial += 1
            let name = CloudNames.name(prefix: rules.namePrefix, serial: serial)
            let preemptions = vacancies.isEmpty ? 0 : vacancies.removeFirst()
            var instance = FleetInstance(
                name: name, zone: zone, model: model, state: .inserting, preemptions: preemptions, begin: now,
                stateBegin: now)
            instance.leadsRequest = names.isEmpty
            add(instance)
            names.append(name)
        }
        actions.append(
            count == 1
                ? .insert(name: names[0], zone: zone, model: model)
                : .insertBulk(names: names, zone: zone, model: model))
    }

    /// The first zone that may have room.
    private func zone(for model: ProvisioningModel, _ now: Instant) -> String? {
        rules.zones.first { (shortages[Place(zone: $0, model: model)]?.end ?? now) <= now }
    }

    // MARK: Failures

    mutating func insertFailed(
        _ name: String, _ kind: CloudErrorKind, _ message: String, _ now: Instant, _ actions: inout [FleetAction]
    ) {
        guard let instance = takeBack(name, kind, now, &actions) else { return }
        guard kind != .cancelled, !makesNoMore else { return }
        if kind.isShortage {
            shorten(instance, kind, message, now, &actions)
        } else if kind.isPassing {
            actions.append(.warn("\(name) can't be made: \(message)"))
            close(Place(zone: instance.zone, model: instance.model), since: instance.begin, now)
            countFailure("\(name) can't be made: \(message)", &actions)
        } else {
            giveUp("\(name) can't be made in \(instance.zone): \(message)", &actions)
        }
    }

    /// Gives up an instance that was asked for: forgets it, or has it deleted where it may be there.
    private mutating func takeBack(
        _ name: String, _ kind: CloudErrorKind, _ now: Instant, _ actions: inout [FleetAction]
    ) -> FleetInstance? {
        guard let instance = instances[name], instance.state != .deleting else { return nil }
        if instance.preemptions > 0, instance.isPromising { vacancies.insert(instance.preemptions, at: 0) }
        if kind.isAmbiguous {
            delete(name, now, &actions)
        } else {
            remove(name)
        }
        return instance
    }

    /// Handles a failed request for several instances: one failure, however many they were.
    mutating func bulkFailed(
        _ names: [String], _ kind: CloudErrorKind, _ message: String, isRefused: Bool, _ now: Instant,
        _ actions: inout [FleetAction]
    ) {
        // From the last on, so that vacancies are in their order again.
        let failed = names.reversed().compactMap { takeBack($0, kind, now, &actions) }
        guard let first = failed.last, kind != .cancelled, !makesNoMore else { return }
        let many = "\(failed.count) instances can't be made in \(first.zone)"
        if kind == .quota, isRefused, failed.count > 1 {
            // All or nothing: fewer may fit.
            bulkLimit = failed.count / 2
        } else if kind.isShortage {
            shorten(first, kind, message, now, &actions)
        } else if kind.isPassing {
            actions.append(.warn("\(many): \(message)"))
            close(Place(zone: first.zone, model: first.model), since: first.begin, now)
            if isRefused { countFailure("\(many): \(message)", &actions) }
        } else if isRefused {
            // One by one they may be; if not, the error is that one's.
            bulkLimit = 1
            actions.append(.warn("\(many) at once, and are made one by one: \(message)"))
        } else {
            giveUp("\(many): \(message)", &actions)
        }
    }

    /// Leaves a zone alone for a while, with those of its region where what is short is the project's quota there.
    private mutating func shorten(
        _ instance: FleetInstance, _ kind: CloudErrorKind, _ message: String, _ now: Instant,
        _ actions: inout [FleetAction]
    ) {
        let region = CloudNames.region(ofZone: instance.zone)
        for zone in rules.zones
        where zone == instance.zone || kind == .quota && CloudNames.region(ofZone: zone) == region {
            close(Place(zone: zone, model: instance.model), since: instance.begin, now)
        }
        guard zone(for: instance.model, now) == nil, !hasToldOfShortage else { return }
        hasToldOfShortage = true
        let zones =
            rules.zones.count == 1 ? "zone \(rules.zones[0]) has no" : "none of the \(rules.zones.count) zones has"
        actions.append(.warn("\(zones) room for more instances; trying again later: \(message)"))
    }

    /// Takes a place's having room from an instance that was asked for after it had none.
    mutating func reopen(_ place: Place, asked: Instant) {
        guard let shortage = shortages[place], shortage.end <= asked else { return }
        shortages[place] = nil
        if shortages.isEmpty { hasToldOfShortage = false }
    }

    /// Closes a place, unless the request that failed began before it was closed the last time.
    private mutating func close(_ place: Place, since begin: Instant, _ now: Instant) {
        var shortage = shortages[place] ?? Shortage(end: now)
        if shortage.failures > 0, shortage.end > now || shortage.end > begin { return }
        shortage.failures += 1
        shortage.end = now + rules.pause(failures: shortage.failures)
        shortages[place] = shortage
    }
}
