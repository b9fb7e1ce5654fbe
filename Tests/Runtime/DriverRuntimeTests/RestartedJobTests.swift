import DisbatchCore
import Options
import Testing

@testable import DriverRuntime

struct RestartedJobTests {
    /// A run of job 7, started again, whose files stand at a prefix; and what it looked for.
    private func found(_ prefix: String, job: String = "7", isRestarted: Bool = true) throws -> String? {
        var plan = ContextPlan(label: "J7", kind: "slurm", engines: [], bindsCores: true, notes: [])
        plan.job = job
        plan.isRestarted = isRestarted
        var configuration = RunConfiguration(
            DriverOptions(taskSource: .file("/x/Tasks")), version: "1",
            commandLine: ["disbatch", "-c", "2", "Tasks"], enginePath: "/e", utilityPath: "dbutil")
        configuration.options.prefix = prefix
        return try RestartedJob.earlierFiles(plan, configuration)?.jobID
    }

    @Test func theLatestRunOfTheSameCommandInADirectory() throws {
        let directory = DriverTestDirectory()
        let note = "2026-11-21 10:00:00,000 INFO     run of job 7: -c 2 Tasks\n"
        for (name, text) in [
            ("Tasks_disBatch_261121100000_001", note), ("Tasks_disBatch_261121100500_001", "x\n" + note),
            ("Tasks_disBatch_261121100700_001", note.replacing("job 7", with: "job 8")),
            ("Tasks_disBatch_261121100800_001", note.replacing("-c 2", with: "-c 3")),
            ("Other_disBatch_261121100900_001", note),
        ] {
            try directory.write(text, to: "\(name)_J7.context.log")
            try directory.write("", to: "\(name)_status.txt")
        }
        try directory.write(note, to: "Tasks_disBatch_261121110000_001_J7.context.log")
        #expect(try found(directory.path) == "Tasks_disBatch_261121100500_001")
        #expect(try found(directory.path, isRestarted: false) == nil)
        #expect(try found(directory.path, job: "9") == nil)
    }

    @Test func aPrefixThatIsNamed() throws {
        let directory = DriverTestDirectory()
        try directory.write("", to: "run_status.txt")
        #expect(try found(directory.path + "/run") == nil, "whose is it?")
        try directory.write("2026-11-21 10:00:00,000 INFO     run of job 7: -c 2 Tasks\n", to: "run_J7.context.log")
        #expect(try found(directory.path + "/run") == "run")
    }
}
