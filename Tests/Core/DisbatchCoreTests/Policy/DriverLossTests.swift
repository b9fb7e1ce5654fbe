import Testing

@testable import DisbatchCore

@Suite("Driver machine, engines that are lost")
struct DriverLossTests {
    private let lease = Duration.seconds(20)

    /// Two hosts whose engines run a task each; then none is heard for the lease and its grace.
    private func silentScript(reconnects: Int) -> DriverScript {
        let script = DriverScript(lease: lease) { $0.reconnects = reconnects }
        script.begin(.hosts("a", "b"), tasks: 2)
        script.join(0, task: 0)
        script.join(1, task: 1)
        script.wait(.seconds(4))
        script.expect(.renewLease(EngineID(0), lease), .renewLease(EngineID(1), lease))
        script.wait(.seconds(28))
        script.expect(
            all: [(0, "a"), (1, "b")].map {
                .tasks(.warn(.engineQuiet(EngineID($0), node: $1, seconds: 12)))
            })
        script.wait(.seconds(4))
        return script
    }

    /// What comes of the silence in any case.
    private func abandoned(_ script: DriverScript) -> [DriverAction] {
        [.close(EngineID(0), .endingCarrier)] + script.lost(0, with: 0) + [.close(EngineID(1), .endingCarrier)]
            + script.lost(1, with: 1)
    }

    @Test("goes on after all hosts were cut off for longer than the lease and its grace")
    func allSilent() {
        let script = silentScript(reconnects: 5)
        script.expect(all: abandoned(script))
        for engine in 0...1 {
            #expect(script.stage(engine) == .abandoned)
            script.engineEnds(engine, status: -15)
            let again = script.isTriedAgain(engine, "killed by SIGTERM", seconds: 1)
            script.expect(all: script.gone(engine, "killed by SIGTERM") + [again])
            #expect(script.stage(engine) == .silent && script.stage(engine + 2) == .waiting)
        }
        script.wait(.milliseconds(999))
        script.expect()
        script.wait(.milliseconds(1))
        script.expect(.launch(EngineID(2)), .launch(EngineID(3)))
        // What was lost last is run first.
        script.join(2, task: 1, attempt: 2, lostGuards: ["g0"])
        script.join(3, task: 0, attempt: 2, lostGuards: ["g1"])
        script.end(1, on: 2)
        script.expect(script.row(1, on: 2, attempt: 2))
        script.end(0, on: 3)
        script.expect(script.row(0, on: 3, attempt: 2), .shutDown(EngineID(2)), .shutDown(EngineID(3)))
        script.engineEnds(2, status: 0)
        script.expect(all: script.gone(2, "exit status 0") + [.forgetGuard("g2")])
        script.engineEnds(3, status: 0)
        script.expect(all: script.gone(3, "exit status 0") + [.forgetGuard("g3"), .tasks(.awaitRows)])
        script.finish(.completed)
    }

    @Test("ends without an engine after that where none is launched again")
    func allSilentForGood() {
        let script = silentScript(reconnects: 0)
        script.expect(all: abandoned(script) + [.tasks(.awaitRows)])
        script.finish(.noEngine)
    }

    @Test("gives new leases after it stood still, and judges nobody before what came meanwhile is told")
    func standstill() {
        let script = DriverScript(lease: lease)
        script.begin(.hosts("a", "b"), tasks: 2)
        script.join(0, task: 0)
        script.join(1, task: 1)
        script.standStill(.seconds(100))
        script.end(0, on: 0)
        script.expect(
            .renewLease(EngineID(0), lease), .renewLease(EngineID(1), lease), script.row(0, on: 0))
        #expect(script.log.last == "the driver stood still for 96 s or more")
        script.end(1, on: 1)
        script.expect(script.row(1, on: 1), .shutDown(EngineID(0)), .shutDown(EngineID(1)))
        #expect(script.machine.scheduler.totals.enginesLost == 0)
    }

    @Test("takes a little delay for no standstill")
    func delay() {
        let script = DriverScript(lease: lease)
        script.begin(.hosts("a"))
        script.join(0, task: 0)
        script.standStill(.seconds(5))
        script.tell(.timePassed)
        script.expect(.renewLease(EngineID(0), lease))
        #expect(!script.log.contains { $0.contains("stood still") })
    }

