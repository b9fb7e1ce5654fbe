import DisbatchCore
import Foundation
import TestSupport
import Testing

/// The task files that disBatch 3.0 ran, against the rows that it wrote for them.
@Suite struct GoldenTaskFileTests {
    struct Row: Hashable {
        var kind: String
        var id: Int
        var line: Int
        var index: Int
        var command: [UInt8]
    }

    static let folder = ProjectFolder.root.appending(path: "Tests/Golden/disbatch3")

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    /// The columns of a status file that come from the task file.
    static func rows(_ name: String) throws -> Set<Row> {
        let lines = try bytes(name).split(separator: UInt8(ascii: "\n")).dropFirst()
        return Set(
            try lines.map { line in
                let fields = line.split(separator: UInt8(ascii: "\t"), maxSplits: 14, omittingEmptySubsequences: false)
                let texts = fields.map { String(decoding: $0, as: UTF8.self) }
                let flags = texts[0]
                let kind = "BC".contains(flags.prefix(1)) ? String(flags.prefix(1)) : String(flags.suffix(1))
                return Row(
                    kind: kind, id: try #require(Int(texts[1])), line: try #require(Int(texts[2])),
                    index: try #require(Int(texts[3])), command: Array(fields[14]))
            })
    }

    static func row(_ item: TaskItem) -> Row? {
        switch item {
        case .task(let spec): return row(spec, kind: " ")
        case .perEngine(let command): return row(command.spec, kind: "P")
        case .barrier(let barrier):
            let kind = barrier.checks ? "C" : "B"
            return Row(
                kind: kind, id: barrier.id.rawValue, line: barrier.streamIndex, index: -1, command: barrier.line)
        case .skipped: return nil
        }
    }

    static func row(_ spec: TaskSpec, kind: String) -> Row {
        Row(
            kind: kind, id: spec.id.rawValue, line: spec.streamIndex, index: spec.repeatIndex, command: spec.command)
    }

    @Test func perEngineFileGivesDisBatchsRows() throws {
        let reading = read(chunks: [try Self.bytes("perengine.txt")])
        #expect(reading.error == nil)
        #expect(Set(reading.items.compactMap(Self.row)) == (try Self.rows("perengine_status.txt")))
    }

    /// disBatch's run ended at the failed CHECK, before the last line.
    @Test func checkFileGivesDisBatchsRows() throws {
        let reading = read(chunks: [try Self.bytes("check.txt")])
        #expect(Set(reading.items.dropLast().compactMap(Self.row)) == (try Self.rows("check_status.txt")))
        #expect(reading.items.last == task(3, line: 4, "echo never"))
    }

    /// disBatch passes over line 32; here reading ends at it. As a comment, it leaves just disBatch's rows.
    @Test func directivesFileGivesDisBatchsRows() throws {
        let text = try Self.bytes("directives.txt")
        let expected = try Self.rows("directives_status.txt")
        let reading = read(chunks: [text])
        #expect(Set(reading.items.compactMap(Self.row)) == expected.filter { $0.line < 32 })
        #expect(
            reading.error?.description
                == "Tasks:32: unknown directive \"UNKNOWN\"\n#DISBATCH UNKNOWN thing\n          ^")

        let unknown = String(decoding: text, as: UTF8.self)
        let corrected = read(unknown.replacingOccurrences(of: "#DISBATCH UNKNOWN", with: "# UNKNOWN"))
        #expect(corrected.error == nil)
        #expect(Set(corrected.items.compactMap(Self.row)) == expected)
    }

    @Test func latePerEngineIsAnError() throws {
        let reading = read(chunks: [try Self.bytes("latepe.txt")])
        #expect(Set(reading.items.compactMap(Self.row)) == (try Self.rows("latepe_status.txt")))
        #expect(
            reading.error?.description == """
                Tasks:2: PERENGINE must come before the first task, REPEAT or BARRIER (line 1)
                #DISBATCH PERENGINE START echo late
                          ^
                """)
    }
}
