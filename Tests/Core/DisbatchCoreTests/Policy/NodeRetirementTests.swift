import Testing

@testable import DisbatchCore

@Suite("Node retirement")
struct NodeRetirementTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    private func plan(home: String? = nil) -> ContextPlan {
        var plan = NewContext.job("a", "b", "c", "c").plan
        plan.home = home
        return plan
    }

    @Test("gathers the nodes that go within a second")
    func gathering() {
        var retirement = NodeRetirement()
        #expect(retirement.nextDeadline == .distantFuture)
        retirement.add("a", status: 0, at: start)
        #expect(retirement.nextDeadline == start + .seconds(1))
        retirement.add("b", status: 3, at: start + .milliseconds(500))
        #expect(retirement.nextDeadline == start + .milliseconds(1500))
        let batch = retirement.takeBatch(of: plan(), at: start + .milliseconds(1500))
        #expect(batch?.nodes == "a,b" && batch?.staying == "c")
        #expect(
            batch?.settings == [
                "NODE=a,b", "NODES=a,b", "RETCODE=0,3", "RETCODES=0,3", "ACTIVE=c", "RETIRED=a,b",
            ])
        #expect(retirement.nextDeadline == .distantFuture)
        #expect(retirement.takeBatch(of: plan(), at: start + .seconds(2)) == nil)
    }

    @Test("asks the manager every ten seconds at most, and tells of all nodes that went before")
    func interval() {
        var retirement = NodeRetirement()
        retirement.add("a", status: 0, at: start)
        _ = retirement.takeBatch(of: plan(), at: start + .seconds(1))
        retirement.add("b", status: 0, at: start + .seconds(2))
        #expect(retirement.nextDeadline == start + .seconds(11))
        let batch = retirement.takeBatch(of: plan(), at: start + .seconds(11))
        #expect(batch?.nodes == "b" && batch?.settings.last == "RETIRED=a,b")
    }

    @Test("names the driver's own node, where it has no engine that stays", arguments: [("d", true), ("c", false)])
    func home(name: String, isNamed: Bool) {
        var retirement = NodeRetirement()
        retirement.add("a", status: 0, at: start)
        let batch = retirement.takeBatch(of: plan(home: name), at: start + .seconds(1))
        #expect(batch?.settings.contains("DRIVER_NODE=\(name)") == isNamed)
    }
}
