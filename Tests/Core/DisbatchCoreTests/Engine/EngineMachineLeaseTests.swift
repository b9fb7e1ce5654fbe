import Testing

@testable import DisbatchCore

/// Leases count from when the driver sent them, by its clock, which is not ours.
struct EngineMachineLeaseTests {
    /// The driver's clock, which shows something else than ours.
    private static func driverTime(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    private static func token(_ seconds: Int64, lease: Duration? = .seconds(300)) -> EngineEvent {
        .leaseRenewed(sentAt: driverTime(seconds), lease: lease)
    }

    private static func acknowledged(_ seconds: Int64) -> EngineAction {
        .acknowledgeLease(sentAt: driverTime(seconds))
    }

    @Test func anEngineWithoutALeaseLivesForEver() {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.expectDeadline(in: nil)
        script.on(Self.token(50, lease: nil), Self.acknowledged(50))
        script.after(.seconds(1_000_000_000))
    }

    @Test(arguments: [0, 50, 9_000_000_000, -9_000_000_000] as [Int64])
    func aLeaseEndsEverything(driverSeconds: Int64) {
        var script = MachineScript()
        script.run(.task(1), in: 0)
        script.on(Self.token(driverSeconds), Self.acknowledged(driverSeconds))
        script.expectDeadline(in: .seconds(300))
        script.after(.milliseconds(299_999))
        script.after(.milliseconds(1), .kill(cylinder: 0))
        script.on(Self.token(driverSeconds + 300), Self.acknowledged(driverSeconds + 300))
        script.on(.outputEnded(cylinder: 0))
        script.on(
            .exited(cylinder: 0, .signalled(9)), .kill(cylinder: 0),
            .finish(cylinder: 0, .task(1), returnCode: -9, .stopped), .exit(status: 1))
    }

    @Test func aRenewedLeaseGoesOn() {
        var script = MachineScript()
        script.on(Self.token(0), Self.acknowledged(0))
        for turn in 1...50 as ClosedRange<Int64> {
            script.after(.seconds(10))
            script.on(Self.token(10 * turn), Self.acknowledged(10 * turn))
        }
        script.after(.seconds(299))
        script.after(.seconds(1), .exit(status: 1))
    }

    @Test func aLeaseCanBeLifted() {
        var script = MachineScript()
        script.on(Self.token(0, lease: .seconds(20)), Self.acknowledged(0))
        script.after(.seconds(10))
        script.on(Self.token(10, lease: nil), Self.acknowledged(10))
        script.after(.seconds(100))
        script.expectDeadline(in: nil)
    }

    /// A token that lay in a cut network for 200 s leaves 100 s, not 300.
    @Test func aLateTokenCountsFromItsSending() {
        var script = MachineScript()
        script.on(Self.token(0), Self.acknowledged(0))
        script.after(.seconds(210))
        script.on(Self.token(10), Self.acknowledged(10))
        script.after(.seconds(99))
        script.after(.seconds(1), .exit(status: 1))
    }

    /// One that lay so long that its lease is over ends the engine on arrival.
    @Test func aTokenThatIsOverOnArrival() {
        var script = MachineScript()
        script.on(Self.token(0, lease: .seconds(1000)), Self.acknowledged(0))
        script.after(.seconds(400))
        script.on(Self.token(10, lease: .seconds(300)), Self.acknowledged(10), .exit(status: 1))
    }

    /// A first token that was slow makes later ones seem early, until a quick one tells better.
    @Test func theQuickestTokenTellsTheClocksDifference() {
        var script = MachineScript()
        script.after(.seconds(100))
        script.on(Self.token(0), Self.acknowledged(0))
        script.expectDeadline(in: .seconds(300))
        script.after(.seconds(10))
        // Sent 100 s after the first, received 10 s after it: this one was quicker by 90 s.
        script.on(Self.token(100), Self.acknowledged(100))
        script.after(.seconds(299))
        script.after(.seconds(1), .exit(status: 1))
    }

    @Test(arguments: [.min, .max, 0, -1] as [Int64])
    func absurdTimesAreSurvived(nanoseconds: Int64) {
        for lease in [nil, .nanoseconds(Int64.max), .nanoseconds(Int64.min), .zero] as [Duration?] {
            var script = MachineScript()
            var actions: [EngineAction] = []
            let sentAt = Instant(nanoseconds: nanoseconds)
            for turn in 0..<3 as Range<Int64> {
                script.machine.handle(
                    .leaseRenewed(sentAt: sentAt, lease: lease), at: Instant(nanoseconds: turn), into: &actions)
            }
            #expect(actions.contains(.acknowledgeLease(sentAt: sentAt)))
        }
    }
}
