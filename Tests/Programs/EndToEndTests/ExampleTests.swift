import Foundation
import TestSupport
import Testing

/// Runs each of Examples/ with the disbatch that was built beside these tests, and checks what it made.
@Suite(.blocking) struct ExampleTests {
    @Test("checksums are those that sha256sum gives")
    func checksums() throws {
        let example = try ExampleRun("checksums")
        let tree = example.output.appending(path: "tree")
        for (name, size) in [("a", 0), ("a b", 10), ("sub/c", 100_000), ("sub/d'\"$e", 3), ("sub/deep/f\ng", 7)] {
            let file = tree.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(repeating: UInt8(size % 251), count: size).write(to: file)
        }
        let ended = try example.run([tree.path, example.output.path, "2"])
        #expect(ended.status == 0, "\(ended.errors)")
        let direct = try example.shell("cd tree && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --")
        #expect(try example.text("SHA256SUMS") == direct.output)
        #expect(try example.rows("run_status.txt").map(\.flags) == ["    ", "    ", "    ", "C   ", "    "])
    }

    @Test("the picture from tiles is the one that is computed in one piece")
    func mandelbrot() throws {
        let example = try ExampleRun("mandelbrot")
        // 50 rows in strips of 3: the last strips lie below the picture's end.
        let ended = try example.run([example.output.path, "60", "50"])
        #expect(ended.status == 0, "\(ended.errors)")
        let words = try example.text("mandelbrot.pgm").split(whereSeparator: \.isWhitespace).map(String.init)
        #expect(words.prefix(4) == ["P2", "60", "50", "255"])
        #expect(words.dropFirst(4).elementsEqual(mandelbrotSet(width: 60, height: 50).map(String.init)))
        #expect(try example.rows("run_status.txt").count == 26)
    }

    private func mandelbrotSet(width: Int, height: Int) -> [Int] {
        (0..<width * height).map { place in
            let a = -2.2 + Double(place % width) * 3.2 / Double(width)
            let b = -1.2 + Double(place / width) * 2.4 / Double(height)
            var (x, y, steps) = (0.0, 0.0, 0)
            while steps < 255, x * x + y * y < 4 {
                (x, y) = (x * x - y * y + a, 2 * x * y + b)
                steps += 1
            }
            return steps
        }
    }

    @Test("the sweep has a log for each pair, and the shares that the model's equation gives")
    func sweep() throws {
        let example = try ExampleRun("sweep")
        let ended = try example.run([example.output.path])
        #expect(ended.status == 0, "\(ended.errors)")
        let lines = try example.text("results.tsv").split(separator: "\n")
        #expect(lines.first == "beta\tgamma\tpeak\tday\ttotal")
        #expect(lines.count == 13)
        for (task, line) in lines.dropFirst().enumerated() {
            let words = line.split(separator: "\t")
            let numbers = words.compactMap { Double($0) }
            guard numbers.count == 5 else {
                Issue.record("five numbers in \(line)")
                continue
            }
            let log = try example.text(String(format: "log.%06d", task))
            #expect(log.hasPrefix("beta \(words[0]), gamma \(words[1]),"), "task \(task)")
            // The share of those who caught it solves 1 - total = exp(-beta / gamma * total).
            let left = exp(-numbers[0] / numbers[1] * numbers[4])
            #expect(abs(1 - numbers[4] - left) < 0.005, "\(line)")
        }
    }

