import Testing

@testable import DisbatchCore

@Suite("Driver machine, relays")
struct DriverRelayTests {
    private let context = ContextID(0)
    private let first = EngineID(0)
    private let second = EngineID(1)
    private let lostText = "its relay did not come back"

    /// A run that waits for contexts, with one of a relay whose engine has a task.
    private func script(lease: Duration = .seconds(3000)) -> DriverScript {
        let script = DriverScript(lease: lease) { $0.waitsForContexts = true }
        script.begin(.relayed("a"), tasks: 2)
        script.tell(.runBegan)
        script.join(0, task: 0)
        return script
    }

    @Test("goes on as before when a relay is back in time")
    func back() {
        let script = script()
        script.tell(.relayLost(context))
        script.expect()
        script.wait(.seconds(500))
        script.expect()
        script.tell(.relayReturned(context))
        script.expect()
        script.end(0, on: 0)
        script.expect(script.row(0, on: 0), script.handed(1, to: 0))
    }

    @Test("gives a relay up, with all of its engines, that does not come back within lease and grace")
    func givenUp() {
        let script = script(lease: .seconds(20))
        script.tell(.relayLost(context))
        script.expect()
        script.wait(.milliseconds(29_999))
        script.expect(
            .renewLease(first, .seconds(20)), .tasks(.warn(.engineQuiet(first, node: "a", seconds: 12))))
        script.wait(.milliseconds(1))
        script.expect(
            all: [.show(.warning, "context R: its relay did not come back; its tasks run elsewhere")]
                + script.gone(0, lostText) + script.lost(0, with: 0) + [.forgetRelay(context)])
        #expect(script.stage(0) == .gone && script.machine.contexts[0].isOver)
        #expect(script.machine.engineFailures == ["context R: \(lostText)"])
        script.tell(.relayReturned(context))
        script.expect()
    }

    @Test("tells an abandoned engine's relay to end it, and launches another")
    func abandoned() {
        let script = script(lease: .seconds(20))
        script.wait(.seconds(4))
        script.expect(.renewLease(first, .seconds(20)))
        script.wait(.seconds(32))
        script.expect(
            all: [.tasks(.warn(.engineQuiet(first, node: "a", seconds: 12))), .close(first, .endingCarrier)]
                + script.gone(0, "killed by SIGTERM")
                + [script.isTriedAgain(0, "killed by SIGTERM", seconds: 1)] + script.lost(0, with: 0))
        script.engineEnds(0, status: -15)
        script.expect()
        script.wait(.seconds(1))
        script.expect(.launch(second))
    }

    @Test("lets the engines of a relay that is cut off take no others' places on the way")
    func onTheirWay() {
        let script = DriverScript()
        let relayed = (0..<32).map { EnginePlan.ssh("r\($0)") }
        var context = NewContext.of(relayed, label: "R")
        context.isRelayed = true
        script.begin(context)
        script.tell(.contextAdded(.relayed("b", label: "S")))
        script.expect(.recordContext(ContextID(1)), .noteLease)
        script.tell(.relayLost(self.context))
        script.expect()
        script.wait(.zero)
        script.expect(.launch(EngineID(32)))
        script.tell(.relayReturned(self.context))
        script.expect()
        #expect(script.machine.onTheirWay == 33)
    }

    @Test("lets a relay go whose engines have gone")
    func released() {
        let script = script()
        script.tell(.contextStopped(context))
        script.expect(.tasks(.recall(first, count: 1)))
        script.end(0, on: 0)
        script.expect(script.row(0, on: 0), .shutDown(first))
        script.engineEnds(0, status: 0)
        script.expect(
            all: script.gone(0, "exit status 0") + [.forgetGuard("g0")]
                + [.release(context, text: "its engines have gone", isGood: true)])
    }

    @Test("lets a relay go whose engines have gone only when it is back")
    func releasedWhenBack() {
        let script = script()
        script.tell(.relayLost(context))
        script.expect()
        script.engineEnds(0, status: 0)
        script.expect(all: script.gone(0, "exit status 0"))
        script.tell(.engineConfirmedGone(first))
        script.expect(all: script.lost(0, with: 0))
        script.tell(.relayReturned(context))
        script.expect(.release(context, text: "its engines have gone", isGood: true))
    }

