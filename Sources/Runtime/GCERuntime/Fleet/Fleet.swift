import DisbatchCore

/// Decides how many instances there are, where, and when each goes.
///
/// A value without clock, random numbers and I/O: events and the time go in, actions come out. Whatever it asked to be
/// made stays known to it, and is deleted, until it is told that it is gone.
struct Fleet: Sendable {
    /// A zone and a kind of instance, which may have no room.
    struct Place: Hashable {
        var zone: String
        var model: ProvisioningModel
    }

    /// How a place without room is doing.
    struct Shortage {
        var failures = 0
        /// The time until which the place is left alone.
        var end: Instant
    }

    let rules: FleetRules
    /// By name; all that may exist.
    var instances: [String: FleetInstance] = [:]
    /// The history of the instances that are gone.
    var summary = FleetSummary()
    /// Names in the order of their making, oldest first, for what happens to several at once.
    var order: [String] = []
    /// Whether it was told how many tasks there are: before that, what is found is neither too much nor enough.
    var knowsDemand = false
    var waiting = 0
    var outstanding = 0
    var serial = 0
    /// For each instance that is to be replaced, how many preemptions its place has seen.
    var vacancies: [Int] = []
    var shortages: [Place: Shortage] = [:]
    var failures = 0
    var hasGivenUp = false
    var hasToldOfShortage = false
    /// How many instances one request may ask for, as far as is known.
    var bulkLimit: Int
    var isDraining = false
    var hasEnded = false
    private var timer: Instant?

    init(rules: FleetRules) {
        self.rules = rules
        bulkLimit = rules.bulkMaximum
    }

    /// Whether nothing is left that this fleet has to do.
    var isEmpty: Bool { instances.isEmpty }

    /// Whether no more instances are made, for good.
    var makesNoMore: Bool { hasGivenUp || isDraining || hasEnded }

    /// The fleet's history until now.
    func summary(at now: Instant) -> FleetSummary {
        var result = summary
        for instance in instances.values { result.add(instance, until: now) }
        return result
    }

    /// Takes an event, and appends what is to be done, in that order.
    mutating func handle(_ event: FleetEvent, at now: Instant, into actions: inout [FleetAction]) {
        take(event, now, &actions)
        checkLimits(now, &actions)
        checkEngines(now, &actions)
        removeSurplus(now, &actions)
        makeMissing(now, &actions)
        let next = nextTime(now)
        if next != timer {
            timer = next
            actions.append(.setTimer(next))
        }
    }

    // MARK: Events

    private mutating func take(_ event: FleetEvent, _ now: Instant, _ actions: inout [FleetAction]) {
        switch event {
        case .demandChanged(let waiting, let outstanding):
            (self.waiting, self.outstanding) = (max(0, waiting), max(0, outstanding))
            knowsDemand = true
        case .insertAccepted(let name): accepted(name, now, &actions)
        case .insertFailed(let name, let kind, let message): insertFailed(name, kind, message, now, &actions)
        case .bulkFailed(let names, let kind, let message, let isRefused):
            bulkFailed(names, kind, message, isRefused: isRefused, now, &actions)
        case .instanceFound(let name, let zone, let model): found(name, zone, model, now, &actions)
        case .instanceRunning(let name): running(name, now, &actions)
        case .engineLaunched(let name): instances[name]?.hasEngine = true
        case .engineReady(let name): engineReady(name, now)
        case .engineFailed(let name, let message): engineFailed(name, message, now, &actions)
        case .engineEnded(let name, let departure): engineEnded(name, departure, now, &actions)
        case .instanceBusy(let name): instances[name]?.isBusy = true
        case .instanceIdle(let name):
            instances[name]?.isBusy = false
            if instances[name]?.state == .ready { instances[name]?.idleSince = now }
        case .instancePreempted(let name): preempted(name, now, &actions)
        case .instanceStopped(let name): stopped(name, now, &actions)
        case .instanceGone(let name): gone(name, now, &actions)
        case .deleteFailed(let name, let message): deleteFailed(name, message, now, &actions)
        case .timerFired: timer = nil
        case .draining: isDraining = true
        case .ended: end(now, &actions)
        }
        if let name = event.busyName { instances[name]?.idleSince = nil }
    }

    private mutating func accepted(_ name: String, _ now: Instant, _ actions: inout [FleetAction]) {
        guard let instance = instances[name], instance.state == .inserting else { return }
        move(name, to: .starting, now)
        if instance.isUnwanted { delete(name, now, &actions) }
    }

    private mutating func running(_ name: String, _ now: Instant, _ actions: inout [FleetAction]) {
        guard let instance = instances[name] else { return }
        if instance.runningSince == nil {
            instances[name]?.runningSince = now
            summary.instances += 1
        }
        switch instance.state {
        case .inserting where instance.isUnwanted: delete(name, now, &actions)
        case .inserting, .starting:
            move(name, to: .connecting, now)
            reopen(Place(zone: instance.zone, model: instance.model), asked: instance.begin)
            actions.append(.connect(name: name, zone: instance.zone))
        case .connecting, .ready, .leaving, .deleting: break
        }
    }