    @Test("staged data are counted, brought back and removed")
    func staging() throws {
        let example = try ExampleRun("staging")
        let scratch = example.output.appending(path: "scratch")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: false)
        let ended = try example.run([example.output.path], environment: ["TMPDIR": scratch.path])
        #expect(ended.status == 0, "\(ended.errors)")
        for (place, letter) in "abcdefghijk".enumerated() {
            #expect(try example.text("counts.\(letter)") == "\((11 - place) * 11)\n", "letter \(letter)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
        let status = try #require(
            FileManager.default.contentsOfDirectory(atPath: example.output.path).first {
                $0.hasSuffix("_status.txt")
            })
        let rows = try example.rows(status)
        #expect(rows.first?.flags == "   P")
        #expect(rows.last?.flags == "   P")
        #expect(rows.count == 13)
    }

    @Test("files go to hosts and come home")
    func files() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let example = try ExampleRun("files")
            let ended = try example.run(
                ["nodeA:1,localhost:1", example.output.path],
                environment: ["PATH": hosts.searchPath, "TMPDIR": hosts.home(of: "nodeA")])
            #expect(ended.status == 0, "\(ended.errors)")
            for task in 0..<11 {
                #expect(try example.text("results/\(task)/count") == "31\n", "task \(task)")
            }
        }
    }

    @Test("primes are counted on hosts that are logged in to")
    func ssh() throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            let example = try ExampleRun("ssh")
            let ended = try example.run(
                ["nodeA:1,nodeB:1", example.output.path], environment: ["PATH": hosts.searchPath])
            #expect(ended.status == 0, "\(ended.errors)")
            #expect(ended.output.hasPrefix("78498 primes up to 1000000\nnodeA: "))
            #expect(ended.output.contains("nodeB: "))
        }
    }

    @Test("words are counted on machines that are made for it", .enabled(if: GoogleCloud.canRun))
    func gce() throws {
        try GoogleCloud.with { cloud in
            let example = try ExampleRun("gce")
            let environment = cloud.environment.compactMapValues { $0 }.merging(["PATH": "/usr/bin:/bin"]) { $1 }
            let ended = try example.run([example.output.path, "7", "2"], environment: environment)
            #expect(ended.status == 0, "\(ended.errors)")
            let direct = try example.shell(
                "tr -cs A-Za-z '\\n' < text | tr A-Z a-z | sort | uniq -c | awk '{ sum += $1 } END { print sum }'")
            let counted = try example.text("words").split(separator: "\n").compactMap {
                $0.split(separator: " ").first.flatMap { Int($0) }
            }
            let sum = Int(direct.output.split(separator: "\n").joined()) ?? 0
            // Each piece may begin with a separator of its own.
            #expect(counted.count > 100 && abs(counted.reduce(0, +) - sum) <= 14)
            #expect(try example.rows("run_status.txt").count == 7)
        }
    }

    @Test("jobs that follow each other count all primes in one run")
    func pool() throws {
        let cluster = try SlurmCluster.shared()
        let example = try ExampleRun("pool")
        let ended = try example.run(
            [example.output.path, "12", "3", "-n", "1"],
            environment: ["SLURM_CONF": cluster.configuration, "PATH": "/usr/bin:/bin"])
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(try example.text("primes") == "2262\n")
        #expect(try example.rows("run_status.txt").count == 12)
    }

    @Test("jobs of Slurm follow each other until nothing is left")
    func slurm() throws {
        let cluster = try SlurmCluster.shared()
        let example = try ExampleRun("slurm")
        // The least that Slurm can limit is a minute: the margin leaves the first seconds of it.
        let ended = try example.run(
            [example.output.path, "9", "1", "-n", "2", "-t", "1", "-J", "darts"],
            environment: ["SLURM_CONF": cluster.configuration, "PATH": "/usr/bin:/bin", "MARGIN": "57s"])
        #expect(ended.status == 0, "\(ended.errors)")
        var deadline = Deadline(seconds: 120)
        while try !cluster.run(["squeue", "-h", "-n", "darts"]).text.isEmpty {
            try #require(!deadline.hasPassed, "the jobs are still there")
            deadline.pause()
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: example.output.path)
        let logs = files.filter { $0.hasPrefix("slurm-") }
        let said = try logs.sorted().map { try example.text($0) }
        #expect((2...9).contains(logs.count), "\(said)")
        #expect(try example.rows("run_status.txt").map(\.flags) == [String](repeating: "    ", count: 9))
        #expect(Set(try example.rows("run_status.txt").map(\.task)).count == 9)
        let pi = try #require(Double(example.text("pi").split(separator: "\n").joined()))
        #expect(abs(pi - .pi) < 0.05)
    }

    @Test("a resume with -R runs the failed task alone")
    func retry() throws {
        let example = try ExampleRun("retry")
        let ended = try example.run([example.output.path])
        #expect(ended.status == 0, "\(ended.errors)")
        let failed = try example.rows("first_status.txt").filter { $0.flags.hasPrefix("R") }
        #expect(failed.map(\.task) == ["4"])
        let second = try example.rows("second_status.txt")
        #expect(second.filter { $0.flags == "   S" }.count == 9)
        #expect(second.filter { $0.flags == "    " }.map(\.task) == ["4"])
        let unpacked = try example.text("unpacked").split(separator: "\n")
        #expect(unpacked.sorted() == (0...9).map { "\($0)" })
        #expect(unpacked.last == "4")
        #expect(try example.text("data.4") == example.shell("seq 4 7 2000").output)
    }
}

/// One example with a directory of its own, which is removed with this.
private final class ExampleRun {
    struct Ended {
        var status: Int32
        var output: String
        var errors: String
    }

    struct Row {
        var flags: String
        var task: String
    }

    let output: URL
    private let script: String

    init(_ name: String) throws {
        script = ProjectFolder.path("Examples/\(name)/run")
        output = FileManager.default.temporaryDirectory.appending(path: "disbatch-\(name)-\(UUID())")
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: output) }

    func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Ended {
        try run(script, arguments, environment)
    }

    func shell(_ line: String) throws -> Ended { try run("/bin/sh", ["-c", line], [:]) }

    private func run(_ program: String, _ arguments: [String], _ extra: [String: String]) throws -> Ended {
        // The tests' own program stands beside disbatch.
        let built = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let environment = ProcessInfo.processInfo.environment
            .merging(["DISBATCH": built.appending(path: "disbatch").path]) { $1 }.merging(extra) { $1 }
        let result = try Tool.run([program] + arguments, environment: environment, directory: output.path)
        return Ended(status: result.status, output: result.text, errors: result.errorText)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOf: output.appending(path: name), encoding: .utf8)
    }

    func rows(_ name: String) throws -> [Row] {
        try text(name).split(separator: "\n").map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            return Row(flags: String(columns[0].prefix(4)), task: columns.count > 1 ? String(columns[1]) : "")
        }
    }
}
