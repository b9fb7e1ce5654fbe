import DisbatchCore
import Testing

@testable import GCERuntime

/// Fleets on a cloud that does whatever a cloud may do, as a seed has it.
struct FleetSimulationTests {
    @Test(arguments: 0..<400)
    func neitherTooManyNorForgotten(seed: UInt64) {
        var simulation = FleetSimulation(seed: seed)
        simulation.run()
        #expect(simulation.faults == [], "seed \(seed)")
    }
}

/// A cloud, its user's tasks, and a fleet between them.
private struct FleetSimulation {
    /// An instance of the cloud.
    private struct Machine {
        var zone: String
        var model: ProvisioningModel
        var isRunning = false
        /// Whether an engine was launched there that has not ended.
        var isLaunched = false
        var hasEngine = false
    }

    private enum Happening {
        case event(FleetEvent)
        /// The request reaches the cloud.
        case insertArrives(String, String, ProvisioningModel)
        case bulkArrives([String], String, ProvisioningModel)
        case deleteArrives(String)
        case starts(String)
        case engineLaunches(String)
        case engineStarts(String)
        case engineEnds(String, EngineDeparture)
        case dies(String)
        case tasksEnd(Int)
        case timer(Int)
    }

    private var fleet: Fleet
    private var random: Generator
    private var now = Instant(nanoseconds: 1)
    private var queue: [(at: Instant, order: Int, what: Happening)] = []
    private var machines: [String: Machine] = [:]
    private var names: Set<String> = []
    private var order = 0
    private var timerNumber = 0
    private var tasks: Int
    private var gaveUp = false
    private var hasEnded = false
    private let room: [String: Int]
    private let isCalm: Bool
    private let endsEarly: Bool
    private(set) var faults: [String] = []

    init(seed: UInt64) {
        random = Generator(state: seed)
        let zones = Array(["a-x-a", "a-x-b", "b-y-a"].prefix(Int.random(in: 1...3, using: &random)))
        var rules = FleetRules(
            limit: Int.random(in: 1...12, using: &random), slotsPerInstance: Int.random(in: 1...8, using: &random),
            zones: zones, namePrefix: "disbatch-run")
        rules.wantsSpot = Bool.random(using: &random)
        rules.linger = .seconds([0, 0, 60].randomElement(using: &random) ?? 0)
        rules.bulkMaximum = Int.random(in: 1...8, using: &random)
        rules.insertsAtOnce = Int.random(in: 1...16, using: &random)
        rules.staysInPool = Int.random(in: 0..<8, using: &random) == 0
        rules.failureLimit = 50
        isCalm = Int.random(in: 0..<4, using: &random) == 0
        endsEarly = Int.random(in: 0..<4, using: &random) == 0
        var room: [String: Int] = [:]
        for zone in zones { room[zone] = [0, 1, 3, 100].randomElement(using: &random) }
        if !endsEarly { room[zones[0]] = max(1, room[zones[0]] ?? 1) }
        self.room = room
        tasks = Int.random(in: 0...200, using: &random)
        fleet = Fleet(rules: rules)
    }

    private func chance(_ percent: Int) -> Bool {
        var copy = random
        return !isCalm && Int.random(in: 0..<100, using: &copy) < percent
    }

    private mutating func happens(_ percent: Int) -> Bool {
        defer { _ = random.next() }
        return chance(percent)
    }

    private mutating func later(_ seconds: ClosedRange<Int>, _ what: Happening) {
        order += 1
        queue.append((now + .milliseconds(Int.random(in: seconds, using: &random) * 1000), order, what))
    }

