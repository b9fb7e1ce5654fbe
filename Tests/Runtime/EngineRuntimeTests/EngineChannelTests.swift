import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import EngineRuntime

/// What an engine makes of what it is sent, by its driver and by others.
@Suite(.blocking) struct EngineChannelTests {
    @Test(arguments: [SIGTERM, SIGUSR1, SIGUSR2])
    func signalsAreTheDriversBusiness(signal: Int32) throws {
        let engine = try EngineClient()
        try engine.configure()
        kill(try #require(engine.hello?.pid), signal)
        _ = try engine.next { $0 == .signal(signal) }
        #expect(try engine.run("exit 4").returnCode == 4)
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    @Test(arguments: [SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGTERM, SIGUSR1])
    func signalsDontEndGuardOrEngine(signal: Int32) throws {
        let engine = try EngineClient()
        try engine.configure()
        kill(engine.guardProcess.pid, signal)
        if signal != SIGTERM, signal != SIGUSR1 { kill(try #require(engine.hello?.pid), signal) }
        #expect(try engine.run("exit 4").returnCode == 4)
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    /// A parent that ignores SIGCHLD passes that on, and then the kernel reaps the engine's children by itself.
    @Test(arguments: WaitWay.allCases)
    func anIgnoredChildSignal(way: WaitWay) throws {
        let engine = try EngineClient(way, through: ["/usr/bin/env", "--ignore-signal=CHLD"])
        try engine.configure()
        #expect(try engine.run("exit 4").returnCode == 4)
        #expect(try engine.run("/bin/false").returnCode == 1)
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    @Test func leavingWithoutHavingWorked() throws {
        #expect(try EngineClient().shutDown() == .exited(status: 0))
    }

    @Test func theEndOfTheChannelBeforeAnyWork() throws {
        let engine = try EngineClient()
        engine.closeChannel()
        #expect(try engine.waitForGuard() == .exited(status: EngineProtocol.clearedStatus))
    }

    @Test(
        arguments: [
            ([255, 255, 255, 255, 0], "a frame of 4294967295 bytes"), ([1, 0, 0, 0, 99], "a frame of unknown kind 99"),
            ([5, 0, 0, 0, 2, 1, 2, 3, 4], "a frame of kind 2 that ends too early"), ([2, 0, 0, 0, 5], nil),
        ] as [([UInt8], String?)])
    func garbageEndsTheEngine(bytes: [UInt8], complaint: String?) throws {
        let engine = try EngineClient()
        try engine.configure()
        let id = try engine.assign("sleep 1000")
        let pid = try engine.waitForStart(of: id)
        try engine.send(bytes: bytes)
        if complaint == nil { engine.closeChannel() }
        #expect(try engine.waitForGuard() == .exited(status: EngineProtocol.clearedStatus))
        #expect(!isAlive(pid))
        guard let complaint else { return }
        try engine.waitForEnd()
        let isSaid = engine.frames.contains { frame in
            if case .log(.critical, let text) = frame { text.contains(complaint) } else { false }
        }
        #expect(isSaid, "\(engine.frames)")
    }

    /// Frames before the configuration do no harm.
    @Test func workBeforeConfiguration() throws {
        let engine = try EngineClient()
        try engine.assign("touch early")
        try engine.send(.recall(count: 3))
        try engine.send(.endTasks(atOnce: true))
        try engine.send(.lease(sentAt: Instant(nanoseconds: 3), lease: .zero))
        _ = try engine.next { $0 == .leaseAcknowledged(sentAt: Instant(nanoseconds: 3)) }
        try engine.configure()
        #expect(try engine.run("exit 4").returnCode == 4)
        #expect(!engine.directory.exists("early"))
    }

    @Test(
        arguments: [
            ("/no/such/directory", 1, [], "working directory /no/such/directory: No such file or directory"),
            ("/dev/null", 1, [], "working directory /dev/null: Not a directory"),
            ("/", 1 << 16, [], "65536 slots are more than an engine can have"),
            ("/", 1, ["EMPTY_LIST"], "-E: EMPTY_LIST has no values on this node"),
        ] as [(String, Int, [String], String)])
    func refusals(directory: String, slots: Int, shared: [String], reason: String) throws {
        let engine = try EngineClient(environment: ["PATH": "/usr/bin:/bin", "EMPTY_LIST": ",,"])
        var configuration = EngineConfiguration(
            rank: EngineID(0), slots: slots, workingDirectory: Array(directory.utf8))
        configuration.sharedVariables = shared.map { Array($0.utf8) }
        try engine.send(.configure(configuration))
        _ = try engine.next { $0 == .refused(reason: reason) }
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    /// A driver that does not read for a while gets everything all the same.
    @Test func aDriverThatReadsLate() throws {
        let engine = try EngineClient()
        try engine.configure(slots: 4)
        let ids = try (0..<3000).map { _ in try engine.assign("/bin/true") }
        let marker = engine.directory.path + "/done"
        try engine.assign("until [ -e \(marker) ]; do sleep 0.01; done")
        // Nothing is read until the engine has no more to do but wait: its reports are more than a socket holds.
        let pid = try #require(engine.hello?.pid)
        #expect(eventually { Self.isAsleep(pid) })
        try engine.directory.write("", to: "done")
        for id in ids { #expect(try engine.outcome(of: id).returnCode == 0) }
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    /// Whether a process has but one child, the last task.
    private static func isAsleep(_ pid: Int32) -> Bool {
        let children = ProcessTree().entries.filter { $0.parent == pid }
        return children.count == 1 && !children[0].isZombie
    }
}