    @Test("lets what is on its way have its time anew after it stood still")
    func standstillWhileGreeting() {
        let script = DriverScript(lease: lease)
        script.begin(.hosts("a"))
        script.tell(.engineSpoke(EngineID(0)))
        script.expect()
        script.standStill(.seconds(100))
        script.tell(.timePassed)
        script.expect()
        script.wait(.seconds(59))
        script.expect()
        script.wait(.seconds(1))
        script.expect(.close(EngineID(0), .killingCarrier))
    }

    @Test("tries a host again with growing pauses, as often as is asked for")
    func reconnecting() {
        let script = DriverScript { $0.reconnects = 4 }
        script.begin(.hosts("a"))
        for (engine, seconds) in [1, 2, 4, 8].enumerated() {
            script.engineEnds(engine, status: 255, reason: "Connection timed out")
            let again = script.isTriedAgain(engine, "Connection timed out", seconds: seconds)
            script.expect(all: script.gone(engine, "Connection timed out") + [again])
            script.wait(.seconds(seconds) - .milliseconds(1))
            script.expect()
            script.wait(.milliseconds(1))
            script.expect(.launch(EngineID(engine + 1)))
        }
        script.engineEnds(4, status: 255, reason: "Connection timed out")
        let isOver = script.isOver(4, "Connection timed out")
        script.expect(all: script.gone(4, "Connection timed out") + [isOver, .tasks(.awaitRows)])
        script.finish(.noEngine)
    }

    @Test(
        "does not try a host again whose name or port is wrong, unless it has answered once",
        arguments: ["Connection refused", "no address of a was found", "ssh: Could not resolve hostname a"])
    func mistakes(reason: String) {
        let script = DriverScript { $0.reconnects = 4 }
        script.begin(.hosts("a", "b"))
        script.join(0, task: 0)
        script.engineEnds(1, status: 255, reason: reason)
        let isOver = script.isOver(1, reason)
        script.expect(all: script.gone(1, reason) + [isOver])
        script.engineEnds(0, status: 255, reason: "Connection reset")
        script.expect(
            all: script.gone(0, "Connection reset") + [script.isTriedAgain(0, "Connection reset", seconds: 1)])
        script.wait(.seconds(1))
        script.expect(.launch(EngineID(2)))
        script.engineEnds(2, status: 255, reason: reason)
        script.expect(all: script.gone(2, reason) + [script.isTriedAgain(2, reason, seconds: 2)])
    }

    @Test("counts a host's failures anew when its engine has finished a task")
    func asGoodAsNew() {
        let script = DriverScript { $0.reconnects = 1 }
        script.begin(.hosts("a"), tasks: 3)
        for (engine, guards) in [[], ["g0"], ["g0", "g1"]].enumerated() {
            // All but the first task were lost once.
            let attempt = engine == 0 ? 1 : 2
            script.greet(engine, lostGuards: guards)
            script.tell(.engineReady(EngineID(engine), slots: 1))
            // Only the last of those before it was still known.
            let cleared = guards.suffix(1).map { DriverAction.forgetGuard($0) }
            script.expect(
                all: [.recordEngine(EngineID(engine), slots: 1)] + cleared
                    + [.noteGuard("g\(engine)", node: "a"), script.handed(engine, to: engine, attempt: attempt)])
            guard engine < 2 else { break }
            script.end(engine, on: engine)
            script.expect(script.row(engine, on: engine, attempt: attempt), script.handed(engine + 1, to: engine))
            script.engineEnds(engine, status: 255)
            script.expect(
                all: script.gone(engine, "exit status 255")
                    + [script.isTriedAgain(engine, "exit status 255", seconds: 1)])
            script.tell(.engineConfirmedGone(EngineID(engine)))
            script.expect(all: script.lost(engine + 1, with: engine))
            script.wait(.seconds(1))
            script.expect(.launch(EngineID(engine + 1)))
        }
    }

