import DisbatchCore
import Foundation
import TestSupport
import Testing

@testable import RunReports

@Suite(.blocking) struct ListRendererTests {
    private func list(_ rows: [TaskRow], _ format: ListFormat, _ fields: [TaskField]?, columns: Int? = nil) -> String {
        var renderer = ListRenderer(format, fields: fields, columns: columns) { "at \($0)" }
        var text = renderer.begin(sampleFacts())
        // In lots, as they come.
        for row in rows { text += renderer.rows([row]) }
        return text + renderer.end()
    }

    /// A command of bytes that every format must get right.
    private static let hostile: [UInt8] = Array("a\tb\nc\r\"d\",\\e\u{1b}[0m\u{202e}é".utf8) + [0xff, 0x00, 0xc3]

    private var rows: [TaskRow] {
        var odd = task(1)
        odd.command = Self.hostile
        return [task(0), odd, task(2, .waiting)]
    }

    @Test func tablesAlignAndDisarm() {
        let text = list(rows, .table, [.id, .state, .elapsed, .start, .command])
        #expect(
            text == """
                id  state  elapsed  start     command
                 0  done     1.000  at 100.0  true
                 1  done     1.000  at 100.0  a b␊c␍"d",\\e␛[0m\u{fffd}é\u{fffd}␀\u{fffd}
                 2  waiting        -  -         true

                """)
        #expect(list([], .table, [.id, .state]) == "id  state\n")
        let narrow = list([task(0, command: String(repeating: "x", count: 100))], .table, [.id, .command], columns: 20)
        #expect(narrow.split(separator: "\n").allSatisfy { $0.count <= 20 } && narrow.contains("x...\n"))
    }

    @Test func tabSeparatedValuesLoseNothing() {
        let text = list(rows, .tsv, [.id, .memory, .command])
        #expect(
            text == "id\tmemory\tcommand\n0\t4194304\ttrue\n"
                + "1\t4194304\ta\\tb\\nc\\r\"d\",\\\\e\\x1b[0m\u{202e}é\\xff\\x00\\xc3\n2\t\ttrue\n")
    }

    @Test func commaSeparatedValuesAreReadByPython() throws {
        let script = "import csv,sys; print(repr(list(csv.reader(open(0, newline='')))))"
        let result = try Tool.run([try python(), "-c", script], input: list(Array(rows[0...0]), .csv, [.id, .state]))
        #expect(result.text == "[['id', 'state'], ['0', 'done']]\n")
        let odd = list(Array(rows[1...1]), .csv, [.id, .command])
        #expect(odd == "id,command\r\n1,\"a\tb\nc\r\"\"d\"\",\\e\u{1b}[0m\u{202e}é\u{fffd}\u{0}\u{fffd}\"\r\n")
    }

    @Test func jsonIsReadByPython() throws {
        let script = """
            import base64,json,sys
            d=json.load(sys.stdin); t=d['tasks']
            assert d['format']==1 and d['run']['prefix'].endswith("it's here/x")
            assert [x['id'] for x in t]==[0,1,2] and t[2]['return_code'] is None and t[0]['elapsed']==1
            assert base64.b64decode(t[1]['command_base64'])==bytes.fromhex(sys.argv[1])
            assert t[1]['command']==bytes.fromhex(sys.argv[1]).decode('utf-8','replace')
            assert 'command_base64' not in t[0]
            print('good')
            """
        let hex = Self.hostile.map { String(format: "%02x", $0) }.joined()
        let result = try Tool.run([try python(), "-c", script, hex], input: list(rows, .json, nil))
        #expect(result.text == "good\n", "\(result.errorText)")
        let none = try Tool.run([try python(), "-m", "json.tool"], input: list([], .json, [.id]))
        #expect(none.status == 0, "\(none.errorText)")
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")])
    func base64(text: String, encoded: String) {
        #expect(Base64.text(Array(text.utf8)) == encoded)
    }

    @Test func everyScalarSurvivesJSON() throws {
        var json = JSONText()
        json.beginArray()
        let text = String(String.UnicodeScalarView((0..<0x3000).compactMap { Unicode.Scalar(UInt32($0)) }))
        json.value(text)
        json.value(Double.nan)
        json.value(-0.0000001)
        json.value(true)
        json.endArray()
        let script = "import json,sys; d=json.load(sys.stdin); print(d[0]==''.join(map(chr,range(0x3000))), d[1:])"
        let result = try Tool.run([try python(), "-c", script], input: json.text)
        #expect(result.text == "True [None, 0.0, True]\n", "\(result.errorText)")
    }

    @Test(arguments: [
        (0.0, 3, "0.000"), (1.2345, 3, "1.235"), (-0.0004, 3, "0.000"), (-1.5, 0, "-2"), (99.9996, 3, "100.000"),
        (12.05, 1, "12.1"),
    ])
    func fixedDecimals(number: Double, decimals: Int, text: String) {
        #expect(NumberText.fixed(number, decimals: decimals) == text)
    }

    @Test func durationsAndBytes() {
        #expect(
            [0, 0.0124, 12.34, 59.96, 61, 3725, 100_000].map(NumberText.duration) == [
                "0.000 s", "0.012 s", "12.3 s", "1m 00s", "1m 01s", "1h 02m", "1d 03h",
            ])
        #expect(
            [0, 1023, 1024, 5 << 20, 3 << 30].map(NumberText.bytes) == [
                "0 B", "1023 B", "1.0 KiB", "5.0 MiB", "3.0 GiB",
            ])
    }
}

/// Python, which reads what is written for programs.
func python() throws -> String { try #require(Tool.find("python3"), "install python3: it reads JSON and HTML") }
