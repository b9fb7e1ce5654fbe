import DisbatchCore
import Testing

/// What a relay says that none means.
struct RelayFrameTests {
    private func read(_ frame: RelayFrame) throws -> RelayFrame? {
        var writer = FrameWriter()
        frame.encode(into: &writer)
        var buffer = FrameBuffer()
        writer.withUnsafeBytes { buffer.append($0) }
        return try buffer.next { (kind, reader) throws(WireError) in try RelayFrame.decode(kind: kind, &reader) }
    }

    private func offer(label: String = "c", node: String = "n", cores: Int = 1) -> RelayFrame {
        let engine = EnginePlan(node: node, slots: 1, coresPerTask: cores)
        let plan = ContextPlan(label: label, kind: "ssh", engines: [engine], bindsCores: false, notes: [])
        return .offer(ContextOffer(plan: plan, policy: ContextPolicy(), hasOwnLabel: true, origin: "o"))
    }

    @Test func offersAreRead() throws { #expect(try read(offer()) == offer()) }

    /// Labels and nodes become part of file names, and nodes of rows.
    @Test(arguments: ["../../x", "a/b", "a\tb", "a\n", "\u{1b}[31m", "\u{7f}"])
    func namesAreNames(name: String) {
        #expect(throws: WireError.invalidValue(kind: 1)) { try read(offer(label: name)) }
        #expect(throws: WireError.invalidValue(kind: 1)) { try read(offer(node: name)) }
        #expect(throws: WireError.invalidValue(kind: 9)) {
            try read(.engineOffered(EnginePlan(node: name, slots: 1, coresPerTask: 1)))
        }
    }

    @Test(arguments: [0, -1, 1 << 20 + 1, .max])
    func coresAreANumberOfCores(count: Int) {
        #expect(throws: WireError.invalidValue(kind: 1)) { try read(offer(cores: count)) }
    }

    @Test func aSignalHasANumber() {
        let end = EngineEnd(status: .min, reason: nil, printedBefore: "", isHopeless: false)
        #expect(throws: WireError.invalidValue(kind: 5)) { try read(.ended(EngineID(0), end)) }
    }
}
