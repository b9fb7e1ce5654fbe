import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// What dbutil asks for one task of a run that goes on: `--kill` and `--tail`; and what engines use.
@Suite(.blocking) struct OneTaskTests {
    private func tail(_ task: Int, in box: Sandbox) throws -> RunningProgram {
        try box.start(["--run", "run", "--tail", "\(task)"], program: "dbutil")
    }

    /// A task that goes on when a file is there.
    private static func await(_ name: String) -> String { "until [ -e \(name) ]; do sleep 0.01; done" }

    // MARK: Ending

    /// It heeds the signal, and would call that a success; its children, one in a session of its own, do not.
    @Test func aTaskIsEndedForGood() throws {
        try Sandbox.with { box in
            let children = "(trap '' TERM; sleep 1000) & setsid sh -c 'touch child; exec sleep 1000' &"
            let task = "trap 'echo bye; exit 0' TERM; \(children) touch on; while :; do sleep 0.01; done\n"
            let driver = try box.startTasks(task + Self.await("gate") + "\n", ["--retries", "3", "-e"])
            for name in ["on", "child"] { try box.waitForFile(name) }
            let asked = try box.dbutil("--kill", "0")
            #expect(asked.status == 0, "\(asked.error)")
            #expect(asked.output.hasPrefix("run: task 0 on "))
            #expect(asked.output.hasSuffix("is ended, and is not run again; asked again, at once\n"))
            try box.wait(for: "its row") { box.rows().of(task: 0) != nil }
            let row = try #require(box.rows().of(task: 0))
            #expect(row.returnCode == -15 && row.outSnippet == "'bye\\n'")
            #expect(box.processes().allSatisfy { !$0.commandLine.hasPrefix("sleep 1000") }, "its children are gone")
            let late = try box.dbutil("--kill", "0")
            #expect(late.status == 1 && late.error.contains("task 0 has ended; dbutil --show 0 tells of it"))
            try box.write("gate", "")
            #expect(try driver.wait(within: 30).status == 1, "it counts as failed")
            #expect(box.rows().countsByTask == [1, 1])
            #expect(try box.dbutil("--show", "0").output.contains("ended by its user"))
            let over = try box.dbutil("--kill", "1")
            #expect(over.status == 1 && over.error.contains("the run has ended, with exit status 1"))
        }
    }

    @Test(arguments: [true, false]) func whoIgnoresTheSignalIsKilled(isAskedAgain: Bool) throws {
        try Sandbox.with { box in
            let task = "trap '' TERM; touch on; while :; do sleep 0.01; done\n"
            let driver = try box.startTasks(task, ["--kill-after", isAskedAgain ? "1000" : "0.3"])
            try box.waitForFile("on")
            #expect(try box.dbutil("--kill", "0").status == 0)
            if isAskedAgain {
                let again = try box.dbutil("--kill", "0")
                #expect(again.status == 0 && again.output.hasSuffix("is killed\n"), "\(again.output)\(again.error)")
            }
            #expect(try driver.wait(within: 30).status == 0)
            #expect(box.rows().map(\.returnCode) == [-9])
        }
    }

    @Test func whatDoesNotRunIsNotEnded() throws {
        try Sandbox.with { box in
            let held = "touch on.$DISBATCH_TASKID; \(Self.await("gate"))\n"
            let driver = try box.startTasks(String(repeating: held, count: 3) + "#DISBATCH BARRIER\ntrue\n")
            for task in 0..<2 { try box.waitForFile("on.\(task)") }
            for task in ["2", "4"] {
                let waiting = try box.dbutil("--kill", task)
                #expect(waiting.status == 1)
                #expect(waiting.error.contains("task \(task) waits to be started: only what runs can be ended"))
            }
            for action in ["--kill", "--tail"] {
                let none = try box.dbutil(action, "5")
                #expect(none.status == 1 && none.error.contains("there is no task 5"), "\(none.error)")
            }
            try box.write("gate", "")
            #expect(try driver.wait(within: 30).status == 0)
            #expect(box.rows().tasks.map(\.returnCode) == [0, 0, 0, 0])
        }
    }