    @Test(
        "tries no host again where that is of no use",
        arguments: [
            ("user@a: Permission denied (publickey).", false), ("Host key verification failed.", false),
            ("it has no glibc", true),
        ])
    func permanent(reason: String, isHopeless: Bool) {
        let script = DriverScript()
        script.begin(.hosts("a"))
        script.engineEnds(0, status: 255, reason: reason, isHopeless: isHopeless)
        script.expect(all: script.gone(0, reason) + [script.isOver(0, reason), .tasks(.awaitRows)])
        script.finish(.noEngine)
    }

    @Test("launches no other for an engine that ended in order unasked")
    func inOrder() {
        let script = DriverScript()
        script.begin(.hosts("a", "b"))
        script.engineEnds(0, status: 0)
        script.expect(all: script.gone(0, "exit status 0"))
    }

    @Test("replaces an engine of this machine that was killed with a task, with growing pauses after three times")
    func localEngine() {
        let script = DriverScript(configure: { $0.maxLost = 10 })
        script.begin(.local())
        for engine in 0..<3 {
            script.join(engine, task: 0, attempt: engine + 1, lostGuards: [])
            script.engineEnds(engine, status: -9)
            script.expect(
                all: script.gone(engine, "killed by SIGKILL") + script.lost(0, with: engine, attempt: engine + 1)
                    + [.launch(EngineID(engine + 1))])
        }
        for (engine, seconds) in [3: 1, 4: 2, 5: 4].sorted(by: { $0.key < $1.key }) {
            script.join(engine, task: 0, attempt: engine + 1, lostGuards: [])
            script.engineEnds(engine, status: -9)
            script.expect(
                all: script.gone(engine, "killed by SIGKILL") + script.lost(0, with: engine, attempt: engine + 1))
            script.wait(.seconds(seconds) - .milliseconds(1))
            script.expect()
            script.wait(.milliseconds(1))
            script.expect(.launch(EngineID(engine + 1)))
        }
    }

    @Test("does not try an engine of this machine again that never came to be")
    func localEngineFails() {
        let script = DriverScript()
        script.begin(.local())
        script.engineEnds(0, status: 1, reason: "no memory")
        script.expect(all: script.gone(0, "no memory") + [script.isOver(0, "no memory"), .tasks(.awaitRows)])
        script.finish(.noEngine)
    }

    @Test("takes an engine for gone whose carrier tells that nothing of it is left")
    func proof() {
        let script = DriverScript()
        script.begin(.hosts("a"))
        script.join(0, task: 0)
        script.engineEnds(0, status: EngineProtocol.clearedStatus)
        script.expect(
            all: script.gone(0, "exit status 91")
                + [script.isTriedAgain(0, "exit status 91", seconds: 1), .forgetGuard("g0")] + script.lost(0, with: 0))
        #expect(script.stage(0) == .gone)
    }

    @Test("has the manager end the step of a lost engine, and asks until it is gone")
    func lostStep() throws {
        let script = DriverScript()
        script.begin(.job("a"))
        script.join(0, task: 0)
        script.engineEnds(0, status: 255)
        let again = script.isTriedAgain(0, "exit status 255", seconds: 1)
        script.expect(all: script.gone(0, "exit status 255") + [again])
        let control = try #require(ManagerTraits.of(kind: "slurm").stepControl)
        let purpose = CommandPurpose.lostStep(ContextID(0), EngineID(0))
        let question = DriverAction.run(control.words(job: "1", step: "disbatch-0"), purpose)
        script.wait(.zero)
        script.expect(question)
        answer(script, purpose, LostSteps.stillThere)
        script.expect()
        script.wait(.milliseconds(499))
        script.expect()
        script.wait(.milliseconds(1))
        script.expect(question)
        answer(script, purpose, 0)
        script.expect(all: script.lost(0, with: 0))
        #expect(script.stage(0) == .gone)
        script.wait(.milliseconds(500))
        script.expect(.launch(EngineID(1)))
    }

    private func answer(_ script: DriverScript, _ purpose: CommandPurpose, _ status: Int32) {
        let answer = ManagerAnswer(status: status, text: "")
        script.tell(.commandEnded(purpose, answer, wallClock: Timestamp(microseconds: 0)))
    }
}
