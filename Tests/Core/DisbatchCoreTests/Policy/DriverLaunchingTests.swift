import Testing

@testable import DisbatchCore

@Suite("Driver machine, engines that come")
struct DriverLaunchingTests {
    private let first = EngineID(0)

    @Test("launches a host's engine, lets it join when it is ready, and lets it go at the end")
    func wholeRun() {
        let script = DriverScript()
        script.begin(.hosts("a"))
        #expect(script.stage(0) == .connecting)
        script.join(0, task: 0)
        script.end(0, on: 0)
        script.expect(script.row(0, on: 0), .shutDown(first))
        #expect(script.stage(0) == .leaving)
        script.engineEnds(0, status: 0)
        script.expect(all: script.gone(0, "exit status 0") + [.forgetGuard("g0"), .tasks(.awaitRows)])
        script.finish(.completed)
    }

    @Test("launches engines once, however often one is needed")
    func onlyOnce() {
        let script = DriverScript()
        script.begin(.hosts("a"))
        script.tell(.engineNeeded)
        script.expect()
    }

    @Test("ends what spoke as an engine and never says what it is")
    func noHello() {
        let script = DriverScript()
        script.begin(.hosts("a"))
        script.tell(.engineSpoke(first))
        script.expect()
        script.wait(.milliseconds(59_999))
        script.expect()
        script.wait(.milliseconds(1))
        script.expect(.close(first, .killingCarrier))
        script.engineEnds(0, status: -9)
        let reason = "it did not answer within 60 s"
        script.expect(all: script.gone(0, reason) + [script.isOver(0, reason), .tasks(.awaitRows)])
        script.finish(.noEngine)
        #expect(script.machine.engineFailures == ["a: \(reason)"])
    }

    @Test(
        "lets no engine in that is of another version",
        arguments: [
            EngineHello.guarded(by: "g0", version: "2"), EngineHello.guarded(by: "g0", protocolVersion: 2),
        ])
    func version(hello: EngineHello) {
        let script = DriverScript()
        script.begin(.hosts("a"))
        script.tell(.engineSpoke(first))
        script.expect()
        script.tell(.engineGreeted(first, hello))
        script.expect(.close(first, .keepingCarrier))
        script.engineEnds(0, status: 1)
        let reason =
            "its engine is of version \(hello.version), this driver of 1: install the same version on both"
        script.expect(all: script.gone(0, reason) + [script.isOver(0, reason), .tasks(.awaitRows)])
    }

    @Test("lets no engine in with more slots than were asked for, or none", arguments: [0, 2])
    func slots(count: Int) {
        let script = DriverScript()
        script.begin(.hosts("a"))
        script.greet(0)
        script.tell(.engineReady(first, slots: count))
        script.expect(.shutDown(first))
        #expect(script.stage(0) == .refused)
        script.engineEnds(0, status: 0)
        let reason = "it is ready with \(count) slots, of 1"
        script.expect(all: script.gone(0, reason) + [script.isOver(0, reason), .tasks(.awaitRows)])
    }

    @Test("tells the user of an engine with fewer slots than were asked for")
    func fewerSlots() {
        let script = DriverScript()
        var context = NewContext.hosts("a")
        context.plan.engines[0].slots = 3
        script.begin(context)
        script.greet(0)
        script.tell(.engineReady(first, slots: 2))
        script.expect(
            .recordEngine(first, slots: 2), .show(.warning, "engine 0 on a: 2 slots, not 3: -E has no more"),
            .noteGuard("g0", node: "a"), script.handed(0, to: 0))
    }

    @Test("lets an engine go that says why it can't be used")
    func refused() {
        let script = DriverScript()
        script.begin(.hosts("a"))
        script.greet(0)
        script.tell(.engineRefused(first, reason: "no such directory"))
        script.expect(.shutDown(first))
        script.engineEnds(0, status: 0)
        let reason = "no such directory"
        script.expect(all: script.gone(0, reason) + [script.isOver(0, reason), .tasks(.awaitRows)])
    }