    /// After short tasks an engine is given some ahead of need: one of them never starts.
    @Test func aTaskThatWaitsOnItsEngineIsNotStarted() throws {
        try Sandbox.with { box in
            let tasks = String(repeating: "true\n", count: 20) + "touch on; \(Self.await("gate"))\ntouch ran\ntrue\n"
            let driver = try box.startTasks(tasks, ["--retries", "3"], slots: 1)
            try box.waitForFile("on")
            let asked = try box.dbutil("--kill", "21")
            #expect(asked.status == 0, "\(asked.error)")
            try box.wait(for: "its row") { box.rows().of(task: 21) != nil }
            try box.write("gate", "")
            #expect(try driver.wait(within: 30).status == 0)
            let row = try #require(box.rows().of(task: 21))
            #expect(row.returnCode == -15 && row.pid == -1)
            #expect(!box.exists("ran"))
            #expect(box.rows().countsByTask == Array(repeating: 1, count: 23))
        }
    }

    @Test(arguments: SSHClient.allCases) func aTaskOnAnotherHost(client: SSHClient) throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try Sandbox.with { box in
                try box.write("tasks.txt", "echo one; touch on; \(Self.await("go")); echo two; sleep 1000\n")
                let driver = try box.start(["-s", "nodeA:1", "--retries", "2"], client, hosts)
                try box.waitForFile("on")
                let tail = try tail(0, in: box)
                try box.wait(for: "its beginning") { tail.error.contains("following task 0 on nodeA (engine 0)") }
                try box.write("go", "")
                try box.wait(for: "its output") { tail.output == "two\n" }
                #expect(try box.dbutil("--kill", "0").status == 0)
                #expect(try driver.wait(within: 30).status == 0)
                #expect(box.rows().map(\.returnCode) == [-15])
                let end = try tail.wait(within: 10)
                #expect(end.status == 0)
                #expect(end.error.contains("dbutil: task 0 was ended by dbutil --kill (return code -15) after "))
            }
        }
    }

    // MARK: Following

    /// It waits for an engine that a relay brings.
    @Test func aTaskBehindARelay() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "echo one; sleep 1000\n")
            let driver = try box.startWithoutContext(["--retries", "1"])
            let tail = try tail(0, in: box)
            try box.wait(for: "that it waits") { tail.error.contains("task 0 has not started yet") }
            let relay = try box.addContext(["-s", "localhost:1"], to: driver)
            try box.wait(for: "its output") { tail.output == "one\n" }
            #expect(try box.dbutil("--kill", "0").status == 0)
            let end = try tail.wait(within: 30)
            #expect(end.status == 0 && end.error.contains("was ended by dbutil --kill (return code -15)"))
            #expect(try driver.wait(within: 30).status == 0)
            #expect(try relay.wait(within: 30).status == 0)
            #expect(box.rows().map(\.returnCode) == [-15])
        }
    }

    @Test func bothStreamsAsTheyCome() throws {
        try Sandbox.with { box in
            let steps = "printf 'a half'; \(Self.await("1")); echo ' line'; echo trouble >&2; \(Self.await("2")); "
            let driver = try box.startTasks("echo before; touch on; \(Self.await("0")); " + steps + "exit 3\n")
            try box.waitForFile("on")
            let (first, second) = (try tail(0, in: box), try tail(0, in: box))
            for tail in [first, second] {
                try box.wait(for: "its beginning") {
                    tail.error.contains("it had written 7 bytes to standard output and 0 bytes to standard error")
                }
            }
            try box.write("0", "")
            for tail in [first, second] { try box.wait(for: "a part of a line") { tail.output == "a half" } }
            second.signal(SIGINT)
            #expect(try second.wait(within: 10).status == -SIGINT)
            try box.write("1", "")
            try box.wait(for: "both") { first.output == "a half line\n" && first.error.contains("trouble\n") }
            try box.write("2", "")
            #expect(try driver.wait(within: 30).status == 0)
            let end = try first.wait(within: 10)
            #expect(end.status == 0 && end.output == "a half line\n")
            #expect(end.errorLines.last?.hasPrefix("dbutil: task 0 ended with return code 3 after ") == true)
            #expect(!end.error.contains("left out"))
            #expect(box.rows().first?.outSnippet == "'before\\na half line\\n'")
        }
    }

    /// It is followed from its start, and through its second attempt.
    @Test func aTaskThatWaitsIsFollowedFromItsStart() throws {
        try Sandbox.with { box in
            let task = "echo $$; [ -e again ] || { touch again; exit 1; }\n"
            let driver = try box.startTasks(
                "touch on; \(Self.await("gate"))\n" + task, ["--retries", "1"], slots: 1)
            try box.waitForFile("on")
            let tail = try tail(1, in: box)
            try box.wait(for: "that it waits") { tail.error.contains("task 1 has not started yet") }
            try box.write("gate", "")
            #expect(try driver.wait(within: 30).status == 0)
            let end = try tail.wait(within: 10)
            #expect(end.status == 0, "\(end.error)")
            #expect(end.output.split(separator: "\n").count == 2)
            #expect(end.error.contains("attempt 1 at task 1 ended with return code 1 after "))
            #expect(end.error.contains("following task 1, attempt 2 on "))
            #expect(end.error.contains("dbutil: task 1 ended with return code 0 after "))
        }
    }

    @Test func aRunThatEndsFirst() throws {
        try Sandbox.with { box in
            let driver = try box.startTasks("touch on; sleep 1000\ntrue\n", slots: 1)
            try box.waitForFile("on")
            let (running, waiting) = (try tail(0, in: box), try tail(1, in: box))
            try box.wait(for: "both") { running.error.contains("following") && waiting.error.contains("not started") }
            driver.signal(SIGTERM)
            #expect(try driver.wait(within: 30).status == 143)
            for tail in [running, waiting] {
                let end = try tail.wait(within: 10)
                #expect(end.status == 1 && end.error.contains("had no end of its own: "), "\(end.error)")
            }
            let late = try box.dbutil("--tail", "0")
            #expect(late.status == 1 && late.error.contains("exit status 143; --show 0 tells of the task"))
        }
    }

    /// Who does not read misses some of it: nobody waits for it, and nothing grows.
    @Test func aFlood() throws {
        try Sandbox.with { box in
            let count = 200_000_000
            let task = "touch on; \(Self.await("go")); yes | head -c \(count); touch printed; \(Self.await("gate"))\n"
            let driver = try box.startTasks(task, slots: 1)
            try box.waitForFile("on")
            let tail = try tail(0, in: box)
            try box.wait(for: "its beginning") { tail.error.contains("following") }
            let before = Self.memory(box)
            tail.signal(SIGSTOP)
            try box.write("go", "")
            try box.wait(for: "all of it") { box.exists("printed") }
            let growth = Self.memory(box) - before
            #expect(growth < 24 << 20 + BuildDirectory.sanitizerOverhead, "\(growth) bytes more than before")
            #expect(try box.dbutil("--status").status == 0)
            tail.signal(SIGCONT)
            try box.write("gate", "")
            #expect(try driver.wait(within: 30).status == 0)
            #expect(box.rows().map(\.outBytes) == [count])
            let end = try tail.wait(within: 10)
            #expect(end.status == 0)
            let missing = end.error.matches(of: /(\d+) bytes of standard output left out/).compactMap { Int($0.1) }
            #expect(!missing.isEmpty)
            #expect(missing.reduce(end.output.utf8.count, +) == count)
        }
    }

    /// Resident memory of driver and engines, in bytes.
    private static func memory(_ box: Sandbox) -> Int {
        box.processes().filter { $0.commandLine.contains("disbatch") }.reduce(0) { sum, process in
            let text = (try? String(contentsOfFile: "/proc/\(process.pid)/statm", encoding: .utf8)) ?? ""
            return sum + (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
        }
    }

    // MARK: CPU time

    @Test func whatTasksUseOfTheirCores() throws {
        try Sandbox.with { box in
            // That of a child, while it runs.
            let burn = "touch on; while [ ! -e gate ]; do :; done"
            let driver = try box.startTasks("(\(burn)) & wait\n", ["--lease", "2"], slots: 1)
            try box.waitForFile("on")
            var percent = 0.0
            try box.wait(for: "a busy engine") {
                let json = try box.dbutil("--status", "--json").output
                let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
                percent = (object?["engines"] as? [[String: Any]])?.first?["cpu_percent"] as? Double ?? 0
                return percent > 10
            }
            #expect(percent < 120)
            let text = try box.dbutil("--status").output
            #expect(text.contains(/failed +CPU +heard\n.* \d+ %  [0-9.]+ s ago/), "\(text)")
            try box.write("gate", "")
            #expect(try driver.wait(within: 30).status == 0)
        }
    }
}
