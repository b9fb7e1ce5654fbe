import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// A run outside of all allocations, to which jobs of a real Slurm bring engines.
@Suite(.blocking, .serialized) struct SlurmRelayTests {
    /// `sbatch ARGUMENTS run_dbUtil.sh OPTIONS`; the job's number.
    private func submit(_ arguments: [String], _ options: [String] = [], in box: Sandbox) throws -> String {
        let result = try box.run(
            ["--parsable", "-o", box.at("job-%j.out")] + arguments + [box.at("run_dbUtil.sh")] + options,
            program: "/usr/bin/sbatch", environment: SlurmJobs.environment(box))
        #expect(result.status == 0, "\(result.error)")
        return result.output.trimmed
    }

    private func waitForEnd(of job: String, in box: Sandbox) throws {
        let environment = try SlurmJobs.environment(box)
        try box.wait(for: "the end of job \(job)", within: 60) {
            let state = try box.run(
                ["-h", "-j", job, "-o", "%T"], program: "/usr/bin/squeue", environment: environment
            ).output.trimmed
            return state.isEmpty || state == "COMPLETED" || state == "FAILED"
        }
    }

    @Test func jobsBringTheirNodes() throws {
        try Sandbox.with { box in
            // Each of the first four holds its slot until all are there.
            let together = "touch here.$DISBATCH_TASKID; until [ $(ls here.* | wc -l) = 4 ]; do sleep 0.01; done; "
            let text = String(repeating: together + "echo $SLURMD_NODENAME $(nproc)\n", count: 4)
            try box.write("tasks.txt", text + String(repeating: "true\n", count: 50))
            let driver = try box.startWithoutContext()
            let first = try submit(["-n", "2", "-N", "2"], in: box)
            let second = try submit(["-n", "2", "-N", "1"], ["-C", "1000"], in: box)
            let result = try driver.wait(within: 90)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().countsByTask == [Int](repeating: 1, count: 54))
            for row in box.rows().tasks.prefix(4) { #expect(row.outSnippet == "'\(row.node) 1\\n'") }
            for job in [first, second] {
                try waitForEnd(of: job, in: box)
                #expect(try box.text(of: "job-\(job).out").contains("run: context J\(job) with "))
                #expect(box.exists("run_J\(job).context.log"))
            }
        }
    }

    @Test func aRunOutlivesAChainOfAllocations() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", String(repeating: "sleep 0.2\n", count: 24))
            let driver = try box.startWithoutContext()
            var jobs: [String] = []
            // Limit and margin leave each job a few seconds for tasks.
            while !driver.hasEnded, jobs.count < 20 {
                jobs.append(try submit(["-n", "1", "-t", "1"], ["--margin", "57s"], in: box))
                try waitForEnd(of: jobs[jobs.count - 1], in: box)
            }
            let result = try driver.wait(within: 10)
            #expect(result.status == 0, "\(result.error)")
            #expect(jobs.count > 1)
            #expect(box.rows().countsByTask == [Int](repeating: 1, count: 24))
            #expect(result.error.contains("ends in "), "each came to its margin")
        }
    }

    @Test func aJobThatIsCancelledGivesItsTasksBack() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", String(repeating: "[ -e go ] || { touch held; exec sleep 600; }\n", count: 3))
            let driver = try box.startWithoutContext(["--lease", "3s"])
            let job = try submit(["-n", "1"], in: box)
            try box.waitForFile("held")
            try box.run([job], program: "/usr/bin/scancel", environment: SlurmJobs.environment(box))
            try waitForEnd(of: job, in: box)
            #expect(box.rows().isEmpty, "what the end of the job ended is no result")
            try box.write("go", "")
            _ = try submit(["-n", "2"], in: box)
            let result = try driver.wait(within: 90)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().countsByTask == [1, 1, 1])
        }
    }
}
