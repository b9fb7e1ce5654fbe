import DisbatchCore
import GoogleAPI
import LinuxSystem
import RelayRuntime

/// Engines on virtual machines that come and go: ``Fleet`` decides, workers ask Google, the relay logs in.
final class GCEBackend: ElasticBackend {
    /// The engines of an instance.
    struct Machine {
        var isReachable = false
        var engine: EngineID?
        /// Engines that it had, of which nobody knows that nothing is left.
        var unproved: [EngineID] = []
    }

    weak var relay: Relay?
    var fleet: Fleet
    private let request: InstanceRequest
    /// The plan of every engine, but for its node.
    private let engine: EnginePlan
    let workers: CloudWorkers
    private let login: CloudLogin
    var machines: [String: Machine] = [:]
    private var names: [EngineID: String] = [:]
    /// Instances whose engines were offered, by their indices in the plan.
    private var offered: [Int: String] = [:]
    private var timer: Instant?
    var nextList = Instant.distantFuture
    private var listBegan = Instant(nanoseconds: 0)
    private var isListing = false
    var endLimit: Instant?
    var pool: CloudPool

    static let listInterval = Duration.seconds(5)
    /// The longest that the end of the run waits for Google to delete instances.
    private static let endPatience = Duration.seconds(100)
    private static let endPatienceInHaste = Duration.seconds(10)

    init(
        _ rules: FleetRules, _ request: InstanceRequest, engine: EnginePlan, _ workers: CloudWorkers,
        _ login: CloudLogin
    ) {
        fleet = Fleet(rules: rules)
        self.request = request
        self.engine = engine
        self.workers = workers
        self.login = login
        pool = CloudPool(name: request.settings.pool)
    }

    var descriptor: Int32 { workers.wakeup.raw }
    var deadline: Instant {
        min(timer ?? .distantFuture, nextList, endLimit ?? .distantFuture)
    }

    /// The fleet's history, in a line.
    var summary: String { fleet.summary(at: Relay.now()).text + pool.summary }

    /// The instances that may still be there.
    var namesLeft: [String] { fleet.instances.keys.sorted() }

    // MARK: The fleet

    func tell(_ event: FleetEvent) {
        var actions: [FleetAction] = []
        fleet.handle(event, at: Relay.now(), into: &actions)
        actions.forEach(perform)
    }

    private func perform(_ action: FleetAction) {
        switch action {
        case .insert(let name, let zone, let model):
            expect(name, zone, model)
            workers.submit(.insert(name: name, zone: zone, body: request.body(name: name, zone: zone, model: model)))
        case .insertBulk(let names, let zone, let model):
            for name in names { expect(name, zone, model) }
            let body = request.bulkBody(names: names, zone: zone, model: model)
            workers.submit(.insertBulk(names: names, zone: zone, body: body))
        case .connect(let name, _): connect(name)
        case .delete(let name, let zone): delete(name, zone)
        case .drain(let name): if let engine = machines[name]?.engine { relay?.leave(engine) }
        case .release(let name, let zone): release(name, zone)
        case .setTimer(let time): timer = time
        case .giveUp(let reason):
            relay?.log(.error, "no more machines: \(reason)")
            relay?.complete()
        case .warn(let text): relay?.log(.warning, text)
        }
    }

    /// Notes that an instance is about to be asked for.
    private func expect(_ name: String, _ zone: String, _ model: ProvisioningModel) {
        machines[name] = Machine()
        relay?.log(.info, "making \(name) in \(zone), \(model.rawValue)")
        listSoon()
    }

    /// Has instances looked at from now on, if they are not.
    func listSoon() {
        if nextList == .distantFuture { nextList = Relay.now() + Self.listInterval }
    }

    /// Offers an engine of an instance, unless that can't be reached yet: then it is offered as soon as it can.
    private func connect(_ name: String) {
        guard machines[name]?.isReachable == true else { return }
        var plan = engine
        plan.node = name
        plan.place = .ssh(host: name)
        if let index = relay?.offer(plan) { offered[index] = name }
    }

    private func delete(_ name: String, _ zone: String) {
        relay?.log(.info, "deleting \(name)")
        workers.submit(.delete(name: name, zone: zone))
    }

    // MARK: Google's word

    func takeEvents() {
        for event in workers.takeEvents() { take(event) }
    }

