import DisbatchCore

/// The use that an engine's tasks made of their cores between the last two times that it told.
struct ProcessorUse {
    private var last: (microseconds: Int64, time: Instant)?
    /// 1 for all of its slots' cores; nil where it is not known yet.
    private(set) var share: Double?

    /// Notes the CPU time of all tasks so far, in microseconds, at an instant of the engine's clock.
    mutating func note(_ microseconds: Int64, at time: Instant, cores: Int) {
        defer { last = (microseconds, time) }
        guard let last, time > last.time, cores > 0 else { return }
        let seconds = Double((time - last.time).wholeNanoseconds) / 1e9
        share = min(1e6, max(0, Double(microseconds - last.microseconds) / 1e6 / seconds / Double(cores)))
    }
}
