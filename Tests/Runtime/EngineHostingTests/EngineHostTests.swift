import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import EngineHosting

/// Engines of this machine.
@Suite(.blocking) struct EngineHostTests {
    @Test func bytesGoBothWaysUntilTheChannelIsClosed() throws {
        let loop = try HostLoop(engine: "echo Welcome; \(HostLoop.magic); echo more; cat")
        let engine = try loop.launch()
        #expect(loop.notes == ["launched, pid \(engine.pid ?? -1)"])
        #expect(engine.isOpen)
        try loop.turn(until: { loop.said[engine.id] == "more\n" })
        loop.send("hello\n", to: engine)
        try loop.turn(until: { loop.said[engine.id] == "more\nhello\n" })
        engine.close(.endingCarrier)
        #expect(!engine.isOpen)
        #expect(loop.ends.isEmpty, "closing must tell nothing by itself")
        let end = try loop.end(of: engine)
        #expect(end == EngineEnd(status: 0, reason: nil, printedBefore: "", isHopeless: false))
        #expect(loop.told == ["spoke 0", "said 0", "ended 0"])
    }

    @Test func moreThanASocketHoldsIsSentAsItIsTaken() throws {
        let loop = try HostLoop(engine: "\(HostLoop.magic); head -c 4000000 | wc -c; cat >/dev/null")
        let engine = try loop.launch()
        loop.send(String(repeating: "x", count: 4_000_000), to: engine)
        try loop.turn(until: { loop.said[engine.id]?.contains("4000000\n") == true })
        #expect(loop.writers[engine.id]?.isEmpty == true)
        engine.close(.keepingCarrier)
        #expect(try loop.end(of: engine).status == 0)
    }

    @Test func whatIsSaidAtLastComesBeforeTheEnd() throws {
        let loop = try HostLoop(engine: "\(HostLoop.magic); head -c 1000000 /dev/zero; exit 91")
        let engine = try loop.launch()
        #expect(try loop.end(of: engine).status == 91)
        #expect(loop.said[engine.id]?.utf8.count == 1_000_000)
        #expect(loop.told == ["spoke 0", "said 0", "ended 0"])
    }

    @Test func oneThatExitsBeforeItSpeaksIsShownByWhatItPrinted() throws {
        let loop = try HostLoop(engine: "echo no room; echo here; exit 3")
        let end = try loop.end(of: try loop.launch())
        #expect(end == EngineEnd(status: 3, reason: nil, printedBefore: "no room | here", isHopeless: false))
        #expect(loop.told == ["ended 0"])
    }

    @Test func oneThatDoesNotSpeakInTimeIsKilled() throws {
        let loop = try HostLoop(engine: "echo Welcome; exec sleep 1000", patience: .seconds(1))
        let engine = try loop.launch()
        let end = try loop.end(of: engine)
        let reason = "it did not answer within 1 s; it printed: Welcome"
        #expect(end == EngineEnd(status: -SIGKILL, reason: reason, printedBefore: "Welcome", isHopeless: true))
        #expect(loop.told == ["ended 0"])
    }

    @Test func oneThatHasSpokenMayTakeItsTime() throws {
        let loop = try HostLoop(engine: "\(HostLoop.magic); cat", patience: .milliseconds(300))
        let engine = try loop.launch()
        try loop.turn(until: { loop.told == ["spoke 0"] })
        try loop.turnOn(milliseconds: 500)
        #expect(engine.isOpen)
        engine.close(.keepingCarrier)
        #expect(try loop.end(of: engine).status == 0)
    }

    /// The child that is left has the mark of the engine's guard, as tasks have.
    @Test func whatIsLeftOfAKilledEngineIsKilled() throws {
        let script = """
            ticks=$(cut -d' ' -f22 /proc/$$/stat)
            DISBATCH_GUARD=$$.$ticks setsid sleep 1000 >/dev/null 2>&1 </dev/null &
            echo $! >left; \(HostLoop.magic); kill -9 $$
            """
        let loop = try HostLoop(engine: script)
        let engine = try loop.launch()
        #expect(try loop.end(of: engine).status == -SIGKILL)
        let left = try #require(loop.text("left").flatMap { Int32($0.trimmingCharacters(in: .newlines)) })
        #expect(ProcessTree.entry(of: left)?.isZombie != false, "a process of the engine outlived it")
    }

    @Test func killingACarrierIsForGuardsToo() throws {
        let loop = try HostLoop(engine: "\(HostLoop.magic); trap '' TERM; exec sleep 1000")
        let engine = try loop.launch()
        try loop.turn(until: { loop.told == ["spoke 0"] })
        engine.close(.endingCarrier)
        try loop.turnOn(milliseconds: 200)
        #expect(loop.ends.isEmpty)
        engine.close(.killingCarrier)
        #expect(try loop.end(of: engine).status == -SIGKILL)
    }

    @Test func enginesMayBeClosedWhileTheySpeak() throws {
        let loop = try HostLoop(engine: "\(HostLoop.magic); head -c 100000 /dev/zero; cat >/dev/null")
        loop.whenSpoken = { engine in
            loop.send("hello", to: engine)
            engine.close(.killingCarrier)
            engine.close(.keepingCarrier)
            loop.send("nobody there", to: engine)
        }
        defer { loop.whenSpoken = { _ in } }
        let engines = try (0..<3).map { _ in try loop.launch() }
        for engine in engines { #expect(try loop.end(of: engine).status == -SIGKILL) }
        #expect(loop.told.filter { $0.hasPrefix("ended") }.count == 3)
    }

    @Test func allAreEndedAtOnce() throws {
        let loop = try HostLoop(engine: "\(HostLoop.magic); cat; exit 7")
        let engines = try (0..<3).map { _ in try loop.launch() }
        try loop.turn(until: { loop.told.count == 3 })
        loop.host.endAll(try SignalSource([SIGCHLD]))
        for engine in engines { #expect(loop.ends[engine.id]?.status == 7) }
    }

    @Test func whatDoesNotEndIsKilledInTheEnd() throws {
        let loop = try HostLoop(engine: "trap '' TERM; \(HostLoop.magic); exec sleep 1000")
        loop.host.carrierPatience = .milliseconds(300)
        let engine = try loop.launch()
        try loop.turn(until: { loop.told == ["spoke 0"] })
        let pid = try #require(engine.pid)
        loop.host.endAll(try SignalSource([SIGCHLD]))
        #expect(loop.ends[engine.id]?.status == -SIGKILL)
        #expect(loop.told == ["spoke 0", "ended 0"])
        var status: Int32 = 0
        #expect(waitpid(pid, &status, 0) == pid)
    }

    @Test func whereNoDescriptorTellsOfProcessesASignalDoes() throws {
        let loop = try HostLoop(engine: "exit 5", usesProcessDescriptors: false)
        let engine = try loop.launch()
        let pid = try #require(engine.pid)
        try loop.turn(until: { !engine.isOpen && ProcessTree.entry(of: pid)?.isZombie == true })
        #expect(loop.ends.isEmpty)
        loop.host.reapChildren()
        #expect(loop.ends[engine.id]?.status == 5)
    }

    @Test func whatCannotBeStartedIsNoEngine() throws {
        let loop = try HostLoop()
        try FileManager.default.removeItem(atPath: loop.path + "/engine")
        #expect(throws: SystemError.self) { try loop.launch() }
        #expect(loop.told.isEmpty && loop.notes.isEmpty)
    }
}
