import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import EngineRuntime

/// What a real engine reports of real tasks, whichever way it waits for them.
@Suite(.blocking) struct EngineTasksTests {
    @Test(
        arguments: WaitWay.allCases,
        [
            ("true", 0), ("false", 1), ("exit 7", 7), ("exit 256", 0), ("kill -9 $$", -9), ("kill -SEGV $$", -11),
            ("kill -TERM $$", -15), ("no-such-program-here", 127), ("/", 126), ("/bin/true", 0), ("/bin/false", 1),
            ("if", 2), ("(exit 3)", 3), ("sh -c 'kill -9 $$'", -9), ("sh -c 'kill -9 $$'; exit $?", 137),
        ] as [(String, Int32)])
    func returnCodes(way: WaitWay, expected: (line: String, code: Int32)) throws {
        let engine = try EngineClient(way)
        try engine.configure()
        let id = try engine.assign(expected.line)
        let outcome = try engine.outcome(of: id)
        #expect(outcome.returnCode == expected.code, "\(expected.line)")
        #expect(outcome.ending == .exited)
        #expect(outcome.pid > 0)
        #expect(outcome.start <= outcome.finish)
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    /// Streams are watched late: whatever a short task wrote, more than a pipe holds or not, is counted whole.
    @Test(arguments: [0, 1, 65_536, 65_537, 300_000])
    func shortTasksOutputIsWhole(count: Int) throws {
        let engine = try EngineClient()
        try engine.configure()
        for _ in 0..<3 {
            let outcome = try engine.run("head -c \(count) /dev/zero; head -c \(count) /dev/zero >&2")
            #expect(outcome.out.count == UInt64(count) && outcome.err.count == UInt64(count))
            #expect(outcome.returnCode == 0)
        }
    }

    @Test func helloTellsWhoAndWhere() throws {
        let engine = try EngineClient()
        let hello = try #require(engine.hello)
        let version = try Tool.run([EngineClient.program, "--version"]).text
        #expect(version.contains(hello.version) && !hello.version.isEmpty)
        #expect(hello.protocolVersion == EngineProtocol.version)
        #expect(hello.host == ProcessInfo.processInfo.hostName)
        #expect(hello.cores == CPUSet.current().members.count)
        #expect(ProcessTree.entry(of: hello.pid)?.parent == engine.guardProcess.pid)
        #expect(ProcessTree.entry(of: hello.pid)?.session == engine.guardProcess.pid)
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    @Test(arguments: WaitWay.allCases)
    func outputIsCountedAndItsEdgesKept(way: WaitWay) throws {
        let engine = try EngineClient(way)
        try engine.configure()
        let outcome = try engine.run("printf 'a%.0s' {1..100}; printf 'b%.0s' {1..50} >&2; printf z")
        #expect(outcome.out.count == 101)
        #expect(outcome.out.edges == Array((String(repeating: "a", count: 79) + "z").utf8))
        #expect(outcome.err == OutputSummary(count: 50, edges: [UInt8](repeating: 98, count: 50)))
        let silent = try engine.run("exec 1>&- 2>&-; exit 3")
        #expect(silent.out == OutputSummary() && silent.err == OutputSummary() && silent.returnCode == 3)
    }

    /// A gigabyte goes through, and the engine is no larger for it.
    @Test func muchOutputTakesNoMemory() throws {
        let engine = try EngineClient()
        try engine.configure()
        let outcome = try engine.run("head -c 1G /dev/zero")
        #expect(outcome.out == OutputSummary(count: 1 << 30, edges: [UInt8](repeating: 0, count: 80)))
        let status = TextFile.read("/proc/\(engine.hello?.pid ?? 0)/status") ?? ""
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.split(separator: " ")[1]
        #expect(try Int(#require(peak)) ?? .max < 64 << 10, "peak of the engine's memory: \(peak ?? "") KiB")
    }

    /// The end of its output isn't the end of a task.
    @Test func aTaskThatClosesItsOutputRunsOn() throws {
        let engine = try EngineClient()
        try engine.configure()
        let gate = engine.directory.path + "/gate"
        try #require(mkfifo(gate, 0o600) == 0)
        let id = try engine.assign("echo x; exec 1>&- 2>&-; read line <gate; exit $line")
        try engine.waitForStart(of: id)
        // Opening it for writing waits until the task opened it for reading, its output closed.
        try Data("9\n".utf8).write(to: URL(filePath: gate), options: [])
        let outcome = try engine.outcome(of: id)
        #expect(outcome.returnCode == 9)
        #expect(outcome.out.count == 2)
    }

    @Test func usageIsOfTheTask() throws {
        let engine = try EngineClient()
        try engine.configure()
        let outcome = try engine.run("i=0; while ((i < 200000)); do ((i+=1)); done")
        #expect(outcome.userMicroseconds > 50_000)
        #expect(outcome.peakResidentKiB > 1000)
        #expect(outcome.userMicroseconds < 60_000_000 && outcome.systemMicroseconds < 60_000_000)
    }

    /// Its input is at its end, its session and group are its own, signals and descriptors as a login has them.
    @Test func whatATaskFinds() throws {
        let engine = try EngineClient()
        try engine.configure { $0.captureDirectory = Array((engine.directory.path + "/c").utf8) }
        mkdir(engine.directory.path + "/c", 0o755)
        let id = try engine.assign(
            """
            cat; ls -l /proc/self/fd | awk 'NF > 9 {print $9, $11}' | sed 's/pipe:.*/pipe/'; \
            grep -E '^Sig(Blk|Ign):' /proc/self/status; pwd; ps -o sid=,pgid= -p $$ | xargs; echo $$; ulimit -Sn
            """)
        let outcome = try engine.outcome(of: id)
        let lines = (engine.directory.text("c/000/\(id).out") ?? "").split(separator: "\n").map(String.init)
        let ulimit = try Tool.run(["/bin/bash", "-c", "ulimit -Sn"]).text.dropLast()
        // Signals above 31 are whatever they are where the tests run.
        let ownStatus = TextFile.read("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
        let own = try UInt64(#require(ownStatus?.suffix(16)), radix: 16) ?? 0
        let hex = String(own & ~0x7fff_ffff, radix: 16)
        let ignored = String(repeating: "0", count: 16 - hex.count) + hex
        // `ls` writes to the pipe in `awk`'s place, and has its directory open as 3.
        #expect(
            lines == [
                "0 /dev/null", "1 pipe", "2 pipe", "3 " + (lines.first { $0.hasPrefix("3 ") } ?? "3 ?").dropFirst(2),
                "SigBlk:\t0000000000000000", "SigIgn:\t" + ignored, engine.directory.path,
                "\(outcome.pid) \(outcome.pid)", "\(outcome.pid)", String(ulimit),
            ])
        #expect(outcome.err.count == 0)
    }

    @Test func perEngineCommandsHaveNoCylinder() throws {
        let engine = try EngineClient()
        try engine.configure()
        let id = try engine.assign("echo $DISBATCH_CYLINDER_RANK", kind: .perEngine(.start))
        _ = try engine.outcome(of: id)
        let frame = try engine.next { if case .finished = $0 { true } else { false } }
        guard case .finished(_, let cylinder, let outcome) = frame else { return }
        #expect(cylinder == -1)
        #expect(outcome.out.edges == Array("-1\n".utf8))
    }

    @Test(arguments: WaitWay.allCases)
    func tasksRunSideBySideAndInOrder(way: WaitWay) throws {
        let engine = try EngineClient(way)
        try engine.configure(slots: 3)
        let ids = try (0..<200).map { try engine.assign("echo \($0); exit \($0 % 5)") }
        var starts: [Int64] = []
        for (number, id) in ids.enumerated() {
            let outcome = try engine.outcome(of: id)
            #expect(outcome.returnCode == Int32(number % 5))
            #expect(outcome.out.edges == Array("\(number)\n".utf8))
            starts.append(outcome.start.microseconds)
        }
        #expect(starts == starts.sorted(), "tasks start in the order in which they came")
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    /// More slots than the usual limit of open files has room for: each takes three.
    @Test(.alone) func hundredsOfTasksAtOnce() throws {
        let engine = try EngineClient(through: ["/usr/bin/prlimit", "--nofile=1024:"])
        try engine.configure(slots: 450)
        let gate = engine.directory.path + "/gate"
        try #require(mkfifo(gate, 0o600) == 0)
        let ids = try (0..<450).map { _ in try engine.assign("read <gate; exit $(($(ulimit -Sn) == 1024 ? 4 : 5))") }
        for id in ids { try engine.waitForStart(of: id) }
        // Whoever opens for reading sees the end as soon as no one writes: held open until all are through.
        let writer = open(gate, O_RDWR | O_CLOEXEC)
        defer { close(writer) }
        try #require(write(writer, String(repeating: "\n", count: 450), 450) == 450)
        for id in ids { #expect(try engine.outcome(of: id).returnCode == 4) }
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    /// A thousand processes that fork are a thousand that end.
    @Test(arguments: WaitWay.allCases)
    func aThousandForkingTasks(way: WaitWay) throws {
        let engine = try EngineClient(way)
        try engine.configure(slots: 8)
        let ids = try (0..<1000).map { _ in try engine.assign("(:) & (:) & wait; (exit 2)") }
        for id in ids { #expect(try engine.outcome(of: id).returnCode == 2) }
        #expect(try engine.shutDown() == .exited(status: 0))
    }

    @Test func recalledTasksAreNotStarted() throws {
        let engine = try EngineClient()
        try engine.configure()
        let first = try engine.assign("sleep 100")
        let others = try (0..<3).map { _ in try engine.assign("touch never") }
        try engine.waitForStart(of: first)
        try engine.send(.recall(count: 2))
        let back = try engine.next { if case .returned = $0 { true } else { false } }
        #expect(back == .returned(others.dropFirst().map(AssignmentID.init)))
        try engine.send(.recall(count: 1))
        _ = try engine.next { $0 == .returned([AssignmentID(others[0])]) }
        try engine.send(.endTasks(atOnce: true))
        #expect(try engine.outcome(of: first).ending == .stopped)
        #expect(try engine.shutDown() == .exited(status: 0))
        #expect(!engine.directory.exists("never"))
    }
}