    private func take(_ event: CloudWorkers.Event) {
        switch event {
        case .accepted(let name): tell(.insertAccepted(name))
        case .insertFailed(let name, let kind, let message):
            tell(.insertFailed(name, kind, message: message))
            forgetUnknown([name])
        case .bulkFailed(let names, let kind, let message, let isRefused):
            tell(.bulkFailed(names, kind, message: message, isRefused: isRefused))
            forgetUnknown(names)
        case .running(let name): tell(.instanceRunning(name))
        case .reachable(let name, let address, let keys): reachable(name, address, keys)
        case .unreachable(let name, let message): tell(.engineFailed(name, message: message))
        case .deleted(let name): gone(name)
        case .deleteFailed(let name, let message): tell(.deleteFailed(name, message: message))
        case .listed(let found):
            isListing = false
            for name in machines.keys.sorted() { compare(name, found[name]) }
        case .listFailed(let message):
            isListing = false
            relay?.log(.warning, message)
        case .cleanedUp(let run, let count):
            if count > 0 { relay?.log(.warning, "deleted \(count) machines that run \(run) left") }
        case .cleanUpFailed(let run, let message):
            relay?.log(.warning, "what run \(run) left is not deleted: \(message); dbutil --gce-cleanup \(run)")
        case .discovered, .discoveryFailed, .claimed, .claimFailed, .released, .releaseFailed: takePoolEvent(event)
        }
    }

    private func reachable(_ name: String, _ address: String, _ keys: [String]) {
        guard machines[name] != nil else { return }
        do throws(SystemError) { try login.add(name, address: address, hostKeys: keys) } catch {
            return tell(.engineFailed(name, message: "\(error)"))
        }
        relay?.log(.info, "\(name) is at \(address)")
        machines[name]?.isReachable = true
        if fleet.instances[name]?.state == .connecting { connect(name) }
    }

    /// Forgets instances that the fleet knows no more: they never came to be.
    private func forgetUnknown(_ names: [String]) {
        for name in names where fleet.instances[name] == nil { machines[name] = nil }
    }

    /// Compares an instance with what Google says of it.
    private func compare(_ name: String, _ found: CloudInstance?) {
        // A list that began before it was asked for does not tell of it.
        guard let machine = machines[name], let instance = fleet.instances[name], instance.begin < listBegan else {
            return
        }
        guard let found else {
            // It may be in the making.
            if machine.isReachable { gone(name) }
            return
        }
        switch found.status {
        case "STOPPING" where instance.state != .leaving && instance.state != .deleting:
            relay?.log(.warning, "\(name) is taken back")
            tell(.instancePreempted(name))
        case "TERMINATED", "SUSPENDED": tell(.instanceStopped(name))
        default: break
        }
    }

    /// Notes that an instance is gone, and with it all of its engines.
    private func gone(_ name: String) {
        guard let machine = machines.removeValue(forKey: name) else { return }
        relay?.log(.info, "\(name) is gone")
        for engine in machine.unproved + (machine.engine.map { [$0] } ?? []) { relay?.confirmGone(engine) }
        tell(.instanceGone(name))
    }

    // MARK: The relay's word

    func keepTime() {
        let now = Relay.now()
        if let time = timer, now >= time {
            timer = nil
            tell(.timerFired)
        }
        guard now >= nextList else { return }
        nextList = machines.isEmpty ? .distantFuture : now + Self.listInterval
        guard !machines.isEmpty, !isListing else { return }
        isListing = true
        listBegan = now
        workers.submit(.list)
    }

    func demandChanged(_ demand: RelayDemand) {
        let idle = Set(demand.idle)
        for (name, machine) in machines {
            guard let engine = machine.engine, let instance = fleet.instances[name], instance.state == .ready,
                instance.isBusy == idle.contains(engine)
            else { continue }
            tell(instance.isBusy ? .instanceIdle(name) : .instanceBusy(name))
        }
        if !isHeldBack(demand) { tellDemand(demand) }
    }

    func launched(_ id: EngineID, planIndex: Int) {
        guard let name = offered.removeValue(forKey: planIndex), machines[name] != nil else { return }
        names[id] = name
        machines[name]?.engine = id
        tell(.engineLaunched(name))
    }

    func spoke(_ id: EngineID) {
        if let name = names[id] { tell(.engineReady(name)) }
    }

    func ended(_ id: EngineID, _ departure: EngineDeparture) {
        guard let name = names.removeValue(forKey: id), machines[name]?.engine == id else { return }
        machines[name]?.engine = nil
        if departure != .inOrder { machines[name]?.unproved.append(id) }
        tell(.engineEnded(name, departure))
    }

    // MARK: The end

    func end() {
        endLimit = Relay.now() + Self.endPatience
        workers.stopInserting()
        tell(.ended)
    }

    func endQuickly() { endLimit = Relay.now() + Self.endPatienceInHaste }

    var isDone: Bool { fleet.isEmpty && pool.isSettled || endLimit.map { Relay.now() >= $0 } ?? false }
}
