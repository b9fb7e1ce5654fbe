import Testing

@testable import DisbatchCore

@Suite("An engine that stood still past its lease")
struct StandStillTests {
    private func machineWithLease() -> EngineMachine {
        var machine = EngineMachine(slots: 1, settings: TaskSettings(), greeted: Instant(nanoseconds: 0))
        var actions: [EngineAction] = []
        let start = Instant(nanoseconds: 0)
        machine.handle(.leaseRenewed(sentAt: start, lease: .seconds(60)), at: start, into: &actions)
        #expect(actions == [.acknowledgeLease(sentAt: start)])
        return machine
    }

    private let assignment = Assignment(id: AssignmentID(1), kind: .task, spec: .task(0), attempt: 1)
    private let later = Instant(nanoseconds: 61_000_000_000)

    @Test("starts nothing that was sent to it meanwhile")
    func startsNothing() {
        var machine = machineWithLease()
        var actions: [EngineAction] = []
        machine.handle(.assigned(assignment), at: later, into: &actions)
        #expect(actions == [.exit(status: 1)])
    }

    @Test("starts nothing of a first token that lay in the network for longer than the lease")
    func firstTokenWasLate() {
        var machine = EngineMachine(slots: 1, settings: TaskSettings(), greeted: Instant(nanoseconds: 0))
        var actions: [EngineAction] = []
        // The driver's clock is another.
        let sentAt = Instant(nanoseconds: 900_000_000_000)
        machine.handle(.leaseRenewed(sentAt: sentAt, lease: .seconds(60)), at: later + .seconds(1), into: &actions)
        machine.handle(.assigned(assignment), at: later + .seconds(1), into: &actions)
        #expect(actions == [.acknowledgeLease(sentAt: sentAt), .exit(status: 1)])
    }

    @Test("goes on if a new token is the first that it sees")
    func newToken() {
        var machine = machineWithLease()
        var actions: [EngineAction] = []
        let sentAt = Instant(nanoseconds: 50_000_000_000)
        machine.handle(.leaseRenewed(sentAt: sentAt, lease: .seconds(60)), at: later, into: &actions)
        machine.handle(.assigned(assignment), at: later, into: &actions)
        #expect(actions == [.acknowledgeLease(sentAt: sentAt), .start(cylinder: 0, assignment)])
    }
}