    @Test(
        "takes no engine's end for its tasks' that refuses or misbehaves while it has some", arguments: [true, false])
    func misbehaves(isRefusal: Bool) {
        let script = DriverScript()
        script.begin(.hosts("a"))
        script.join(0, task: 0)
        let reason = "it sent nonsense"
        script.tell(isRefusal ? .engineRefused(first, reason: reason) : .engineMisbehaved(first, reason: reason))
        script.expect(.close(first, .keepingCarrier))
        #expect(script.log.last == "engine 0 sent nonsense")
        #expect(script.stage(0) == .abandoned)
        script.engineEnds(0, status: 255)
        script.expect(all: script.gone(0, reason) + [script.isOver(0, reason)])
        #expect(script.stage(0) == .silent, "its tasks may live")
        script.tell(.engineConfirmedGone(first))
        script.expect(all: script.lost(0, with: 0) + [.tasks(.awaitRows)])
        script.finish(.noEngine)
    }

    @Test("has 32 engines on their way at most: each that has said what it is, or is gone, makes room")
    func atOnce() {
        let script = DriverScript()
        script.begin(.of((0..<40).map { .ssh("n\($0)") }))
        #expect((0..<40).filter { script.stage($0) == .connecting } == Array(0..<32))
        script.tell(.engineSpoke(first))
        script.expect()
        script.tell(.engineGreeted(first, .guarded(by: "g0")))
        script.expect(.configure(first, lostGuards: []), .renewLease(first, .seconds(3000)), .launch(EngineID(32)))
        script.engineEnds(1, status: 255)
        script.expect(
            all: script.gone(1, "exit status 255")
                + [script.isTriedAgain(1, "exit status 255", seconds: 1), .launch(EngineID(33))])
        script.tell(.launchFailed(EngineID(2), reason: "no ssh"))
        script.expect(script.isOver(2, "no ssh"), .forget(EngineID(2)), .launch(EngineID(34)))
        #expect(script.stage(2) == .gone)
    }

    @Test("fails a run whose only engine can't be launched")
    func launchFailed() {
        let script = DriverScript()
        script.begin(.hosts("a"))
        script.tell(.launchFailed(first, reason: "no ssh"))
        script.expect(script.isOver(0, "no ssh"), .forget(first), .tasks(.awaitRows))
        script.finish(.noEngine)
    }

    @Test("does nothing more of an engine that has ended, whatever comes late")
    func late() {
        let script = DriverScript()
        script.begin(.hosts("a", "b"))
        script.engineEnds(0, status: 255, isHopeless: true)
        script.expect(all: script.gone(0, "exit status 255") + [script.isOver(0, "exit status 255")])
        let events: [DriverEvent] = [
            .engineSpoke(first), .engineGreeted(first, .guarded(by: "g0")), .engineReady(first, slots: 1),
            .engineRefused(first, reason: "x"), .engineMisbehaved(first, reason: "x"),
            .launchFailed(first, reason: "x"),
        ]
        for event in events {
            script.tell(event)
            script.expect()
        }
        script.engineEnds(0, status: 0)
        script.expect()
    }

    @Test("waits for contexts that are to come, or that a helper brings", arguments: [true, false])
    func contextsToCome(byHelper: Bool) {
        let script = DriverScript { policy in
            policy.waitsForContexts = !byHelper
            policy.helperBringsContext = byHelper
        }
        script.tell(.tasks(.itemsRead(TaskItem.tasks(0...0))))
        script.expect(.tasks(.readItems))
        script.tell(.tasks(.sourceEnded(.complete)))
        script.expect()
        script.tell(.runBegan)
        script.expect()
        script.tell(.contextAdded(.relayed("a")))
        script.expect(.recordContext(ContextID(0)), .noteLease, .launch(first))
        script.engineEnds(0, status: 255, isHopeless: true)
        let ending: [DriverAction] = [
            .release(ContextID(0), text: "a: exit status 255", isGood: false)
        ]
        let isOver = byHelper ? [.tasks(.awaitRows)] + ending : ending
        script.expect(all: script.gone(0, "exit status 255") + [script.isOver(0, "exit status 255")] + isOver)
    }
}
