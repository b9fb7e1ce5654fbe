import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import EngineRuntime

/// What a configuration asks for beside running: files, cores, shares, long lines.
@Suite(.blocking) struct EngineOptionsTests {
    @Test func captureFiles() throws {
        let engine = try EngineClient()
        let root = engine.directory.path + "/kept"
        mkdir(root, 0o755)
        try engine.configure { $0.captureDirectory = Array(root.utf8) }
        func run(_ id: Int, _ attempt: Int, _ command: String, _ kind: AssignmentKind = .task) throws {
            let spec = TaskSpec(id: TaskID(id), streamIndex: 1, command: Array(command.utf8))
            let assignment = AssignmentID(UInt64(id * 10 + attempt))
            try engine.send(.run(Assignment(id: assignment, kind: kind, spec: spec, attempt: attempt)))
            _ = try engine.next { if case .finished(assignment, _, _) = $0 { true } else { false } }
        }
        try run(0, 1, "echo out; echo err >&2")
        try run(0, 2, "echo again")
        try run(999, 1, "echo e >&2")
        try run(1000, 1, "head -c 300000 /dev/zero")
        try run(1_234_567, 1, "echo far")
        try run(5, 1, "true")
        try run(6, 1, "echo hidden", .perEngine(.start))
        let files = try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.contains("/") }.sorted()
        #expect(files == ["000/0.2.out", "000/0.err", "000/0.out", "000/999.err", "001/1000.out", "1234/1234567.out"])
        #expect(engine.directory.text("kept/000/0.out") == "out\n")
        #expect(engine.directory.text("kept/000/0.err") == "err\n")
        #expect(engine.directory.text("kept/000/0.2.out") == "again\n")
        #expect(engine.directory.bytes("kept/001/1000.out") == [UInt8](repeating: 0, count: 300_000))
    }

    /// Where nothing can be kept the task is as it would be without, and a warning says so, once.
    @Test func captureThatFails() throws {
        let engine = try EngineClient()
        try engine.configure { $0.captureDirectory = Array("/dev/null/x".utf8) }
        let outcome = try engine.run("echo a; sleep 0.1; echo b")
        #expect(outcome.out.edges == Array("a\nb\n".utf8) && outcome.returnCode == 0)
        let warnings = engine.frames.compactMap { if case .log(.warning, let text) = $0 { text } else { nil } }
        #expect(
            warnings == ["--capture: open /dev/null/x/000/1.out: Not a directory; the rest of this stream is not kept"])
    }

    @Test func sharedVariables() throws {
        let engine = try EngineClient(environment: ["PATH": "/usr/bin:/bin", "GPUS": "a,b,c", "TWO": "x,y"])
        try engine.send(.configure(Self.configuration(engine, slots: 5, shared: ["GPUS", "TWO"])))
        // As many slots as the shorter list has values.
        #expect(try engine.next { if case .ready = $0 { true } else { false } } == .ready(slots: 2))
        let line = "echo $DISBATCH_CYLINDER_RANK $GPUS $TWO; sleep 0.3"
        let ids = [try engine.assign(line), try engine.assign(line)]
        let texts = try ids.map { String(decoding: try engine.outcome(of: $0).out.edges, as: UTF8.self) }
        #expect(texts.sorted() == ["0 a x\n", "1 b y\n"])
        // A command for the whole engine has it whole.
        let command = try engine.assign(line, kind: .perEngine(.start))
        #expect(try engine.outcome(of: command).out.edges == Array("-1 a,b,c x,y\n".utf8))
        // And a directly started program the same as bash.
        for _ in 0..<30 {
            #expect(try engine.run("printenv GPUS").out.edges.count == 2)
        }
    }

    private static func configuration(_ engine: EngineClient, slots: Int, shared: [String]) -> EngineConfiguration {
        var configuration = EngineConfiguration(
            rank: EngineID(0), slots: slots, workingDirectory: Array(engine.directory.path.utf8))
        configuration.environment = ["PATH=/usr/bin:/bin", "GPUS=zz"].map { Array($0.utf8) }
        configuration.sharedVariables = shared.map { Array($0.utf8) }
        return configuration
    }

    @Test func coresOfCylinders() throws {
        let allowed = CPUSet.current().members
        let engine = try EngineClient()
        try engine.configure(slots: allowed.count) { $0.binding = .cores }
        let line = "taskset -cp $$ | sed 's/.*: //'; sleep 0.3"
        let ids = try allowed.map { _ in try engine.assign(line) }
        let texts = try ids.map { String(decoding: try engine.outcome(of: $0).out.edges, as: UTF8.self) }
        #expect(texts.sorted() == allowed.map { "\($0)\n" }.sorted())
        let command = try engine.assign("nproc", kind: .perEngine(.start))
        #expect(try engine.outcome(of: command).out.edges == Array("\(allowed.count)\n".utf8))
        let free = try EngineClient()
        try free.configure(slots: allowed.count)
        #expect(try free.run("nproc").out.edges == Array("\(allowed.count)\n".utf8))
    }

    @Test(
        arguments: [
            (2, 1, [0, 1, 2, 3], [[0], [1]]), (2, 2, [0, 1, 2, 3], [[0, 1], [2, 3]]),
            (2, 3, [4, 5, 6, 7], [[4, 5], [6, 7]]),
            (3, 2, [1, 3, 5, 7], [[1], [3], [5]]), (5, 1, [0, 1, 2, 3], [nil, nil, nil, nil, nil]),
            (2, -4, [0, 1], [[0], [1]]), (1, 0, [9], [[9]]),
        ] as [(Int, Int, [Int], [[Int]?])])
    func coresAreDivided(slots: Int, coresPerTask: Int, allowed: [Int], expected: [[Int]?]) throws {
        var configuration = EngineConfiguration(rank: EngineID(0), slots: slots, workingDirectory: [])
        configuration.binding = .cores
        configuration.coresPerTask = coresPerTask
        let setup = try EngineSetup(
            configuration, ownEnvironment: [], guardName: "1.1", allowed: CPUSet(allowed))
        #expect(setup.processors.map { $0?.members } == expected + [nil])
        configuration.binding = .none
        let free = try EngineSetup(
            configuration, ownEnvironment: [], guardName: "1.1", allowed: CPUSet(allowed))
        #expect(free.processors == [CPUSet?](repeating: nil, count: slots + 1))
    }

    @Test(
        arguments: [
            (.slurm, 2, "CUDA_VISIBLE_DEVICES=3,5", [["3"], ["5"]]),
            (.slurm, 2, "CUDA_VISIBLE_DEVICES=0,1,2,3,4", [["0,1"], ["2,3"]]),
            (.slurm, 1, "ROCR_VISIBLE_DEVICES=0,1", [["0,1"]]), (.slurm, 3, "CUDA_VISIBLE_DEVICES=0,1", []),
            (.slurm, 2, "CUDA_VISIBLE_DEVICES=", []), (.slurm, 2, "CUDA_VISIBLE=0,1", []),
            (.local, 2, "CUDA_VISIBLE_DEVICES=0,1", []), (.gridEngine, 2, "CUDA_VISIBLE_DEVICES=0,1", []),
        ] as [(NodeKind, Int, String, [[String]])])
    func graphicsAreSharedOut(kind: NodeKind, slots: Int, entry: String, values: [[String]]) throws {
        var configuration = EngineConfiguration(rank: EngineID(0), slots: slots, workingDirectory: [])
        configuration.nodeKind = kind
        let setup = try EngineSetup(
            configuration, ownEnvironment: [Array(entry.utf8)], guardName: "1.1", allowed: CPUSet([0]))
        let name = entry.prefix { $0 != "=" }
        #expect(setup.slots == slots)
        #expect(setup.shares == values.map { $0.map { Array("\(name)=\($0)".utf8) } })
        let isLeft = setup.environment.contains { $0.starts(with: Array(name.utf8)) }
        #expect(!(isLeft && !values.isEmpty), "it would stand there twice")
    }

    /// Where Slurm does not bind steps to cores, other jobs' tasks may be on any of them.
    @Test(arguments: [("2", true), ("4", true), ("1", false)])
    func coresOfOtherJobsAreLeftAlone(count: String, isBound: Bool) throws {
        var configuration = EngineConfiguration(rank: EngineID(0), slots: 1, workingDirectory: [])
        configuration.nodeKind = .slurm
        configuration.binding = .cores
        let setup = try EngineSetup(
            configuration, ownEnvironment: [Array("SLURM_CPUS_ON_NODE=\(count)".utf8)], guardName: "1.1",
            allowed: CPUSet([4, 5]))
        #expect(setup.processors == [isBound ? CPUSet([4]) : nil, nil])
        #expect(setup.warnings.isEmpty == isBound)
    }

    /// Longer than what the kernel takes as one argument: around its limit, and far above it.
    @Test(arguments: [131_070, 131_071, 131_072, 131_073, 2 << 20])
    func longLines(length: Int) throws {
        let engine = try EngineClient()
        mkdir(engine.directory.path + "/c", 0o755)
        try engine.configure { $0.captureDirectory = Array((engine.directory.path + "/c").utf8) }
        let start = "echo $0 $#; ls /proc/$$/fd; cat; exit 9; : é "
        let line = Array(start.utf8) + [UInt8](repeating: 120, count: length - start.utf8.count)
        let id = try engine.assign(line)
        let outcome = try engine.outcome(of: id)
        #expect(outcome.returnCode == 9)
        #expect(outcome.err.count == 0)
        let lines = (engine.directory.text("c/000/\(id).out") ?? "").split(separator: "\n")
        #expect(lines.first == "/bin/bash 0")
        // bash may keep some of its own, far above; the file that the line came from is gone.
        #expect(Set(lines.dropFirst()).isSuperset(of: ["0", "1", "2"]) && !lines.contains("3"), "\(lines)")
    }

    @Test func endsOfLongLines() throws {
        let engine = try EngineClient()
        try engine.configure()
        let padding = String(repeating: "x", count: 140_000)
        func code(_ line: String) throws -> Int32 { try engine.run(line).returnCode }
        #expect(try code("(exit 3) # \(padding)") == 3)
        #expect(try code(": \(padding); false") == 1)
        #expect(try code(": \(padding); kill -9 $$") == -9)
        #expect(try code("if # \(padding)") == code("if"))
        #expect(try code("printf '%s' \(padding) | cksum | grep -q $(printf '%s' \(padding) | wc -c)") == 0)
        // The rest of the line goes with an unset variable, as it would by -c.
        #expect(try code("set -u; echo $unset \(padding)") == code("set -u; echo $unset"))
    }

    @Test func linesThatAreNoText() throws {
        let engine = try EngineClient()
        try engine.configure()
        let id = try engine.assign(Array("printf '%s' ".utf8) + [0xff, 0xc3, 0x61])
        #expect(try engine.outcome(of: id).out.edges == [0xff, 0xc3, 0x61])
        let long = Array("printf '%s' ".utf8) + [0xff, 0xc3, 0x61] + Array("; : ".utf8)
        let padded = long + [UInt8](repeating: 0xfe, count: 140_000)
        #expect(try engine.outcome(of: engine.assign(padded)).out.edges == [0xff, 0xc3, 0x61])
    }
}