    @Test("lets all relays go at the end")
    func runEnded() {
        let script = script()
        script.tell(.runEnded)
        script.expect(.release(context, text: "the run is over", isGood: true))
        script.tell(.runEnded)
        script.expect()
    }

    @Test("ends the tasks of a context whose relay got SIGTERM, for others to do")
    func relaySignalled() {
        let script = script()
        script.tell(.relaySignalled(context, 15))
        script.expect(
            .show(.info, "context R got SIGTERM: ending its tasks, for others to do"),
            .tasks(.recall(first, count: 1)), .tasks(.endTasks(first, atOnce: false)))
        script.end(0, on: 0, .stopped)
        script.expect(script.kept(0, on: 0, .stopped), .shutDown(first))
    }

    @Test("gives a context no more tasks whose relay got SIGUSR1")
    func relayDrained() {
        let script = script()
        script.tell(.relaySignalled(context, 10))
        script.expect(
            .show(.info, "context R got SIGUSR1: it takes no more tasks"), .tasks(.recall(first, count: 1)))
        script.end(0, on: 0)
        script.expect(script.row(0, on: 0), .shutDown(first))
    }

    // MARK: Elastic contexts

    private func demand(_ waiting: Int?, _ outstanding: Int, idle: [EngineID] = []) -> DriverAction {
        .tellDemand(context, RelayDemand(waiting: waiting, outstanding: outstanding, idle: idle))
    }

    /// A run of two tasks that has an elastic context alone.
    private func elasticScript() -> DriverScript {
        let script = DriverScript()
        script.begin(.elastic(), tasks: 2)
        script.wait(.zero)
        script.expect(demand(2, 0))
        return script
    }

    @Test("tells an elastic context how much there is to do, each time that has changed")
    func demands() {
        let script = elasticScript()
        script.wait(.seconds(5))
        script.expect()
        script.tell(.engineOffered(context, .ssh("a")))
        script.expect(.launch(first))
        script.join(0, task: 0)
        script.wait(.milliseconds(500))
        script.expect(demand(1, 1))
        script.end(0, on: 0)
        script.expect(script.row(0, on: 0), script.handed(1, to: 0))
        script.wait(.milliseconds(500))
        script.expect(demand(0, 1))
        script.end(1, on: 0)
        script.expect(script.row(1, on: 0), .shutDown(first))
        script.wait(.milliseconds(500))
        script.expect(demand(0, 0, idle: [first]))
    }

    @Test("launches none by itself in an elastic context, and lets it go when it is complete and empty")
    func complete() {
        let script = elasticScript()
        script.tell(.engineOffered(context, .ssh("a")))
        script.expect(.launch(first))
        script.engineEnds(0, status: 255)
        script.expect(all: script.gone(0, "exit status 255"))
        script.wait(.seconds(100))
        script.expect()
        script.tell(.contextComplete(context))
        script.expect(.tasks(.awaitRows), .release(context, text: "its engines have gone", isGood: true))
        script.tell(.engineOffered(context, .ssh("b")))
        script.expect()
        script.finish(.noEngine)
    }

    @Test("lets an elastic context that is given up grow no more")
    func elasticGivenUp() {
        let script = elasticScript()
        script.tell(.engineOffered(context, .ssh("a")))
        script.expect(.launch(first))
        script.tell(.relayLost(context))
        script.expect()
        script.wait(.seconds(3010))
        script.expect(
            all: [.show(.warning, "context E: its relay did not come back; its tasks run elsewhere")]
                + script.gone(0, lostText) + [.tasks(.awaitRows), .forgetRelay(context)])
        script.tell(.engineOffered(context, .ssh("b")))
        script.expect()
        #expect(!script.machine.contexts[0].mayGrow && script.machine.engines.count == 1)
        script.finish(.noEngine)
    }
}
