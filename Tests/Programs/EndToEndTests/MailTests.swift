import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Mails of a run, by a real mail server.
@Suite(.blocking) struct MailTests {
    /// A mail server that runs.
    private struct Server {
        let program: RunningProgram
        let environment: [String: String?]
        let port: String

        init(_ box: Sandbox, _ mode: String = "") throws {
            let script = ProjectFolder.path("Tests/Support/mail-server")
            let running = try box.start(["mails", mode], program: script, input: .pipe)
            try box.wait(for: "the mail server") {
                if running.hasEnded { throw HarnessError("no mail server (python3-aiosmtpd): \(running.error)") }
                return running.output.hasSuffix("\n")
            }
            program = running
            port = running.output.trimmed
            environment = ["DISBATCH_SMTP": "127.0.0.1:\(port)"]
        }

        func end() throws {
            program.closeInput()
            try program.wait(within: 20)
        }
    }

    private func mails(_ box: Sandbox) throws -> [Substring] {
        guard box.exists("mails") else { return [] }
        return try box.text(of: "mails").split(separator: "=== ")
    }

    private let options = ["-s", "localhost:1", "-p", "run", "--mailTo", "anna@example.org"]

    @Test func thereAreMailsAsTasksEndAndAtTheEnd() throws {
        try Sandbox.with { box in
            let server = try Server(box)
            let held = (0..<4).map { "echo oh \($0) >&2; until [ -e gate.\($0) ]; do sleep 0.01; done; exit \($0 % 2)" }
            try box.write("tasks.txt", held.joined(separator: "\n"))
            let driver = try box.start(options + ["--mailFreq", "2", "tasks.txt"], environment: server.environment)
            try box.write("gate.0", "")
            try box.write("gate.1", "")
            try box.wait(for: "the first mail") { try mails(box).count == 1 }
            let first = try #require(try mails(box).first)
            #expect(first.hasPrefix("from anna@example.org to anna@example.org\n"))
            #expect(first.contains("\nSubject: run has completed 2 of 4 tasks (1 failed)\n"))
            #expect(first.contains("task 1 (line 2) on ") && first.contains(": return code 1 after "))
            #expect(first.contains(": oh 1\n  echo oh 1 >&2; until"))
            #expect(first.contains("Status file: \(box.at("run_status.txt"))"))
            try box.write("gate.2", "")
            try box.write("gate.3", "")
            #expect(try driver.wait(within: 30).status == 0)
            let all = try mails(box)
            let last = try #require(all.last)
            #expect((2...3).contains(all.count), "the second may be merged with the last")
            #expect(last.contains("\nSubject: run has ended with exit status 0, after 4 tasks (2 failed)\n"))
            #expect(last.contains("  to retry the failures: disbatch -r \(box.at("run_status.txt")) -R "))
            #expect(last.contains(": oh 1\n") && last.contains(": oh 3\n"), "it is enough by itself")
            #expect(driver.error.split(separator: "\n").allSatisfy { !$0.contains("warning") })
            try server.end()
        }
    }

    @Test func mailsThatComeTooFastAreMerged() throws {
        try Sandbox.with { box in
            let server = try Server(box, "slow")
            try box.write("tasks.txt", String(repeating: "true\n", count: 1000))
            let result = try box.run(options + ["tasks.txt"], environment: server.environment)
            #expect(result.status == 0)
            let all = try mails(box)
            #expect((1...20).contains(all.count))
            #expect(all.last?.contains("\nSubject: run has ended with exit status 0, after 1000 tasks\n") == true)
            try server.end()
        }
    }

    @Test func aServerThatRefusesIsAWarning() throws {
        try Sandbox.with { box in
            let server = try Server(box, "refuse")
            try box.write("tasks.txt", "true\n")
            let result = try box.run(options + ["tasks.txt"], environment: server.environment)
            #expect(result.status == 0)
            let words = "warning: disbatch-mail: the last mail was not sent: 127.0.0.1:\(server.port): "
            #expect(result.error.contains(words), "\(result.error)")
            #expect(try box.text(of: "run_driver.log").contains("WARNING  disbatch-mail: the last mail was not sent"))
            #expect(box.rows().count == 1)
            try server.end()
        }
    }

