import DisbatchCore
import Glibc
import LinuxSystem
import RunClient
import RunRecord

@testable import GCERuntime

/// JSON: what was read and is written is read again as the same; run files too.
enum JSONFuzz {
    static func run(_ input: inout FuzzInput) {
        switch input.byte() & 3 {
        case 0, 1: value(input.rest())
        case 2: readRunFile(input.rest())
        default: writeRunFile(&input)
        }
    }

    private static func value(_ bytes: [UInt8]) {
        guard let value = JSONValue(parsing: bytes) else { return }
        for isPretty in [false, true] {
            let text = value.text(isPretty: isPretty)
            expectEqual(JSONValue(parsing: text), value, "read, written and read: \(text)")
        }
        expectEqual(value.members.isEmpty || value.elements.isEmpty, true, "not both")
        _ = (value.integer, value.double, value.texts)
        expect(sqliteTakes(bytes), "SQLite takes it too")
    }

    private static func sqliteTakes(_ bytes: [UInt8]) -> Bool {
        guard let database = try? Database(path: ":memory:"),
            let check = try? Statement(database, "SELECT json_valid(?1)")
        else { return false }
        check.bind(1, .bytes(bytes))
        return (try? check.next()) == true && check.integer(0) == 1
    }

    private static func readRunFile(_ bytes: [UInt8]) {
        _ = read(bytes)
    }

    private static func read(_ bytes: [UInt8]) -> RunFileText? {
        guard let file = try? Descriptor.inMemory() else { return nil }
        expect((try? file.writeAll(bytes)) != nil, "memory")
        return try? RunFile.read("/proc/self/fd/\(file.raw)")
    }

    private static func writeRunFile(_ input: inout FuzzInput) {
        let start = Timestamp(microseconds: abs(input.integer(Int64.self) >> 14) / 1000 * 1000)
        var text = RunFileText(
            name: input.text(), version: input.text(), host: input.text(), pid: input.integer(), start: start,
            workingDirectory: input.text())
        let flags = input.byte()
        text.addresses = (0..<Int(flags & 3)).map { _ in input.text() }
        if flags & 4 != 0 { text.key = input.text() }
        if flags & 8 != 0 { text.exitStatus = input.integer() }
        if flags & 16 != 0 { text.summary = input.text() }
        let bytes = Array(text.json.utf8)
        guard let json = JSONValue(parsing: bytes) else { return expect(false, "a run file is JSON: \(text.json)") }
        expectEqual(json["name"].string, text.name, "its name")
        expectEqual(json["summary"].string, text.summary, "its summary")
        guard var again = read(bytes) else { return expect(false, "a run file is read: \(text.json)") }
        if text.start.microseconds > 100_000_000_000_000_000 { again.start = text.start }
        expect(abs(again.start.microseconds - text.start.microseconds) <= 1000, "its time")
        again.start = text.start
        expectEqual(again, text, "a run file")
    }
}
