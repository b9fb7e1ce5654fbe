import DisbatchCore
import Glibc
import LinuxSystem

/// An engine's configuration, as its node allows it.
struct EngineSetup {
    let configuration: EngineConfiguration
    /// As configured, or fewer where `-E` variables have fewer values.
    let slots: Int
    /// The environment of all tasks, without `-E` variables and `DISBATCH_*`.
    let environment: [[UInt8]]
    /// The `DISBATCH_*` variables that are the same for all.
    let constants: [[UInt8]]
    /// Each cylinder's `-E` variables; the whole ones for per-engine commands.
    let shares: [[[UInt8]]]
    let wholeShares: [[UInt8]]
    /// Each cylinder's processors, the command cylinder's last; nil for the engine's own.
    let processors: [CPUSet?]
    /// Warnings for the user.
    let warnings: [String]

    /// - Throws: ``EngineRefusal`` with a reason for the user.
    init(
        _ configuration: EngineConfiguration, ownEnvironment: [[UInt8]], guardName: String,
        allowed: CPUSet
    ) throws(EngineRefusal) {
        self.configuration = configuration
        let all = TaskEnvironment.make(
            driver: configuration.environment, node: ownEnvironment, kind: configuration.nodeKind,
            extra: configuration.extraEnvironment)
        var slots = configuration.slots
        var lists: [(name: [UInt8], values: [[UInt8]])] = []
        var whole: [[UInt8]] = []
        var missing: [String] = []
        for name in configuration.sharedVariables {
            let prefix = name + [UInt8(ascii: "=")]
            // What the node says of itself counts; on this machine that is what the driver has.
            guard let entry = ownEnvironment.last(where: { $0.starts(with: prefix) }) else {
                missing.append("-E: \(String(decoding: name, as: UTF8.self)) is not set on this node")
                continue
            }
            let value = entry.dropFirst(prefix.count)
            let values = value.split(separator: UInt8(ascii: ",")).map(Array.init)
            guard !values.isEmpty else {
                throw EngineRefusal("-E: \(String(decoding: name, as: UTF8.self)) has no values on this node")
            }
            slots = min(slots, values.count)
            lists.append((name, values))
            whole.append(entry)
        }
        self.slots = slots
        for share in AllocationShare.graphics(of: ownEnvironment, slots: slots, configuration) {
            lists.append((share.name, share.parts))
            whole.append(share.whole)
        }
        let shared = Set(lists.map(\.name) + configuration.sharedVariables)
        environment = all.filter { !shared.contains(TaskEnvironment.name(of: $0) ?? []) }
        constants = TaskVariables.constant(of: configuration, guardName: guardName)
        shares =
            lists.isEmpty
            ? []
            : (0..<slots).map { slot in
                lists.map { $0.name + [UInt8(ascii: "=")] + $0.values[slot] }
            }
        wholeShares = whole
        let isConfined = AllocationShare.confines(configuration, ownEnvironment, allowed: allowed)
        if !isConfined { missing.append("tasks have no cores of their own: Slurm does not bind steps to cores here") }
        warnings = missing
        processors =
            isConfined
            ? Self.processors(configuration, slots: slots, allowed: allowed)
            : [CPUSet?](repeating: nil, count: slots + 1)
    }

    /// Gives each cylinder cores of its own, in order; none where there are fewer cores than cylinders.
    private static func processors(
        _ configuration: EngineConfiguration, slots: Int, allowed: CPUSet
    ) -> [CPUSet?] {
        let none = [CPUSet?](repeating: nil, count: slots + 1)
        let cores = allowed.members
        let share = min(max(1, configuration.coresPerTask), cores.count / max(1, slots))
        guard configuration.binding == .cores, share > 0 else { return none }
        return (0..<slots).map { CPUSet(cores[$0 * share..<($0 + 1) * share]) } + [nil]
    }
}

/// Why an engine can't do what it was configured for.
struct EngineRefusal: Error, Equatable {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}
