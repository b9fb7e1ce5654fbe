import Testing

@Suite struct HarnessTests {
    @Test func aTaskFileRunsToItsEnd() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\nexit 3\n")
            let result = try box.run(["-s", "localhost:2", "-p", "run", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().tasks.map(\.returnCode) == [0, 3])
            #expect(try box.query("SELECT count(*) FROM task") == [["2"]])
            #expect(box.processes().isEmpty)
        }
    }
}
