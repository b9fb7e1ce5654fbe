import DisbatchCore
import LinuxSystem

/// The share of a node that an engine has by its allocation.
enum AllocationShare {
    /// The variables that Slurm sets for the GPUs that a step has.
    private static let graphicsVariables = [
        "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK",
    ]

    /// A variable that names GPUs.
    struct Share {
        let name: [UInt8]
        /// Each cylinder's value.
        let parts: [[UInt8]]
        /// The engine's own `NAME=VALUE`.
        let whole: [UInt8]
    }

    /// The GPUs that Slurm gave to the engine, in parts for its cylinders. Where there are fewer than cylinders,
    /// nothing is shared out: all see all of them.
    static func graphics(
        of environment: [[UInt8]], slots: Int, _ configuration: EngineConfiguration
    ) -> [Share] {
        guard configuration.nodeKind == .slurm, slots > 0 else { return [] }
        let extra = configuration.extraEnvironment.compactMap(TaskEnvironment.name(of:))
        let taken = Set(configuration.sharedVariables + extra)
        return graphicsVariables.compactMap { variable in
            let name = Array(variable.utf8)
            guard !taken.contains(name), let value = TaskEnvironment.value(of: variable, in: environment) else {
                return nil
            }
            let values = value.split(separator: UInt8(ascii: ","))
            let count = values.count / slots
            guard count >= 1 else { return nil }
            let parts = (0..<slots).map { slot in
                Array(values[slot * count..<(slot + 1) * count].joined(separator: [UInt8(ascii: ",")]))
            }
            return Share(name: name, parts: parts, whole: name + [UInt8(ascii: "=")] + value)
        }
    }

    /// Whether the processors that the engine may use are the allocation's. Where Slurm does not bind steps they are
    /// all of the node's, and another job's tasks may be on any of them.
    static func confines(
        _ configuration: EngineConfiguration, _ environment: [[UInt8]], allowed: CPUSet
    ) -> Bool {
        guard configuration.nodeKind == .slurm, configuration.binding == .cores,
            let text = TaskEnvironment.value(of: "SLURM_CPUS_ON_NODE", in: environment),
            let count = Int(String(decoding: text, as: UTF8.self))
        else { return true }
        return allowed.members.count <= count
    }
}
