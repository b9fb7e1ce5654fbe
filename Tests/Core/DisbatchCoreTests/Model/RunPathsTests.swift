import Testing

@testable import DisbatchCore

/// The names of a run's files.
@Suite struct RunPathsTests {
    @Test func allBeginWithThePrefix() {
        let paths = RunPaths(prefix: "/d/x")
        #expect(
            RunPaths.File.allCases.map { paths[$0] } == [
                "/d/x_status.txt", "/d/x_run.db", "/d/x_run.json", "/d/x_alive", "/d/x_driver.log", "/d/x_dbUtil.sh",
                "/d/x_gce.json", "/d/x_url",
            ])
        #expect(paths.contextLog(label: "SSH0") == "/d/x_SSH0.context.log")
        #expect(paths.jobID == "x" && RunPaths(prefix: "x").jobID == "x")
    }

    @Test func aFileTellsItsRun() {
        #expect(RunPaths(.status, at: "a/b_status.txt")?.prefix == "a/b")
        #expect(RunPaths(.status, at: "a/b_run.db") == nil)
        #expect(RunPaths(runFile: "a/b_run.json")[.pageAddress] == "a/b_url")
        #expect(RunPaths(runFile: "other.json")[.googleCloud] == "other.json_gce.json")
    }

    @Test(arguments: [
        (0, 1, "000/0"), (17, 1, "000/17"), (17, 2, "000/17.2"), (999, 1, "000/999"), (1000, 3, "001/1000.3"),
        (1_234_567, 1, "1234/1234567"),
    ])
    func attemptsHaveTheirNames(task: Int, attempt: Int, name: String) {
        let task = TaskID(task)
        #expect("\(AttemptPath.group(of: task))/\(AttemptPath.name(of: task, attempt: attempt))" == name)
        #expect(AttemptPath.captured(.output, of: task, attempt: attempt, root: "r") == "r/\(name).out")
        let directory = TaskDirectoryPath.directory(of: task, attempt: attempt, root: Array("r".utf8))
        #expect(String(decoding: directory, as: UTF8.self) == "r/\(name)")
    }
}