    private mutating func preempted(_ name: String, _ now: Instant, _ actions: inout [FleetAction]) {
        guard let instance = instances[name], instance.state != .leaving else { return }
        guard instance.state != .deleting else { return }
        instances[name]?.wasPreempted = true
        if instance.hasEngine { actions.append(.drain(name: name)) }
        summary.preempted += 1
        vacancies.append(instance.preemptions + 1)
        move(name, to: .leaving, now)
    }

    private mutating func found(
        _ name: String, _ zone: String, _ model: ProvisioningModel, _ now: Instant, _ actions: inout [FleetAction]
    ) {
        guard instances[name] == nil, instances.count < rules.limit, !makesNoMore else { return }
        var instance = FleetInstance(
            name: name, zone: zone, model: model, state: .starting, preemptions: 0, begin: now, stateBegin: now)
        instance.retryUntil = now + rules.keyLimit
        add(instance)
        summary.found += 1
    }

    mutating func stopped(_ name: String, _ now: Instant, _ actions: inout [FleetAction]) {
        guard let instance = instances[name], instance.state != .deleting else { return }
        delete(name, now, &actions)
        lose(instance, "shut down", &actions)
    }

    private mutating func gone(_ name: String, _ now: Instant, _ actions: inout [FleetAction]) {
        guard let instance = instances[name] else { return }
        remove(name)
        summary.add(instance, until: now)
        lose(instance, "gone", &actions)
    }

    /// Handles the end of an instance that nobody asked for. An instance that never had an engine has failed; one that
    /// had and could be preempted most likely was.
    private mutating func lose(_ instance: FleetInstance, _ what: String, _ actions: inout [FleetAction]) {
        guard instance.isPromising, !makesNoMore else { return }
        if !instance.wasReady {
            countFailure("\(instance.name) was \(what) before it had an engine", &actions)
        } else if instance.model == .spot {
            vacancies.append(instance.preemptions + 1)
        }
    }

    private mutating func deleteFailed(
        _ name: String, _ message: String, _ now: Instant, _ actions: inout [FleetAction]
    ) {
        guard let instance = instances[name], instance.state == .deleting else { return }
        let failures = instance.deleteFailures + 1
        instances[name]?.deleteFailures = failures
        instances[name]?.deleteAt = now + rules.pause(failures: failures)
        guard failures == 1 else { return }
        let command = "gcloud compute instances delete \(name) --zone \(instance.zone)"
        actions.append(.warn("\(name) can't be deleted, and is tried again: \(message)\nby hand: \(command)"))
    }

    private mutating func end(_ now: Instant, _ actions: inout [FleetAction]) {
        (isDraining, hasEnded) = (true, true)
        for name in order {
            deleteDrained(name, &actions)
            guard let instance = instances[name], instance.isPromising else { continue }
            switch instance.state {
            case .inserting: instances[name]?.isUnwanted = true
            // What may still run something is not for others.
            case .ready where instance.hasEngine || instance.mayHaveRemains: delete(name, now, &actions)
            default: letGo(name, now, &actions)
            }
        }
    }

    // MARK: Instances

    mutating func add(_ instance: FleetInstance) {
        instances[instance.name] = instance
        order.append(instance.name)
    }

    mutating func move(_ name: String, to state: FleetInstance.State, _ now: Instant) {
        instances[name]?.state = state
        instances[name]?.stateBegin = now
    }

    /// Asks for its deletion. An engine that may just have been given a task goes first.
    mutating func delete(_ name: String, _ now: Instant, _ actions: inout [FleetAction]) {
        guard let instance = instances[name] else { return }
        move(name, to: .deleting, now)
        instances[name]?.deleteAt = nil
        instances[name]?.isDraining = instance.hasEngine && !instance.wasPreempted && !hasEnded
        actions.append(
            instances[name]?.isDraining == true ? .drain(name: name) : .delete(name: name, zone: instance.zone))
    }

    /// Deletes it, or leaves it to its pool at the end.
    mutating func letGo(_ name: String, _ now: Instant, _ actions: inout [FleetAction]) {
        guard let instance = instances[name], isDraining, rules.staysInPool, instance.state == .ready else {
            return delete(name, now, &actions)
        }
        remove(name)
        summary.add(instance, until: now)
        actions.append(.release(name: name, zone: instance.zone))
    }

    mutating func remove(_ name: String) {
        instances[name] = nil
        order.removeAll { $0 == name }
    }

    /// Counts what has nothing to do with want of room; too much of it in a row is the end.
    mutating func countFailure(_ reason: String, _ actions: inout [FleetAction]) {
        failures += 1
        if failures >= rules.failureLimit { giveUp("\(reason) (\(failures) failures in a row)", &actions) }
    }

    mutating func giveUp(_ reason: String, _ actions: inout [FleetAction]) {
        guard !hasGivenUp else { return }
        hasGivenUp = true
        actions.append(.giveUp(reason: reason))
    }
}

extension FleetEvent {
    /// Whom it says to have work.
    fileprivate var busyName: String? { if case .instanceBusy(let name) = self { name } else { nil } }
}
