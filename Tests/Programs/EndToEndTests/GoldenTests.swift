import TestSupport
import Testing

@testable import EndToEndSupport

/// disBatch's own task files, against the rows that disBatch 3.0 wrote for them.
@Suite(.blocking) struct GoldenTests {
    /// Puts one of disBatch's task files, changed or not, into the sandbox, and runs it.
    private func run(
        _ name: String, in box: Sandbox, _ options: [String] = ["--status-header"],
        change: (String) -> String = { $0 }
    ) throws -> ProgramResult {
        let text = try box.text(of: Golden.path(name))
        try box.write(name, change(text))
        return try box.run(["-s", "localhost:2", "-p", "run"] + options + [name])
    }

    private func expectRows(_ box: Sandbox, equal name: String) throws {
        let (ours, theirs) = (box.rows().timeless, try Golden.rows(name).timeless)
        #expect(ours.count == theirs.count)
        for (own, golden) in zip(ours, theirs) { #expect(own == golden) }
    }

    @Test func everyDirectiveGivesTheSameRows() throws {
        try Sandbox.with { box in
            // disBatch only logs the unknown directive: as a comment it takes the same line and does the same.
            let result = try run("directives.txt", in: box) {
                $0.replacing("#DISBATCH UNKNOWN", with: "# UNKNOWN")
            }
            #expect(result.status == 0, "\(result.error)")
            try expectRows(box, equal: "directives_status.txt")
            let header = try box.lines(of: "run_status.txt").first
            #expect(header == (try box.lines(of: Golden.path("directives_status.txt")).first))
            let names = try box.lines(of: "env.out").map { $0.prefix { $0 != "=" } }
            for name in [
                "JOBID", "NAMETASKS", "TASKID", "TASKID_ZP", "STREAM_INDEX", "STREAM_INDEX_ZP", "REPEAT_INDEX",
                "REPEAT_INDEX_ZP", "CORES_PER_TASK", "CYLINDER_RANK", "ENGINE_RANK",
            ] {
                #expect(names.contains("DISBATCH_\(name)"), "a task needs DISBATCH_\(name)")
            }
        }
    }

    @Test func anUnknownDirectiveIsNotSilent() throws {
        try Sandbox.with { box in
            let result = try run("directives.txt", in: box)
            #expect(result.status == 2)
            #expect(result.error.contains("directives.txt:32: unknown directive \"UNKNOWN\""))
            #expect(result.error.contains("#DISBATCH UNKNOWN thing"))
            #expect(try box.files() == ["directives.txt"], "nothing may be run or written")
        }
    }

    @Test func aLatePerEngineCommandIsNotSilent() throws {
        try Sandbox.with { box in
            let result = try run("latepe.txt", in: box)
            #expect(result.status == 2)
            #expect(result.error.contains("latepe.txt:2:"))
            #expect(try box.files() == ["latepe.txt"], "nothing may be run or written")
        }
    }

    @Test func perEngineCommandsGiveTheSameRowsInTheSameOrder() throws {
        try Sandbox.with { box in
            let result = try run("perengine.txt", in: box)
            #expect(result.status == 0, "\(result.error)")
            try expectRows(box, equal: "perengine_status.txt")
            // Its two tasks may end in any order.
            let kinds = box.rows().map { "\($0.kind)\($0.line)" }
            #expect(kinds == ["P3", "P4", " 8", " 9", "P5"] || kinds == ["P3", "P4", " 9", " 8", "P5"])
        }
    }

    /// disBatch exits with 0 here; that a CHECK failed shows in our exit status.
    @Test(arguments: [[], ["-e"]]) func aFailedCheckEndsTheRun(options: [String]) throws {
        try Sandbox.with { box in
            let result = try run("check.txt", in: box, options)
            #expect(result.status == 1)
            try expectRows(box, equal: "check_status.txt")
            #expect(box.rows().last?.flags == "C    ", "the barrier's row comes after those of its tasks")
        }
    }

    @Test func aResumeOfDisBatchsOwnFileGivesTheSameRows() throws {
        try Sandbox.with { box in
            let result = try run("check.txt", in: box, ["-R", "-r", Golden.path("check_status.txt")])
            #expect(result.status == 1)
            try expectRows(box, equal: "resumed_status.txt")
            #expect(box.rows().first == (try Golden.rows("resumed_status.txt")).first, "a skipped row stays as it was")
        }
    }

    @Test func everyRowSaysWhereAndWhen() throws {
        try Sandbox.with { box in
            try box.runTasks("true\n#DISBATCH BARRIER\necho x\n", slots: 1)
            let host = try box.run([], program: "/bin/hostname").output.trimmed
            for row in box.rows() {
                #expect(row.node == host)
                #expect(row.pid > 1)
                #expect(row.start > 1e9 && row.finish >= row.start)
                #expect(abs(row.finish - row.start - row.elapsed) < 0.0021)
                #expect(row.columns[7...9].allSatisfy { $0.split(separator: ".").last?.count == 3 })
            }
            #expect(box.rows().count == 3)
        }
    }
}
