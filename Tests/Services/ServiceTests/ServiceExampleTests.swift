import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Runs those of Examples/ that need a resource manager, as `ExampleTests` does the others.
@Suite(.blocking) struct ServiceExampleTests {
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
}
