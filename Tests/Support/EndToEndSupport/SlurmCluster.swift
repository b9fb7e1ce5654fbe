import Foundation
import TestSupport

/// A real Slurm on this machine: nodes `node1` to `node4` of two cores and two GPUs each, for all tests of a run.
///
/// The scheduler lets jobs wait for each other, so tests may use it at once.
final class SlurmCluster: Sendable {
    private let service: TestService
    /// What programs of Slurm need in their environment to find it.
    let configuration: String

    private static let only = Result { try SlurmCluster() }

    /// The cluster, which is brought up for the first test that asks.
    ///
    /// - Throws: ``Tool/Failure`` where it can't be brought up: a failure of the test.
    static func shared() throws -> SlurmCluster { try only.get() }

    private init() throws {
        service = try TestService("slurm-cluster", ["4", "2", "2"])
        configuration = service.path + "/slurm.conf"
    }

    /// The state of its nodes, jobs and steps, and the last errors of its daemons: for the report of a failure.
    func account() -> String {
        let states = [["sinfo", "-h", "-N", "-o", "%N %T %E"], ["squeue", "-h"], ["squeue", "-h", "-s"]].map { words in
            words.joined(separator: " ") + ":\n" + ((try? run(words).text) ?? "no answer\n")
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: service.path + "/log")) ?? []
        let errors = names.sorted().map { name in
            let text = (try? String(contentsOfFile: service.path + "/log/" + name, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").filter { $0.contains("error: ") }.suffix(6).map { "\(name): \($0)\n" }
        }
        return (states + errors.joined()).joined()
    }

    /// Cancels the jobs that were submitted in a directory, those that wait and those whose salloc was killed too: a
    /// test that failed may not take cores from others.
    func cancelJobs(in directory: String) {
        guard let jobs = try? run(["squeue", "-h", "-o", "%A %Z"]).text else { return }
        let lines = jobs.split(separator: "\n").filter { $0.hasSuffix(" " + directory) }
        guard !lines.isEmpty else { return }
        _ = try? run(["scancel"] + lines.map { String($0.prefix { $0 != " " }) })
    }

    /// Runs a program of Slurm.
    func run(_ words: [String]) throws -> Tool.Result {
        let result = try Tool.run(
            ["/usr/bin/env", "SLURM_CONF=\(configuration)", "PATH=/usr/bin:/bin"] + words, environment: [:])
        guard result.status == 0 else {
            throw HarnessError("\(words.joined(separator: " ")): \(result.errorText)")
        }
        return result
    }
}
