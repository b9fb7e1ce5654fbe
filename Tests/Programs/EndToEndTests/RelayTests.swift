import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Contexts that are added to a run by its script, or by `dbutil`.
@Suite(.blocking) struct RelayTests {
    /// Tasks that wait for the file `gate`.
    private static let held = "touch on.$DISBATCH_TASKID; until [ -e gate ]; do sleep 0.01; done\n"

    @Test func aRunWithoutContextWaitsForSome() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", String(repeating: Self.held, count: 4))
            let driver = try box.startWithoutContext()
            #expect(driver.error.contains("Run this script to add compute contexts:\n   \(box.at("run_dbUtil.sh"))"))
            let first = try box.addContext(["-s", "localhost:2"], to: driver)
            for task in 0..<2 { try box.waitForFile("on.\(task)") }
            let second = try box.addContext(["-s", "localhost:1"], to: driver)
            try box.waitForFile("on.2")
            let status = try box.dbutil("--status").output
            #expect(status.contains("SSH0") && status.contains("SSH1"), "\(status)")
            try box.write("gate", "")
            #expect(try driver.wait().status == 0)
            for relay in [first, second] { #expect(try relay.wait().status == 0, "\(relay.error)") }
            #expect(box.rows().countsByTask == [1, 1, 1, 1])
            #expect(try box.text(of: "run_SSH1.context.log").contains("1 slots of 1 cores"))
        }
    }

    @Test func aContextIsAddedToARunThatHasOne() throws {
        try Sandbox.with { box in
            let driver = try box.startTasks(String(repeating: Self.held, count: 3), slots: 1)
            try box.waitForFile("on.0")
            let relay = try box.start(["--run", "run", "-s", "localhost:2", "-l", "more"], program: "dbutil")
            for task in 1..<3 { try box.waitForFile("on.\(task)") }
            #expect(driver.error.contains("disbatch: context more from "))
            let again = try box.run(["--run", "run", "-s", "localhost:2", "-l", "more"], program: "dbutil")
            #expect(again.status == 1 && again.error.contains("choose another label with -l"), "\(again.error)")
            try box.write("gate", "")
            #expect(try driver.wait().status == 0)
            #expect(try relay.wait().status == 0)
            #expect(box.rows().countsByTask == [1, 1, 1])
        }
    }

    @Test(arguments: SSHClient.allCases) func hostsAreReachedFromTheRelay(client: SSHClient) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                try box.write("tasks.txt", String(repeating: "echo $HOME; sleep 0.1\n", count: 12))
                let driver = try box.startWithoutContext()
                let relay = try box.addContext(
                    ["-s", "nodeA:1,nodeB:1"] + client.options, to: driver,
                    environment: ["PATH": hosts.searchPath])
                #expect(try driver.wait().status == 0, "\(driver.error)")
                #expect(try relay.wait().status == 0, "\(relay.error)")
                #expect(box.rows().countsByTask == [Int](repeating: 1, count: 12))
                for row in box.rows() { #expect(row.outSnippet.contains(row.node), "each with its host's environment") }
                #expect(Set(box.rows().map(\.node)) == ["nodeA", "nodeB"])
            }
        }
    }

    @Test func aHostThatCannotBeReachedEndsItsContextAlone() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            let driver = try box.startWithoutContext(["--reconnect", "0"])
            let relay = try box.addContext(["-s", "no-such-host.invalid:1"], to: driver)
            let ended = try relay.wait()
            #expect(ended.status == 1 && ended.error.contains("no-such-host.invalid"), "\(ended.error)")
            _ = try box.addContext(["-s", "localhost:1"], to: driver)
            let result = try driver.wait()
            #expect(result.status == 0)
            #expect(result.error.contains("no-such-host.invalid"))
        }
    }

    @Test func optionsOfAContext() throws {
        try Sandbox.with { box in
            let show = "echo $DISBATCH_CORES_PER_TASK $KIND; touch on.$DISBATCH_TASKID; "
            let wait = "until [ -e gate ]; do sleep 0.01; done\n"
            try box.write("tasks.txt", String(repeating: show + wait, count: 5))
            let driver = try box.startWithoutContext(["-c", "2"])
            // The run's -c, where the context has none.
            let first = try box.addContext(["-s", "localhost:4"], to: driver)
            for task in 0..<2 { try box.waitForFile("on.\(task)") }
            let environment = ["KIND": "a,b"]
            let second = try box.addContext(
                ["-s", "localhost:3", "-c", "1", "-t", "2", "-E", "KIND", "-C", "2"], to: driver,
                environment: environment)
            for task in 2..<4 { try box.waitForFile("on.\(task)") }
            #expect(!box.exists("on.4"))
            try box.write("gate", "")
            #expect(try driver.wait().status == 0)
            // It went after its two tasks, before the run's end.
            #expect(try second.wait().error.contains("is over: its engines have gone"))
            #expect(try first.wait().status == 0)
            #expect(box.rows().tasks.map(\.outSnippet).prefix(2).allSatisfy { $0 == "'2\\n'" })
            let shown = Set(box.rows().tasks.map(\.outSnippet)[2..<4])
            #expect(shown == ["'1 a\\n'", "'1 b\\n'"], "\(shown)")
        }
    }

    @Test func aContextIsStoppedByItsLabel() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", String(repeating: Self.held, count: 3))
            let driver = try box.startWithoutContext()
            let relay = try box.addContext(["-s", "localhost:1", "-l", "night"], to: driver)
            try box.waitForFile("on.0")
            let asked = try box.dbutil("--stop-context", "night")
            #expect(asked.status == 0, "\(asked.error)")
            let wrong = try box.dbutil("--stop-context", "day")
            #expect(wrong.status == 1 && wrong.error.contains("there is night"), "\(wrong.error)")
            try box.write("gate", "")
            #expect(try relay.wait().status == 0)
            // The run waits for another context.
            #expect(try box.dbutil("--status").output.contains("running"))
            #expect(box.rows().map(\.id) == [0])
            _ = try box.addContext(["-s", "localhost:2"], to: driver)
            #expect(try driver.wait().status == 0)
            #expect(box.rows().countsByTask == [1, 1, 1])
        }
    }

    @Test(arguments: [SIGTERM, SIGINT]) func aRunThatWaitsIsEndedByASignal(number: Int32) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            let driver = try box.startWithoutContext()
            driver.signal(number)
            let result = try driver.wait(within: 10)
            #expect(result.status == 128 + number)
            #expect(!box.exists("run_alive"), "all ended in order")
            #expect(result.error.contains("some left undone"), "\(result.error)")
        }
    }

    @Test func aRelayThatIsSignalledGivesItsTasksBack() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", String(repeating: Self.held, count: 2))
            let driver = try box.startWithoutContext()
            let relay = try box.addContext(["-s", "localhost:2"], to: driver)
            for task in 0..<2 { try box.waitForFile("on.\(task)") }
            relay.signal(SIGTERM)
            #expect(try relay.wait().status == 0, "\(relay.error)")
            #expect(box.rows().isEmpty, "what its end ended is no result")
            try box.write("gate", "")
            _ = try box.addContext(["-s", "localhost:2"], to: driver)
            #expect(try driver.wait().status == 0)
            #expect(box.rows().countsByTask == [1, 1])
        }
    }

    @Test func aRunThatHasEndedTakesNoContext() throws {
        try Sandbox.with { box in
            try box.runTasks("true\n")
            let relay = try box.run(["-s", "localhost:1"], program: box.at("run_dbUtil.sh"))
            #expect(relay.status == 2 && relay.error.contains("the run has ended"), "\(relay.error)")
        }
    }

    @Test func filesAreStagedThroughARelay() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try Sandbox.with { box in
                try box.write("input", String(repeating: "0123456789abcdef", count: 1 << 19))
                try box.write("tasks.txt", String(repeating: "cat input > out.$DISBATCH_TASKID\n", count: 3))
                let driver = try box.startWithoutContext(
                    ["--stage-in", "input", "--stage-out", "out.%t"])
                let relay = try box.addContext(
                    ["-s", "nodeA:2"], to: driver, environment: ["PATH": hosts.searchPath])
                #expect(try driver.wait().status == 0, "\(driver.error)")
                #expect(try relay.wait().status == 0)
                for task in 0..<3 { #expect(try box.bytes(of: "out.\(task)").count == 1 << 23) }
            }
        }
    }
}
