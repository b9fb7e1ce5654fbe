/// The handling of nodes that are no longer needed.
package enum RetirementChoice: Equatable, Sendable {
    /// Slurm is given them back.
    case standard
    case none
    /// This command, by a shell.
    case command(String)
}

/// The user's wishes for a context beside its size: they go with it to the run.
package struct ContextPolicy: Equatable, Sendable {
    /// `-C`: how many tasks it may be given; nil for no limit.
    package var contextTaskLimit: Int?
    package var retirement = RetirementChoice.standard
    /// How long before an allocation's end nothing more starts in it; nil as suits it, zero: its end is not looked at.
    package var margin: Duration?
    /// `-E` and `-g`, by variable name.
    package var sharedVariables: [String] = []
    /// `--bind`; nil as suits the context.
    package var binding: CoreBinding?

    package init() {}
}

extension FrameWriter {
    mutating func write(_ policy: ContextPolicy) {
        writeOptional(policy.contextTaskLimit) { $0.writeInt($1) }
        switch policy.retirement {
        case .standard: writeInteger(UInt8(0))
        case .none: writeInteger(UInt8(1))
        case .command(let command):
            writeInteger(UInt8(2))
            writeString(command)
        }
        writeOptional(policy.margin) { $0.writeDuration($1) }
        writeList(policy.sharedVariables) { $0.writeString($1) }
        writeOptional(policy.binding) { $0.writeBool($1 == .cores) }
    }
}

extension FrameReader {
    mutating func readContextPolicy() throws(WireError) -> ContextPolicy {
        var policy = ContextPolicy()
        policy.contextTaskLimit = try readOptional { (r) throws(WireError) in try r.readInt() }
        switch try readInteger(UInt8.self) {
        case 0: policy.retirement = .standard
        case 1: policy.retirement = .none
        case 2: policy.retirement = .command(try readString())
        default: throw invalidValue
        }
        policy.margin = try readOptional { (r) throws(WireError) in try r.readDuration() }
        policy.sharedVariables = try readList { (r) throws(WireError) in try r.readString() }
        policy.binding = try readOptional { (r) throws(WireError) in try r.readBool() ? .cores : .none }
        return policy
    }
}
