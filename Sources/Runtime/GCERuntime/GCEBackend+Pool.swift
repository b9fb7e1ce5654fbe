import DisbatchCore
import GoogleAPI
import LinuxSystem
import RelayRuntime

/// A run's dealings with its pool.
struct CloudPool {
    enum Stage: Equatable {
        case unasked
        case discovering
        case claiming
        /// Every machine that could be taken is taken, or there is no pool.
        case done
    }

    let name: String?
    var stage: Stage
    /// Machines that may be taken, the best first.
    var candidates: [CloudInstance] = []
    var claiming: Set<String> = []
    /// The demand that the fleet hears of once the pool was asked: it would have machines made meanwhile.
    var demand: RelayDemand?
    var taken = 0
    var releasing: Set<String> = []
    /// How many are left to the pool.
    var left = 0

    init(name: String?) {
        self.name = name
        stage = name == nil ? .done : .unasked
    }

    /// Whether nothing is under way of which it is not known whose a machine is.
    var isSettled: Bool { claiming.isEmpty && releasing.isEmpty }

    /// For the end of the fleet's summary.
    var summary: String { left == 0 ? "" : "; \(left) left to pool \(name ?? "")" }
}

extension GCEBackend {
    func tellDemand(_ demand: RelayDemand) {
        tell(.demandChanged(waiting: demand.waiting ?? .max, outstanding: demand.outstanding))
    }

    /// Whether the fleet is told later, when the pool has been asked.
    func isHeldBack(_ demand: RelayDemand) -> Bool {
        guard pool.stage != .done, endLimit == nil else { return false }
        pool.demand = demand
        if pool.stage == .unasked {
            pool.stage = .discovering
            workers.submit(.discover)
        }
        return true
    }

    /// Lets a machine go. The fleet knows it no more.
    func release(_ name: String, _ zone: String) {
        machines[name] = nil
        pool.releasing.insert(name)
        workers.submit(.release(name: name, zone: zone))
    }

    func takePoolEvent(_ event: CloudWorkers.Event) {
        switch event {
        case .discovered(let instances):
            let zones = fleet.rules.zones
            // Those that had no right to delete themselves.
            for instance in instances where instance.status == "TERMINATED" {
                workers.submit(.delete(name: instance.name, zone: instance.zone))
            }
            let fitting = instances.filter { instance in
                instance.isRunning && zones.contains(instance.zone)
                    && (instance.model == .standard || fleet.rules.wantsSpot)
            }
            pool.candidates = zones.flatMap { zone in fitting.filter { $0.zone == zone } }
            pool.stage = .claiming
            claimMore()
        case .discoveryFailed(let message):
            relay?.log(.warning, "pool \(pool.name ?? ""): \(message)")
            pool.stage = .claiming
            claimMore()
        case .claimed(let instance):
            pool.claiming.remove(instance.name)
            take(over: instance)
            claimMore()
        case .claimFailed(let name, let message):
            pool.claiming.remove(name)
            if let message { relay?.log(.warning, "\(name) is not taken over: \(message)") }
            claimMore()
        case .released(let name):
            pool.releasing.remove(name)
            pool.left += 1
        case .releaseFailed(let name, let message):
            pool.releasing.remove(name)
            relay?.log(.warning, "\(name) is not left to pool \(pool.name ?? ""), and deletes itself: \(message)")
        default: break
        }
    }

    /// Takes as many as the tasks fill, and lets the fleet make others when there are no more.
    private func claimMore() {
        guard pool.stage == .claiming else { return }
        if endLimit != nil { pool.candidates = [] }
        let wanted = fleet.rules.wanted(
            waiting: pool.demand?.waiting ?? .max, outstanding: pool.demand?.outstanding ?? 0)
        while !pool.candidates.isEmpty, pool.taken + pool.claiming.count < wanted {
            let instance = pool.candidates.removeFirst()
            pool.claiming.insert(instance.name)
            workers.submit(.claim(name: instance.name, zone: instance.zone))
        }
        guard pool.claiming.isEmpty else { return }
        pool.stage = .done
        if let demand = pool.demand, endLimit == nil { tellDemand(demand) }
    }

    private func take(over instance: CloudInstance) {
        let name = instance.name
        guard endLimit == nil else { return release(name, instance.zone) }
        machines[name] = Machine()
        tell(.instanceFound(name, zone: instance.zone, model: instance.model))
        guard fleet.instances[name] != nil else { return release(name, instance.zone) }
        pool.taken += 1
        relay?.log(.info, "took over \(name) in \(instance.zone) from pool \(pool.name ?? "")")
        workers.submit(.awaitLogin(name: name, zone: instance.zone))
        listSoon()
    }
}
