/// A context that a relay brings to a run: its plan, without what only the relay needs, and its policy.
package struct ContextOffer: Equatable, Sendable {
    package var plan: ContextPlan
    package var policy: ContextPolicy
    /// Whether the user gave the label; else another one is found where it is taken.
    package var hasOwnLabel: Bool
    /// The relay's process, for the log.
    package var origin: String
    /// Whether its engines come and go as the relay says: there may be none yet, and none is launched again by itself.
    package var isElastic = false

    package init(plan: ContextPlan, policy: ContextPolicy, hasOwnLabel: Bool, origin: String) {
        self.plan = plan
        self.policy = policy
        self.hasOwnLabel = hasOwnLabel
        self.origin = origin
    }
}

extension ContextPlan {
    /// The plan as a relay's driver is to know it: who launches engines keeps the rest to itself.
    var withoutLaunching: ContextPlan {
        var plan = self
        for place in plan.engines.indices {
            guard case .launched(let launcher) = engines[place].place else { continue }
            plan.engines[place].place = .launched(Launcher(launcher.manager, "", []))
        }
        return plan
    }
}

extension FrameWriter {
    mutating func write(_ offer: ContextOffer) {
        write(offer.plan)
        write(offer.policy)
        writeBool(offer.hasOwnLabel)
        writeString(offer.origin)
        writeBool(offer.isElastic)
    }

    private mutating func write(_ plan: ContextPlan) {
        writeString(plan.label)
        writeString(plan.kind)
        writeList(plan.engines) { $0.write($1) }
        writeBool(plan.bindsCores)
        writeList(plan.notes) { $0.writeString($1) }
        writeString(plan.reason)
        writeOptional(plan.job) { $0.writeString($1) }
        writeOptional(plan.home) { $0.writeString($1) }
        writeOptional(plan.endQuery) {
            $0.writeList($1.words) { $0.writeString($1) }
            $0.writeOptional($1.member) { $0.writeInt($1) }
        }
    }

    mutating func write(_ engine: EnginePlan) {
        writeString(engine.node)
        writeInt(engine.slots)
        writeInt(engine.coresPerTask)
        switch engine.place {
        case .here: writeInteger(UInt8(0))
        case .ssh(let host):
            writeInteger(UInt8(1))
            writeString(host)
        case .launched(let launcher):
            writeInteger(UInt8(2))
            writeString(launcher.manager.rawValue)
        }
    }
}

extension FrameReader {
    mutating func readContextOffer() throws(WireError) -> ContextOffer {
        let plan = try readContextPlan()
        let policy = try readContextPolicy()
        let hasOwnLabel = try readBool()
        var offer = ContextOffer(plan: plan, policy: policy, hasOwnLabel: hasOwnLabel, origin: try readString())
        offer.isElastic = try readBool()
        return offer
    }

    /// A name that becomes part of file names and rows.
    private mutating func readName() throws(WireError) -> String {
        let name = try readString()
        guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }) else { throw invalidValue }
        return name
    }

    private mutating func readContextPlan() throws(WireError) -> ContextPlan {
        let label = try readName()
        let kind = try readString()
        let engines = try readList { (r) throws(WireError) in try r.readEnginePlan() }
        let bindsCores = try readBool()
        let notes = try readList { (r) throws(WireError) in try r.readString() }
        var plan = ContextPlan(label: label, kind: kind, engines: engines, bindsCores: bindsCores, notes: notes)
        plan.reason = try readString()
        plan.job = try readOptional { (r) throws(WireError) in try r.readString() }
        plan.home = try readOptional { (r) throws(WireError) in try r.readString() }
        plan.endQuery = try readOptional { (r) throws(WireError) in
            let words = try r.readList { (r) throws(WireError) in try r.readString() }
            let member = try r.readOptional { (r) throws(WireError) in try r.readInt() }
            return AllocationEndQuery(words: words, member: member)
        }
        return plan
    }

    mutating func readEnginePlan() throws(WireError) -> EnginePlan {
        let node = try readName()
        let slots = try readInt()
        var engine = EnginePlan(node: node, slots: slots, coresPerTask: try readInt())
        guard (1...EnginePlan.maximumSlots).contains(slots), (1...1 << 20).contains(engine.coresPerTask) else {
            throw invalidValue
        }
        switch try readInteger(UInt8.self) {
        case 0: engine.place = .here
        case 1: engine.place = .ssh(host: try readString())
        case 2:
            guard let manager = ResourceManager(rawValue: try readString()) else { throw invalidValue }
            engine.place = .launched(Launcher(manager, "", []))
        default: throw invalidValue
        }
        return engine
    }
}
