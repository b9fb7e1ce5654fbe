import DisbatchCore
import Testing

/// Which names in a directory are those of runs' files.
@Suite struct RunFileNamesTests {
    private func found(_ names: [String]) -> [String] {
        let files = RunFileNames(names.map { Array($0.utf8) })
        return names.filter { files.contains(Array($0.utf8)) }
    }

    @Test func filesOfRunsAreKnown() {
        let ours = [
            "a_b_status.txt", "a_b_run.db", "a_b_run.db-wal", "a_b_run.json", "a_b_alive", "a_b_driver.log",
            "a_b_dbUtil.sh", "a_b_gce.json", "a_b_url", "a_b_status.recovered2.txt", "a_b_status.txt.17.new",
            "a_b_local_1.context.log", "a_b_ssh_node_a_engine_0.log", ".disbatch-12ab", ".disbatch-1-0.part",
        ]
        let others = ["a_b_tasks", "a_b_result.txt", "a_b.txt", "a_url", "c_status.txt", "c_url.txt", "data"]
        #expect(found(ours + others) == ours)
    }

    /// A user's file may have any name.
    @Test(arguments: [["x_status.txt"], ["x_run.json", "x_url"], ["x_status.txt", "x_result", "y_run.db"]])
    func namesAloneMakeNoRun(names: [String]) {
        #expect(found(names).isEmpty)
    }
}