    @Test func withoutAServerTheRunGoesOn() throws {
        try Sandbox.with { box in
            let server = try Server(box)
            try server.end()
            try box.write("tasks.txt", "true\nuntil [ -e gate ]; do sleep 0.01; done\n")
            let driver = try box.start(options + ["tasks.txt"], environment: server.environment)
            try box.wait(for: "a warning") { driver.error.contains("disbatch-mail: a mail was not sent: ") }
            try box.write("gate", "")
            let result = try driver.wait(within: 30)
            #expect(result.status == 0 && result.error.contains("disbatch-mail: the last mail was not sent: "))
        }
    }

    /// Neither for the last mail nor for the one before.
    @Test(arguments: ["", "until [ -e mails.begun ]; do sleep 0.01; done\n"])
    func aSilentServerIsNotWaitedForWithoutEnd(more: String) throws {
        try Sandbox.with { box in
            let server = try Server(box, "silent")
            try box.write("tasks.txt", "true\n" + more)
            let result = try box.run(options + ["tasks.txt"], environment: server.environment)
            #expect(result.status == 0)
            #expect(result.seconds < 22 && result.error.contains("the last mail was not sent"), "\(result.error)")
            try server.end()
        }
    }

    /// Whoever interrupts again does not want to wait.
    @Test func aSecondSignalEndsTheLastMail() throws {
        try Sandbox.with { box in
            let server = try Server(box, "silent")
            try box.write("tasks.txt", "true\n")
            let driver = try box.start(options + ["tasks.txt"], environment: server.environment)
            try box.wait(for: "the run's end") { (try? box.text(of: "run_run.json").contains("exit_status")) == true }
            driver.signal(SIGINT)
            let result = try driver.wait(within: 10)
            #expect(result.status == 0 && result.error.contains("disbatch-mail is gone (SIGKILL)"), "\(result.error)")
            try server.end()
        }
    }

    @Test func aKilledDriverIsToldOf() throws {
        try Sandbox.with { box in
            let server = try Server(box)
            try box.write("tasks.txt", "true\nuntil [ -e gate ]; do sleep 0.01; done\n")
            let driver = try box.start(options + ["tasks.txt"], environment: server.environment)
            try box.wait(for: "the first mail") { try mails(box).count == 1 }
            driver.signal(SIGKILL)
            try box.wait(for: "another mail") { try mails(box).count == 2 }
            #expect(try #require(try mails(box).last).contains("\nSubject: run is cut off, after 1 of 2 tasks\n"))
            try server.end()
            _ = try driver.wait(within: 10)
        }
    }

    @Test(
        arguments: [
            (["--mailTo", "a@b\nBcc: c@d"], [:], "not one mail address, such as name@host.org"),
            (["--mailTo", "a@b\r"], [:], "not one mail address"),
            (["--mailTo", "a@b,c@d"], [:], "not one mail address"),
            (["--mailTo", "Anna <a@b>"], [:], "not one mail address"), (["--mailTo", ""], [:], "not one mail address"),
            (["--mailTo=-a@b"], [:], "not one mail address"), (["--mailTo", "a@b@c"], [:], "not one mail address"),
            (["--mailTo", "a@b", "--mailFreq", "x"], [:], "--mailFreq \"x\": not a whole number"),
            (["--mailFreq", "2"], [:], "--mailFreq needs --mailTo"),
            (["--mailTo", "a@b", "--no-listen"], [:], "--mailTo needs the port that --no-listen does not open"),
            (["--mailTo", "a@b"], ["DISBATCH_SMTP": "host:port"], "DISBATCH_SMTP: host:port is not HOST or HOST:PORT"),
        ] as [([String], [String: String?], String)])
    func whatCannotBeIsSaidBefore(options: [String], environment: [String: String?], message: String) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch ran\n")
            let result = try box.run(
                options + ["-s", "localhost:1", "-p", "run", "tasks.txt"], environment: environment)
            #expect(result.status == 2)
            #expect(result.error.contains(message), "\(result.error)")
            #expect(try box.files() == ["tasks.txt"])
        }
    }
}
