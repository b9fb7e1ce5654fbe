import TestSupport
import Testing

@testable import EndToEndSupport

/// A resume of a run that has nothing left to do.
@Suite(.blocking) struct NothingLeftTests {
    @Test("no engine is started where every task is done")
    func noEngine() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH PERENGINE START echo x >> started\ntrue\ntrue\n")
            try #require(try box.run(["-s", "localhost:2", "-p", "run", "tasks.txt"]).status == 0)
            let second = try box.run(["-s", "localhost:2", "-r", "run_status.txt", "-p", "second", "tasks.txt"])
            #expect(second.status == 0)
            #expect(second.error == "")
            #expect(box.rows("second").map(\.kind) == ["S", "S"])
            #expect(try box.lines(of: "started").count == 1)
            #expect(try !box.text(of: "second_driver.log").contains("launched"))
        }
    }

    @Test("an engine that is sent away before it was ready is no failure")
    func engineSentAway() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n#DISBATCH BARRIER\n")
            try #require(try box.run(["-s", "localhost:2", "-p", "run", "tasks.txt"]).status == 0)
            let second = try box.run(["-s", "localhost:2", "-r", "run_status.txt", "-p", "second", "tasks.txt"])
            #expect(second.status == 0)
            #expect(second.error == "")
        }
    }
}