    mutating func run() {
        if happens(20) {
            machines["found"] = Machine(zone: fleet.rules.zones[0], model: .standard, isRunning: true)
            names.insert("found")
            tell(.instanceFound("found", zone: fleet.rules.zones[0], model: .standard))
            if fleet.instances["found"] == nil { machines["found"] = nil } else { tell(.instanceRunning("found")) }
        }
        demand()
        if endsEarly { later(1...2000, .event(.ended)) }
        if tasks == 0 { tell(.ended) }
        var turns = 0
        while let next = queue.indices.min(by: { (queue[$0].at, queue[$0].order) < (queue[$1].at, queue[$1].order) }) {
            turns += 1
            guard turns < 20_000 else { return faults.append("it has no end: \(tasks) tasks, \(fleet.instances)") }
            let (at, _, what) = queue.remove(at: next)
            now = max(now, at)
            happen(what)
            if tasks == 0 || gaveUp && machines.isEmpty, !hasEnded { tell(.ended) }
        }
        if !hasEnded { faults.append("it stands still: \(tasks) tasks, \(fleet.instances)") }
        if !fleet.isEmpty { faults.append("not gone: \(fleet.instances)") }
        if !machines.isEmpty, !fleet.rules.staysInPool { faults.append("forgotten: \(machines)") }
    }

    // MARK: The cloud

    private mutating func happen(_ what: Happening) {
        switch what {
        case .event(let event): tell(event)
        case .insertArrives(let name, let zone, let model): insert(name, zone, model)
        case .bulkArrives(let names, let zone, let model): insertBulk(names, zone, model)
        case .deleteArrives(let name):
            if happens(10) { return tell(.deleteFailed(name, message: "trouble")) }
            if fleet.instances[name]?.isDraining == true { faults.append("\(name) is deleted before its engine went") }
            machines[name] = nil
            later(1...60, .event(.instanceGone(name)))
        case .starts(let name):
            guard machines[name] != nil else { return }
            machines[name]?.isRunning = true
            tell(.instanceRunning(name))
        case .engineLaunches(let name):
            guard machines[name]?.isLaunched == false, fleet.instances[name]?.state == .connecting else { return }
            machines[name]?.isLaunched = true
            tell(.engineLaunched(name))
            later(1...30, happens(5) ? .engineEnds(name, .failed(reason: "no login")) : .engineStarts(name))
        case .engineEnds(let name, let departure):
            machines[name]?.isLaunched = false
            machines[name]?.hasEngine = false
            tell(.engineEnded(name, departure))
        case .engineStarts(let name):
            guard machines[name]?.isLaunched == true, fleet.instances[name]?.state == .connecting else { return }
            machines[name]?.hasEngine = true
            if happens(5) { later(1...300, .engineEnds(name, departure())) }
            tell(.engineReady(name))
            if tasks > 0 { tell(.instanceBusy(name)) }
            later(30...400, .tasksEnd(fleet.rules.slotsPerInstance))
            if happens(20) { later(1...300, .dies(name)) }
        case .dies(let name):
            guard machines[name] != nil else { return }
            if happens(20) { return tell(.instanceStopped(name)) }
            if happens(80) { tell(.instancePreempted(name)) }
            machines[name] = nil
            later(1...60, .engineEnds(name, .failed(reason: "cut")))
            // Sometimes nobody notices, and the fleet has to ask.
            if fleet.instances[name]?.state != .leaving || happens(50) { later(1...40, .event(.instanceGone(name))) }
        case .tasksEnd(let count): endTasks(count)
        case .timer(let number): if number == timerNumber { tell(.timerFired) }
        }
    }

    private mutating func insert(_ name: String, _ zone: String, _ model: ProvisioningModel) {
        let isFull = machines.values.count { $0.zone == zone } >= room[zone] ?? 0
        if isFull {
            return tell(.insertFailed(name, happens(50) ? .quota : .resourcesExhausted, message: "no room"))
        }
        if happens(2) { return tell(.insertFailed(name, .rateLimited, message: "slow down")) }
        let isLost = happens(5)
        if !isLost || happens(50) { machines[name] = Machine(zone: zone, model: model) }
        if isLost { return tell(.insertFailed(name, .transport, message: "no reply")) }
        tell(.insertAccepted(name))
        if happens(3) {
            machines[name] = nil
            return tell(.insertFailed(name, .resourcesExhausted, message: "no room after all"))
        }
        if !happens(3) { later(5...60, .starts(name)) }
    }

