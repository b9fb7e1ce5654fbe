import DisbatchCore
import EngineHosting
import Testing

@testable import DriverRuntime

struct ProgressLineTests {
    private static func totals(_ finished: Int, failed: Int = 0, skipped: Int = 0, skippedFailed: Int = 0) -> RunTotals
    {
        var totals = RunTotals()
        totals.finished = finished
        totals.failed = failed
        totals.skipped = skipped
        totals.skippedFailed = skippedFailed
        return totals
    }

    @Test(
        arguments: [
            (totals(0), 0, 10, 0, .seconds(1), "0/10 done (0 %), 0 running, 10 waiting, 1.0 s"),
            (
                totals(3, failed: 1), 2, 10, 0.5, .seconds(6),
                "3/10 done (30 %), 1 failed, 2 running, 5 waiting, 30.0/min, 14.0 s left"
            ),
            (
                totals(3, skipped: 4, skippedFailed: 2), 2, 9, 250, .seconds(6),
                "7/9 done (77 %), 2 failed, 2 running, 0 waiting, 250/s, 0.0 s left"
            ),
            (totals(9), 0, 9, 3, .seconds(6), "9/9 done (100 %), 0 running, 0 waiting, 3.0/s"),
            (totals(0), 0, 0, 0, .zero, "0/0 done (100 %), 0 running, 0 waiting, 0.0 s"),
            (totals(12), 3, nil, 1.24, .seconds(90), "12 done, 3 running, 1.2/s"),
            (totals(12), 3, nil, 0, .seconds(90), "12 done, 3 running, 1 min 30 s"),
            (
                totals(1), 0, 1_000_000, 1e-9, .zero,
                "1/1000000 done (0 %), 0 running, 999999 waiting, 0.0/min, 11574074 d 1 h left"
            ),
            (totals(12), 3, 10, 0, .seconds(-3), "12/10 done (120 %), 3 running, 0 waiting, 0.0 s"),
        ] as [(RunTotals, Int, Int?, Double, Duration, String)])
    func texts(totals: RunTotals, running: Int, total: Int?, rate: Double, elapsed: Duration, text: String) {
        #expect(ProgressLine.text(totals: totals, running: running, total: total, rate: rate, elapsed: elapsed) == text)
    }

    @Test(arguments: [
        (0, "0.0 s"), (0.04, "0.0 s"), (0.05, "0.1 s"), (4.2, "4.2 s"), (59.9, "59.9 s"), (59.96, "1 min 0 s"),
        (60, "1 min 0 s"), (200, "3 min 20 s"), (3599.4, "59 min 59 s"), (3599.6, "1 h 0 min"), (7500, "2 h 5 min"),
        (86_399, "23 h 59 min"), (86_400, "1 d 0 h"), (273_600, "3 d 4 h"), (-1.5, "0.0 s"),
    ])
    func times(seconds: Double, text: String) {
        #expect(Quantity.time(seconds) == text)
    }

    @Test(arguments: [(0, "0.0"), (9.94, "9.9"), (9.96, "10.0"), (99.94, "99.9"), (99.96, "100"), (12345.6, "12346")])
    func oneDecimal(value: Double, text: String) {
        #expect(Quantity.oneDecimal(value) == text)
    }
}

struct RateMeterTests {
    private static func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test func rateOfLate() {
        var meter = RateMeter()
        meter.note(0, at: Self.at(0))
        #expect(meter.perSecond == 0)
        meter.note(5, at: Self.at(0))
        #expect(meter.perSecond == 0)
        meter.note(10, at: Self.at(2))
        #expect(meter.perSecond == 5)
        for second in 3...30 as ClosedRange<Int64> { meter.note(10 + Int(second - 2) * 3, at: Self.at(second)) }
        #expect(meter.perSecond == 3, "what was long ago no longer counts")
        meter.note(94, at: Self.at(130))
        #expect(abs(meter.perSecond) < 1e-9)
    }
}

struct RunLogTests {
    @Test func itsLinesAreKnown() {
        let line = RunLog.line(.warning, "one\ntwo", at: Timestamp(microseconds: 1_700_000_000_123_456))
        let lines = line.split(separator: 10)
        #expect(lines.count == 2 && lines.allSatisfy(LogLineForm.matches))
        for other in ["", "ssh: connect to host", "2026-11-21", "2026-11-21 03:14:05.407 INFO", "Connection closed"] {
            #expect(!LogLineForm.matches(Array(other.utf8)[...]), "\(other)")
        }
    }

    /// 2001-09-09 01:46:40.005 UTC, in whatever zone the tests run.
    static let time = Timestamp(microseconds: 1_000_000_000_005_999)

    @Test func form() throws {
        let line = String(decoding: RunLog.line(.info, "a text", at: Self.time), as: UTF8.self)
        #expect(try /\d{4}-\d\d-\d\d \d\d:\d\d:40,005 INFO     a text\n/.wholeMatch(in: line) != nil, "\(line)")
    }

    @Test(arguments: [
        (LogLevel.debug, "DEBUG    "), (.info, "INFO     "), (.warning, "WARNING  "), (.error, "ERROR    "),
        (.critical, "CRITICAL "),
    ])
    func levels(level: LogLevel, text: String) {
        let line = String(decoding: RunLog.line(level, "x", at: Self.time), as: UTF8.self)
        #expect(line.hasSuffix(",005 \(text)x\n"), "\(line)")
    }

    @Test(arguments: [
        ("a\nb", "a\n    b\n"), ("a\r\nb\n", "a\n    b\n    \n"), ("", "\n"), ("é", "é\n"),
    ])
    func severalLines(text: String, end: String) {
        let line = String(decoding: RunLog.line(.info, text, at: Self.time), as: UTF8.self)
        #expect(line.hasSuffix("INFO     " + end), "\(line)")
    }
}
