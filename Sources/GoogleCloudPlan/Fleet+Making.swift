import DisbatchCore

/// How many instances there are to be, and where they are made.
extension Fleet {
    /// How many instances the tasks can fill, within the limit.
    package var wanted: Int { rules.wanted(waiting: waiting, outstanding: outstanding) }

    /// Asks for instances, as many as are missing.
    ///
    /// Those that leave or are being deleted are there until they are gone: the limit holds for them too.
    mutating func makeMissing(_ now: Instant, _ actions: inout [FleetAction]) {
        guard !makesNoMore else { return }
        var promising = 0
        var inserting = 0
        for instance in instances.values {
            if instance.isPromising { promising += 1 }
            if instance.state == .inserting { inserting += 1 }
        }
        while promising < wanted, instances.count < rules.limit, inserting < rules.insertsAtOnce {
            let preemptions = vacancies.first ?? 0
            let model: ProvisioningModel =
                rules.wantsSpot && preemptions < max(rules.spotAttempts, 0) ? .spot : .standard
            guard let zone = zone(for: model, now) else { return }
            if !vacancies.isEmpty { vacancies.removeFirst() }
            insert(zone, model, preemptions, now, &actions)
            promising += 1
            inserting += 1
        }
    }

    private mutating func insert(
        _ zone: String, _ model: ProvisioningModel, _ preemptions: Int, _ now: Instant,
        _ actions: inout [FleetAction]
    ) {
        serial += 1
        let name = CloudNames.name(prefix: rules.namePrefix, serial: serial)
        add(
            FleetInstance(
                name: name, zone: zone, model: model, state: .inserting, preemptions: preemptions, begin: now,
                stateBegin: now))
        actions.append(.insert(name: name, zone: zone, model: model))
    }

    /// The first zone that may have room.
    private func zone(for model: ProvisioningModel, _ now: Instant) -> String? {
        rules.zones.first { (shortages[Place(zone: $0, model: model)]?.end ?? now) <= now }
    }

    // MARK: Failures

    mutating func insertFailed(
        _ name: String, _ kind: CloudErrorKind, _ message: String, _ now: Instant, _ actions: inout [FleetAction]
    ) {
        guard let instance = instances[name], instance.state != .deleting else { return }
        if instance.preemptions > 0, instance.isPromising { vacancies.insert(instance.preemptions, at: 0) }
        if kind.isAmbiguous {
            delete(name, now, &actions)
        } else {
            remove(name)
        }
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
        let zones = rules.zones.count == 1 ? "zone \(rules.zones[0]) has" : "none of the \(rules.zones.count) zones has"
        actions.append(.warn("\(zones) room for more instances; trying again later: \(message)"))
    }

    /// Takes a place's having room from an instance that was asked for after it had none.
    mutating func reopen(_ place: Place, asked: Instant) {
        guard let shortage = shortages[place], shortage.end <= asked else { return }
        shortages[place] = nil
        if shortages.isEmpty { hasToldOfShortage = false }
    }

    /// What was asked for before a place was closed tells nothing new of it.
    private mutating func close(_ place: Place, since begin: Instant, _ now: Instant) {
        var shortage = shortages[place] ?? Shortage(end: now)
        if shortage.failures > 0, shortage.end > now || shortage.end > begin { return }
        shortage.failures += 1
        shortage.end = now + rules.pause(failures: shortage.failures)
        shortages[place] = shortage
    }
}
