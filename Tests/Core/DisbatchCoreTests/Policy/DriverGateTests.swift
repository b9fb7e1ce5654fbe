import Testing

@testable import DisbatchCore

/// What an earlier run left is ended before its tasks are run again.
@Suite("Driver machine, earlier runs")
struct DriverGateTests {
    private let lease = Duration.seconds(20)
    private let first = EngineID(0)
    private let second = EngineID(1)

    /// Two hosts, on the second of which an earlier run left something; the first host's engine is ready.
    private func script() -> DriverScript {
        let script = DriverScript(lease: lease) { $0.earlierGuards = ["7.1": "b"] }
        script.begin(.hosts("a", "b"), tasks: 2)
        script.greet(0)
        script.tell(.engineReady(first, slots: 1))
        script.expect(.recordEngine(first, slots: 1), .renewLease(first, lease))
        #expect(script.stage(0) == .holding)
        return script
    }

    /// The first engine is let in.
    private func letIn(_ script: DriverScript) -> [DriverAction] {
        [.noteGuard("g0", node: "a"), script.handed(0, to: 0)]
    }

    @Test("keeps engines from tasks until what was left on another node is ended")
    func cleared() {
        let script = script()
        script.wait(.seconds(4))
        script.expect(.renewLease(first, lease))
        script.greet(1, lostGuards: ["7.1"])
        script.tell(.engineReady(second, slots: 1))
        script.expect(
            all: [.recordEngine(second, slots: 1), .forgetGuard("7.1")] + letIn(script)
                + [.noteGuard("g1", node: "b"), script.handed(1, to: 1)])
    }

    @Test("lets engines in after the grace at the latest, and keeps none after that")
    func grace() {
        let script = script()
        script.wait(.milliseconds(9999))
        script.expect(.renewLease(first, lease), .renewLease(first, lease))
        script.wait(.milliseconds(1))
        script.expect(all: letIn(script))
        script.greet(1, lostGuards: ["7.1"])
        script.tell(.engineReady(second, slots: 1))
        script.expect(
            .recordEngine(second, slots: 1), .forgetGuard("7.1"), .noteGuard("g1", node: "b"),
            script.handed(1, to: 1))
    }

    @Test("does not let an engine in that ended while it was kept")
    func ended() {
        let script = script()
        script.engineEnds(0, status: 255, isHopeless: true)
        script.expect(all: script.gone(0, "exit status 255") + [script.isOver(0, "exit status 255")])
        script.wait(.seconds(10))
        script.expect()
        #expect(script.stage(0) == .gone)
    }

    @Test("keeps no engine where nothing was left on nodes of the run")
    func elsewhere() {
        let script = DriverScript(lease: lease) { $0.earlierGuards = ["7.1": "z"] }
        script.begin(.hosts("a", "b"))
        script.join(0, task: 0)
        #expect(script.machine.guards.rest.map(\.guardName).sorted() == ["7.1", "g0"])
    }
}
