import DisbatchCore
import Foundation
import TestSupport

@testable import RunRecord

/// A directory for one test, removed at its end.
final class TemporaryDirectory {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.path + "/run-record-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var record: String { path + "/x_run.db" }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }
}

extension RunDescription {
    static let sample = RunDescription(
        source: "Tasks", commandLine: "disbatch Tasks", host: "here", user: "me", pid: 42, version: "1",
        workingDirectory: "/work", options: "", start: Timestamp(microseconds: 1_700_000_000_500_000))
}

/// Time `seconds` after the sample run's start.
func time(_ seconds: Double) -> Timestamp {
    Timestamp(microseconds: RunDescription.sample.start.microseconds + Int64(seconds * 1e6))
}

func spec(_ id: Int, _ command: String = "true") -> TaskSpec {
    TaskSpec(id: TaskID(id), streamIndex: id + 1, command: Array(command.utf8))
}

func started(_ id: Int, attempt: Int = 1) -> RunRecordEntry {
    .taskStarted(
        StartedTask(
            spec: spec(id), attempt: attempt, engine: EngineID(0), node: "n1", cylinder: 3, pid: 100, start: time(1)))
}

func recorded(
    _ id: Int, attempt: Int = 1, code: Int32 = 0, kind: RowKind = .task, ending: Ending = .exited, out: String = "",
    command: String = "true"
) -> RecordedTask {
    let output = Array(out.utf8)
    let outcome = TaskOutcome(
        pid: ending == .engineLost ? -1 : 100, returnCode: code, ending: ending, start: time(1), finish: time(3.25),
        out: OutputSummary(count: UInt64(output.count), edges: output), userMicroseconds: 1_500_000,
        systemMicroseconds: 250_000, peakResidentKiB: 2_048)
    return RecordedTask(
        kind: kind, spec: spec(id, command), attempt: attempt, engine: EngineID(0), node: "n1", cylinder: 3,
        outcome: outcome)
}

func ended(_ id: Int, attempt: Int = 1, code: Int32 = 0, isFinal: Bool = true) -> RunRecordEntry {
    .attemptEnded(recorded(id, attempt: attempt, code: code), isFinal: isFinal)
}

extension Database {
    /// Every row of a query, its columns joined by `|`, NULL shown as `-`.
    func rows(_ sql: String) throws -> [String] {
        let statement = try Statement(self, sql)
        var rows: [String] = []
        while try statement.next() {
            rows.append((0..<statement.columnCount).map { statement.text($0) ?? "-" }.joined(separator: "|"))
        }
        return rows
    }
}

/// Opens a record as a reader does.
func reader(_ path: String) throws -> Database { try Database(path: path, readOnly: true) }

/// A writer that has made its tables.
func openWriter(
    _ directory: TemporaryDirectory, appending: Bool = false, limits: RecordLimits = RecordLimits()
) -> RunRecordWriter {
    let writer = RunRecordWriter(path: directory.record, appending: appending, run: .sample, limits: limits)
    writer.submit([.contextAdded(ContextID(0), label: "local", kind: "local")])
    writer.flush()
    return writer
}

/// Runs a program and returns what it printed on both streams.
func output(of program: String, _ arguments: [String]) throws -> String {
    let result = try Tool.run([program] + arguments)
    return result.text + result.errorText
}
