import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

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
