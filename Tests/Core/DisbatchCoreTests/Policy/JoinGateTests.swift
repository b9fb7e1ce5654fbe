import Testing

@testable import DisbatchCore

@Suite("Join gate")
struct JoinGateTests {
    private let start = Instant(nanoseconds: 0)
    private let first = JoinGate.ReadyEngine(id: EngineID(0), slots: 1, roundTrip: .zero)
    private let second = JoinGate.ReadyEngine(id: EngineID(1), slots: 1, roundTrip: .zero)

    /// A gate that is shut, with one engine before it.
    private func shutGate() -> JoinGate {
        var gate = JoinGate(limit: .seconds(10))
        let shuts = gate.add(first, shuts: true, at: start)
        #expect(shuts)
        return gate
    }

    @Test("keeps no engine without a reason")
    func open() {
        var gate = JoinGate(limit: .seconds(10))
        let shuts = gate.add(first, shuts: false, at: start)
        #expect(!shuts)
        #expect(gate.isShut(at: start) == false)
        #expect(gate.takeAll() == [first])
        #expect(gate.takeAll() == [])
    }

    @Test("shuts with the first engine that is to wait, until its limit, and never again")
    func limit() {
        var gate = shutGate()
        let shutsAgain = gate.add(second, shuts: true, at: start + .seconds(5))
        #expect(!shutsAgain, "it is shut already")
        #expect(gate.isShut(at: start + .milliseconds(9999)) == true)
        #expect(gate.isShut(at: start + .seconds(10)) == false)
        #expect(gate.takeAll() == [first, second])
        let shutsOnceMore = gate.add(first, shuts: true, at: start + .seconds(20))
        #expect(!shutsOnceMore)
        #expect(gate.isShut(at: start + .seconds(20)) == false)
    }

    @Test("plans lease tokens for those that wait, and its opening")
    func tokens() {
        var gate = shutGate()
        #expect(gate.nextDeadline == .distantFuture)
        gate.serve(every: .seconds(4), at: start)
        #expect(gate.nextDeadline == start + .seconds(4))
        gate.serve(every: .seconds(4), at: start + .seconds(8))
        #expect(gate.nextDeadline == start + .seconds(10))
        _ = gate.takeAll()
        #expect(gate.nextDeadline == .distantFuture)
    }

    @Test("forgets an engine that has ended")
    func removal() {
        var gate = shutGate()
        _ = gate.add(second, shuts: true, at: start)
        gate.remove(EngineID(0))
        #expect(gate.waiting == [second])
    }
}
