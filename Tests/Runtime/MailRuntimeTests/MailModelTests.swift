import DisbatchCore
import RunClient
import Testing

@testable import MailRuntime

/// A model that macros can call.
private final class Mailer {
    private var model: MailModel

    init(_ model: MailModel) { self.model = model }

    var isOver: Bool { model.isOver }
    var isDone: Bool { model.isDone }

    func take(_ frame: ServerFrame) { model.take(frame) }
    func driverWent(_ reason: String) { model.driverWent(reason) }
    func next(at seconds: Int64) -> MailMessage? { model.next(at: instant(seconds)) }
    func sent() { model.sent() }
    func failed(_ reason: String, at seconds: Int64) -> String? { model.failed(reason, at: instant(seconds)) }

    private func instant(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }
}

/// When there is a mail, and what it says.
@Suite struct MailModelTests {
    private func model(every frequency: Int = 10) -> Mailer {
        let file = RunFileText(
            name: "run", version: "1.2", host: "login1", pid: 42, start: Timestamp(microseconds: 0),
            workingDirectory: "/data")
        return Mailer(MailModel(file, path: "/data/run_run.json", frequency: frequency))
    }

    private func frame(_ finished: Int, failures: Range<Int> = 0..<0) -> ServerFrame {
        var snapshot = RunSnapshot()
        snapshot.start = Timestamp(microseconds: 1)
        snapshot.time = Timestamp(microseconds: 60_000_000)
        snapshot.totals.finished = finished
        snapshot.totals.failed = failures.upperBound
        snapshot.totalTasks = 100
        snapshot.running = 2
        snapshot.failures = failures.map { number in
            FailureSnapshot(
                task: TaskID(number), line: number + 1, node: "node0", returnCode: 3,
                finish: Timestamp(microseconds: 0), elapsed: 1,
                error: Array("bad\r\nBcc: x@evil.org\u{1b}[m".utf8), command: Array("exit \(number)".utf8))
        }
        return .snapshot(snapshot)
    }

    @Test func thereIsAMailEverySoManyTasks() throws {
        let model = self.model()
        #expect(model.next(at: 1) == nil)
        model.take(frame(9))
        #expect(model.next(at: 2) == nil)
        model.take(frame(11))
        #expect(try #require(model.next(at: 3)).subject == "run has completed 11 of 100 tasks")
        model.sent()
        model.take(frame(19))
        #expect(model.next(at: 10) == nil)
        model.take(frame(20))
        #expect(try #require(model.next(at: 11)).subject == "run has completed 20 of 100 tasks")
    }

    @Test func whatHappensWhileAMailIsOnItsWayIsInTheNext() throws {
        let model = self.model(every: 1)
        model.take(frame(1, failures: 0..<1))
        #expect(try #require(model.next(at: 1)).body.contains("task 0 (line 1)"))
        for finished in 2...90 { model.take(frame(finished, failures: finished - 1..<finished)) }
        model.sent()
        #expect(model.next(at: 1) == nil, "not at once")
        let next = try #require(model.next(at: 2))
        #expect(next.subject == "run has completed 90 of 100 tasks (90 failed)")
        #expect(!next.body.contains("task 0 ") && next.body.contains("task 89 (line 90)"))
        #expect(next.body.contains("Latest failures (of 90 in all)") && next.body.count < 4000)
        model.sent()
        #expect(model.next(at: 9) == nil)
    }

    @Test func noTextMakesALineOfItsOwn() throws {
        let model = self.model(every: 1)
        model.take(frame(1, failures: 0..<1))
        let body = try #require(model.next(at: 1)).body
        #expect(body.contains("return code 3 after 1.0 s: bad  Bcc: x@evil.org [m\n  exit 0"))
    }

    @Test func theLastMailSaysHowTheRunEnded() throws {
        let model = self.model(every: 0)
        model.take(frame(100, failures: 0..<2))
        #expect(model.next(at: 1) == nil, "0: at the end alone")
        model.take(.ended(exitStatus: 1, summary: "disbatch: all\n  status file: /data/run_status.txt"))
        #expect(model.isOver && !model.isDone)
        let mail = try #require(model.next(at: 2))
        #expect(mail.subject == "run has ended with exit status 1, after 100 tasks (2 failed)")
        #expect(mail.body.hasPrefix("disbatch: all\n  status file: /data/run_status.txt\n\nOn login1, in /data, for"))
        #expect(mail.body.contains("task 1 (line 2) on node0: return code 3"))
        model.sent()
        #expect(model.isDone && model.next(at: 100) == nil)
    }

    @Test func aRunThatIsCutOffIsToldOfToo() throws {
        let model = self.model(every: 0)
        model.take(frame(40))
        model.driverWent("its driver has gone without a word")
        let mail = try #require(model.next(at: 1))
        #expect(mail.subject == "run is cut off, after 40 of 100 tasks")
        #expect(mail.body.contains("-r /data/run_status.txt"))
    }

    @Test func whatFailsIsSaidOnceAndTriedAgainLater() throws {
        let model = self.model(every: 1)
        model.take(frame(1, failures: 0..<1))
        #expect(model.next(at: 1) != nil)
        #expect(model.failed("no server", at: 1) == "a mail was not sent: no server; its news will be in the next one")
        model.take(frame(2))
        #expect(model.next(at: 60) == nil)
        #expect(try #require(model.next(at: 61)).body.contains("task 0 (line 1)"))
        #expect(model.failed("no server", at: 61) == nil, "once is enough")
        model.take(.ended(exitStatus: 0, summary: "all"))
        #expect(model.next(at: 62) != nil, "the last one is tried in any case")
        #expect(model.failed("no server", at: 62) == "the last mail was not sent: no server")
        #expect(model.isDone)
    }
}