    /// As many as there is room for; those that are there are told of, and the others too.
    private mutating func insertBulk(_ names: [String], _ zone: String, _ model: ProvisioningModel) {
        if happens(5) {
            let kind = [CloudErrorKind.unsupported, .transport, .quota, .server].randomElement(using: &random)
            return tell(.bulkFailed(names, kind ?? .server, message: "refused", isRefused: true))
        }
        let free = max(0, (room[zone] ?? 0) - machines.values.count { $0.zone == zone })
        let isLost = happens(5)
        let made = names.shuffled(using: &random).prefix(happens(10) ? free / 2 : free)
        for name in made { machines[name] = Machine(zone: zone, model: model) }
        for name in made where !isLost {
            tell(.insertAccepted(name))
            if !happens(3) { later(5...60, .starts(name)) }
        }
        let missing = names.filter { !made.contains($0) }
        if isLost {
            tell(.bulkFailed(names, .transport, message: "who knows", isRefused: false))
        } else if !missing.isEmpty {
            tell(.bulkFailed(missing, happens(50) ? .quota : .resourcesExhausted, message: "full", isRefused: false))
        }
    }

    private mutating func departure() -> EngineDeparture {
        [.inOrder, .givenUp, .failed(reason: "trouble")].randomElement(using: &random) ?? .inOrder
    }

    private mutating func endTasks(_ count: Int) {
        tasks = max(0, tasks - count)
        let engines = machines.keys.filter { machines[$0]?.hasEngine == true }.sorted()
        let busy = (tasks + fleet.rules.slotsPerInstance - 1) / fleet.rules.slotsPerInstance
        for (place, name) in engines.enumerated() {
            tell(place < busy ? .instanceBusy(name) : .instanceIdle(name))
        }
        demand()
        if tasks > 0, !engines.isEmpty { later(30...400, .tasksEnd(fleet.rules.slotsPerInstance)) }
    }

    private mutating func demand() {
        let engines = machines.values.count { $0.hasEngine } * fleet.rules.slotsPerInstance
        tell(.demandChanged(waiting: max(0, tasks - engines), outstanding: min(tasks, engines)))
    }

    // MARK: The fleet

    private mutating func tell(_ event: FleetEvent) {
        if event == .ended { hasEnded = true }
        var actions: [FleetAction] = []
        fleet.handle(event, at: now, into: &actions)
        for action in actions { perform(action) }
        check()
    }

    private mutating func perform(_ action: FleetAction) {
        switch action {
        case .insert(let name, let zone, let model):
            if !names.insert(name).inserted { faults.append("\(name) is made twice") }
            if hasEnded || gaveUp { faults.append("\(name) is made at the end") }
            later(0...20, .insertArrives(name, zone, model))
        case .insertBulk(let many, let zone, let model):
            for name in many where !names.insert(name).inserted { faults.append("\(name) is made twice") }
            if hasEnded || gaveUp { faults.append("\(many) are made at the end") }
            if many.count < fleet.rules.bulkMinimum { faults.append("\(many) are no bulk") }
            later(0...20, .bulkArrives(many, zone, model))
        case .connect(let name, _):
            if !happens(5) {
                later(0...5, .engineLaunches(name))
            } else if happens(50) {
                later(1...60, .event(.engineFailed(name, message: "no answer")))
            }
        case .delete(let name, _): later(0...20, .deleteArrives(name))
        case .drain(let name):
            if fleet.instances[name]?.hasEngine != true { faults.append("\(name) has no engine to go") }
            later(1...60, .engineEnds(name, happens(80) ? .inOrder : departure()))
        case .release(let name, _):
            if machines[name]?.isLaunched == true { faults.append("\(name) is let go with its engine") }
            if !fleet.rules.staysInPool { faults.append("\(name) is let go") }
        case .setTimer(let time):
            timerNumber += 1
            guard let time else { return }
            order += 1
            queue.append((max(time, now), order, .timer(timerNumber)))
        case .giveUp: gaveUp = true
        case .warn: break
        }
    }

    private mutating func check() {
        if fleet.instances.count > fleet.rules.limit { faults.append("\(fleet.instances.count) instances") }
        if machines.count > fleet.rules.limit { faults.append("\(machines.count) machines") }
        for name in machines.keys where fleet.instances[name] == nil {
            if !(hasEnded && fleet.rules.staysInPool) { faults.append("\(name) is forgotten") }
        }
        faults = Array(faults.prefix(3))
    }
}

/// SplitMix64.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
