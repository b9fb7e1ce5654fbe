import DisbatchCore
import Glibc
import LinuxSystem

/// The driver's log: lines with time and level, in the form of disBatch's.
final class RunLog {
    private let writer: LogWriter
    private let file: Int
    private let level: LogLevel

    init(_ path: String, level: LogLevel, writer: LogWriter) {
        self.writer = writer
        self.level = level
        file = writer.add(path)
    }

    func write(_ level: LogLevel, _ text: String) {
        guard level >= self.level else { return }
        writer.write(Self.line(level, text, at: Timestamp(microseconds: SystemClock.wallMicroseconds())), to: file)
    }

    /// A line as `2026-11-20 10:11:12,345 INFO     text`; further lines of the text are indented.
    static func line(_ level: LogLevel, _ text: String, at time: Timestamp) -> [UInt8] {
        let body = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: "\n    ")
        let name = level.name
        return Array("\(stamp(time)) \(name)\(String(repeating: " ", count: 8 - name.count)) \(body)\n".utf8)
    }

    /// Local time, with milliseconds behind a comma.
    static func stamp(_ time: Timestamp) -> String {
        var seconds = time_t(time.microseconds / 1_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { String(value, digits: 2) }
        let milliseconds = String(time.microseconds / 1000 % 1000, digits: 3)
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)),\(milliseconds)"
    }
}
