import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import EngineRuntime

/// Nothing of a task lives on that must not, and what may live on does.
@Suite(.blocking) struct EngineKillingTests {
    /// Starts two daemons, one of them with an environment of its own, in sessions of their own; both write their
    /// process ids and hold nothing of the task's.
    private static let daemons = """
        setsid sh -c 'echo $$ >d1; exec sleep 1000' >/dev/null 2>&1 & \
        env -i PATH=$PATH setsid sh -c 'echo $$ >d2; exec sleep 1000' >/dev/null 2>&1 & \
        setsid sh -c 'setsid sh -c "echo \\$\\$ >d3; exec sleep 1000" >/dev/null 2>&1 & exit'; \
        until [ -s d1 -a -s d2 -a -s d3 ]; do sleep 0.01; done;
        """

    private static func pids(_ engine: EngineClient) throws -> [Int32] {
        let pids = ["d1", "d2", "d3"].compactMap { engine.directory.text($0) }
            .compactMap { Int32($0.dropLast()) }
        try #require(pids.count == 3, "the daemons have not started")
        return pids
    }

    @Test(arguments: WaitWay.allCases)
    func aTimeoutEndsDaemonsToo(way: WaitWay) throws {
        let engine = try EngineClient(way)
        try engine.configure()
        let id = try engine.assign(Self.daemons + "touch up; sleep 1000", limit: .seconds(3))
        try engine.waitForStart(of: id)
        try #require(eventually { engine.directory.exists("up") })
        let outcome = try engine.outcome(of: id)
        #expect(outcome.returnCode == 124)
        #expect(outcome.ending == .timedOut)
        for pid in try Self.pids(engine) { #expect(!isAlive(pid)) }
        #expect(try engine.run("exit 5").returnCode == 5)
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    @Test func whoIgnoresTheTermSignalIsKilled() throws {
        let engine = try EngineClient()
        try engine.configure { $0.tasks.killAfter = .milliseconds(200) }
        let id = try engine.assign("trap '' TERM; while :; do sleep 0.1; done", limit: .milliseconds(500))
        let outcome = try engine.outcome(of: id)
        #expect(outcome.returnCode == 124)
        #expect(outcome.finish.microseconds - outcome.start.microseconds >= 700_000)
    }

    @Test(arguments: WaitWay.allCases, [false, true])
    func endingTasksEndsDaemonsToo(way: WaitWay, atOnce: Bool) throws {
        let engine = try EngineClient(way)
        try engine.configure(slots: 2)
        let id = try engine.assign(Self.daemons + "touch up; sleep 1000")
        let other = try engine.assign("trap 'exit 6' TERM; touch trapped; while :; do sleep 0.01; done")
        try #require(eventually { engine.directory.exists("up") && engine.directory.exists("trapped") })
        try engine.send(.endTasks(atOnce: atOnce))
        let outcome = try engine.outcome(of: id)
        #expect(outcome.returnCode == (atOnce ? -9 : -15))
        #expect(outcome.ending == .stopped)
        #expect(try engine.outcome(of: other).returnCode == (atOnce ? -9 : 6))
        for pid in try Self.pids(engine) { #expect(!isAlive(pid)) }
        #expect(try engine.run("exit 5").returnCode == 5)
    }

    /// A task's end is not held up for more than 5 s by who keeps its output open; who does so lives on.
    @Test func aDaemonThatHoldsTheOutput() throws {
        let engine = try EngineClient()
        try engine.configure()
        let writes = "while [ ! -e stop ]; do echo line || exit; sleep 0.05; done; echo end >ended"
        let id = try engine.assign("(trap 'echo signal >ended' PIPE; \(writes)) & echo $! >pid; exit 3")
        let outcome = try engine.outcome(of: id)
        let elapsed = MonotonicTime.now
        #expect(outcome.returnCode == 3)
        #expect(outcome.ending == .exited)
        #expect(outcome.out.count > 20)
        #expect(outcome.finish.microseconds - outcome.start.microseconds < 5_000_000, "finish is its exit")
        let pid = try #require(Int32(engine.directory.text("pid")?.dropLast() ?? ""))
        #expect(isAlive(pid))
        // It goes on writing, and nothing happens to it, while other tasks run.
        while MonotonicTime.now < elapsed + .milliseconds(500) {
            #expect(try engine.run("exit 1").returnCode == 1)
        }
        #expect(isAlive(pid) && !engine.directory.exists("ended"))
        // What it leaves running, an engine that was told to leave leaves running.
        #expect(try engine.shutDown() == .exited(status: 0))
        try engine.directory.write("", to: "stop")
        #expect(eventually { !isAlive(pid) })
    }

    /// All that is running when the driver is gone.
    private static func runDaemons(_ way: WaitWay) throws -> (EngineClient, [Int32]) {
        let engine = try EngineClient(way)
        try engine.configure(slots: 2)
        let task = try engine.assign(daemons + "touch up; sleep 1000")
        let deaf = try engine.assign("trap '' TERM HUP INT; touch deaf; while :; do sleep 0.1; done")
        let pids = [try engine.waitForStart(of: task), try engine.waitForStart(of: deaf)]
        try #require(eventually { engine.directory.exists("up") && engine.directory.exists("deaf") })
        return (engine, pids + (try self.pids(engine)))
    }

    @Test(arguments: WaitWay.allCases)
    func theEndOfTheChannelEndsEverything(way: WaitWay) throws {
        let (engine, pids) = try Self.runDaemons(way)
        engine.closeChannel()
        #expect(try engine.waitForGuard() == .exited(status: EngineProtocol.clearedStatus))
        for pid in pids { #expect(!isAlive(pid)) }
    }

    /// The last task's end can't be told; nothing else ever wakes the engine.
    @Test(arguments: WaitWay.allCases)
    func aWriteThatFailsEndsEverything(way: WaitWay) throws {
        let engine = try EngineClient(way)
        try engine.configure()
        let id = try engine.assign("until [ -e go ]; do sleep 0.01; done")
        try engine.waitForStart(of: id)
        engine.hearNothing()
        try engine.directory.write("", to: "go")
        #expect(try engine.waitForGuard() == .exited(status: EngineProtocol.clearedStatus))
    }

    @Test(arguments: WaitWay.allCases)
    func theGuardOutlivesAKilledEngineAndKillsAll(way: WaitWay) throws {
        let (engine, pids) = try Self.runDaemons(way)
        kill(try #require(engine.hello?.pid), SIGKILL)
        #expect(try engine.waitForGuard() == .exited(status: EngineProtocol.clearedStatus))
        for pid in pids { #expect(!isAlive(pid)) }
        try engine.waitForEnd()
    }

    /// Here only the environment tells whose the daemons are: the one that cleared it is known as long as its parent
    /// lives.
    @Test(arguments: WaitWay.allCases)
    func theEngineOutlivesAKilledGuardAndKillsAll(way: WaitWay) throws {
        let (engine, pids) = try Self.runDaemons(way)
        kill(engine.guardProcess.pid, SIGKILL)
        try engine.waitForEnd()
        let own = try #require(engine.hello?.pid)
        #expect(eventually { !isAlive(own) })
        for pid in pids { #expect(!isAlive(pid)) }
    }

    /// A daemon that lost its parent, and holds the task's output, which is not waited for first.
    @Test func aDaemonThatHoldsTheOutputEndsAtOnceWithTheGuard() throws {
        let engine = try EngineClient()
        try engine.configure()
        let id = try engine.assign(
            "(setsid sh -c 'echo $$ >d; exec sleep 1000' &); until [ -s d ]; do sleep 0.01; done; touch up; sleep 1000")
        try engine.waitForStart(of: id)
        try #require(eventually { engine.directory.exists("up") })
        let own = try #require(engine.hello?.pid)
        let daemon = try #require(engine.directory.text("d").flatMap { Int32($0.dropLast()) })
        let begun = MonotonicTime.now
        kill(engine.guardProcess.pid, SIGKILL)
        #expect(eventually { !isAlive(own) })
        #expect(!isAlive(daemon))
        #expect(MonotonicTime.now < begun + .seconds(5), "the engine waits for five seconds for whom it does not kill")
    }

    @Test func aLeaseThatIsNotRenewedEndsEverything() throws {
        let (engine, pids) = try Self.runDaemons(.descriptors)
        let sentAt = Instant(nanoseconds: 77)
        try engine.send(.lease(sentAt: sentAt, lease: .milliseconds(300)))
        _ = try engine.next { $0 == .leaseAcknowledged(sentAt: sentAt) }
        #expect(try engine.waitForGuard() == .exited(status: EngineProtocol.clearedStatus))
        for pid in pids { #expect(!isAlive(pid)) }
    }

    /// Tasks that are being started as all ends are found too.
    @Test(arguments: [0, 1, 5, 20, 60])
    func tasksThatAreJustStarting(milliseconds: UInt32) throws {
        let engine = try EngineClient()
        try engine.configure(slots: 16)
        for _ in 0..<16 { try engine.assign("sleep 1000") }
        // The delay is the case that is tried, not something waited for.
        usleep(milliseconds * 1000)
        engine.closeChannel()
        try engine.waitForGuard()
        let mark = Array("DISBATCH_GUARD=\(engine.guardProcess.pid).".utf8)
        let left = ProcessTree().entries.filter { entry in
            let block = TextFile.readBytes("/proc/\(entry.pid)/environ") ?? []
            return !entry.isZombie && block.split(separator: 0).contains { $0.starts(with: mark) }
        }
        #expect(left.isEmpty)
    }

    /// The thread that was forked has the guard's number where Swift's locks keep their thread's.
    @Test func theForkedThreadRunsNothing() throws {
        let engine = try EngineClient()
        try engine.configure()
        let pid = try #require(engine.hello?.pid)
        let line = { (name: String) in
            let text = try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/status", encoding: .utf8)
            return text.split(separator: "\n").filter { $0.hasPrefix(name) }.joined()
        }
        #expect(eventually { (try? line("State:").contains("S")) == true })
        let before = try line("voluntary_ctxt_switches")
        for status in 1...5 { #expect(try engine.run("exit \(status)").returnCode == Int32(status)) }
        #expect(try line("voluntary_ctxt_switches") == before)
        #expect(try engine.shutDown() == .exited(status: 0))
    }
}
