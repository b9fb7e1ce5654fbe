import DisbatchCore
import Testing

struct StatusRowViewTests {
    @Test(arguments: GoldenRow.table)
    func readsWhatItWrites(_ golden: GoldenRow) throws {
        let task = golden.task
        var written: [UInt8] = []
        StatusRow.append(task, to: &written)
        written.removeLast()
        try withView(written) { view in
            #expect(view.kind == .ended(task.kind))
            #expect(view.id == task.spec.id)
            #expect(view.isRow(of: task.spec))
            #expect(Array(view.text(view.node)) == Array("vm".utf8))
            #expect(view.pid == task.outcome.pid)
            #expect(view.returnCode == task.outcome.returnCode)
            #expect(abs(view.start.microseconds - task.outcome.start.microseconds) <= 500)
            #expect(abs(view.finish.microseconds - task.outcome.finish.microseconds) <= 500)
            #expect(abs(view.elapsed - (golden.finish - golden.start)) <= 500)
            #expect(view.outCount == task.outcome.out.count)
            #expect(view.errCount == task.outcome.err.count)
            for (range, edges) in [(view.outSnippet, golden.out.edges), (view.errSnippet, golden.err.edges)]
            where edges.count <= OutputSummary.edgeLength {
                let text = Array(String(decoding: edges, as: UTF8.self).utf8)
                #expect(PythonLiteral.decode(view.text(range)) == text)
            }
        }
    }

    @Test(arguments: [("B    ", false), ("C    ", true)])
    func readsBarriers(_ flags: String, _ checks: Bool) throws {
        let line = row(flags: flags, id: 6, command: "#DISBATCH BARRIER")
        #expect(try withView(line) { $0.kind } == .barrier(checks: checks))
    }

    @Test func readsTheHeaderOfDisBatch() {
        #expect(StatusRow.header.withUnsafeBytes { StatusRowView.isHeader($0) })
        #expect(row(id: 0).withUnsafeBytes { !StatusRowView.isHeader($0) })
    }

    /// disBatch 2.x: more decimals, or an exponent, `""` for empty, the command as a literal.
    @Test func readsOlderRows() throws {
        let older = row(
            "    →314→315→-1→worker032→8016→0→10.0486528873→1458660919.78→1458660929.8286528→0→\"\"→0→\"\"→"
                + #"'cd /path ; echo "it\'s" \\ \t\xe9'"#)
        try withView(older) { view in
            #expect(view.id == TaskID(314))
            #expect(view.elapsed == 10_048_653)
            #expect(view.start.microseconds == 1_458_660_919_780_000)
            #expect(view.finish.microseconds == 1_458_660_929_828_653)
            #expect(PythonLiteral.decode(view.text(view.outSnippet)) == [])
            let command = Array(#"cd /path ; echo "it's" \"#.utf8) + Array(" \té".utf8)
            #expect(view.isRow(of: TaskSpec(id: TaskID(314), streamIndex: 315, command: command)))
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("0.0", 0), ("1", 1_000_000), (".5", 500_000), ("5.", 5_000_000), ("-1.25", -1_250_000),
            ("9.059906e-06", 9), ("4.5E-07", 0), ("5e-07", 1), ("1e+03", 1_000_000_000), ("0.0000005", 1),
            ("0.000000499999999999999999999999999999", 0), ("1795205833.44299999999999999999", 1_795_205_833_443_000),
            ("922337203685.477581", 922_337_203_685_477_581), ("1e-400", 0), ("0e400", 0),
        ] as [(String, Int64)])
    func readsSeconds(_ text: String, _ expected: Int64) throws {
        let line = row("    →1→1→-1→vm→77→0→\(text)→1.000→2.000→0→''→0→''→true")
        #expect(try withView(line) { $0.elapsed } == expected)
    }

    @Test(arguments: [
        ("", "has 1 of 15 columns: ''"),
        ("    →1→1", "has 3 of 15 columns: '    \\t1\\t1'"),
        (
            "    →1→1→-1→vm→77→0→1.0→1.0→2.0→0→''→0→''",
            #"has 14 of 15 columns: "    \t1\t1\t-1\tvm\t77\t0\t1.0\t1.0\t2.0\t0\t''\t0\t''""#
        ),
        ("D    →1→1→-1→vm→77→0→1.0→1.0→2.0→0→''→0→''→x", "has unknown flags: 'D    '"),
        ("X   →1→1→-1→vm→77→0→1.0→1.0→2.0→0→''→0→''→x", "has unknown flags: 'X   '"),
        ("   →1→1→-1→vm→77→0→1.0→1.0→2.0→0→''→0→''→x", "has unknown flags: '   '"),
        ("   Q→1→1→-1→vm→77→0→1.0→1.0→2.0→0→''→0→''→x", "has unknown flags: '   Q'"),
        ("    →→1→-1→vm→77→0→1.0→1.0→2.0→0→''→0→''→x", "has no number as TaskID: ''"),
        ("    →-1→1→-1→vm→77→0→1.0→1.0→2.0→0→''→0→''→x", "has no number as TaskID: '-1'"),
        ("    →1→+1→-1→vm→77→0→1.0→1.0→2.0→0→''→0→''→x", "has no number as LineNum: '+1'"),
        ("    →1→1→-→vm→77→0→1.0→1.0→2.0→0→''→0→''→x", "has no number as RepeatIndex: '-'"),
        ("    →1→1→-1→vm→2147483648→0→1.0→1.0→2.0→0→''→0→''→x", "has no number as PID: '2147483648'"),
        ("    →1→1→-1→vm→77→0x→1.0→1.0→2.0→0→''→0→''→x", "has no number as ReturnCode: '0x'"),
        ("    →1→1→-1→vm→77→0→1.0.0→1.0→2.0→0→''→0→''→x", "has no number as Elapsed: '1.0.0'"),
        ("    →1→1→-1→vm→77→0→1.0→1e→2.0→0→''→0→''→x", "has no number as Start: '1e'"),
        ("    →1→1→-1→vm→77→0→1.0→1.0→1e300→0→''→0→''→x", "has no number as Finish: '1e300'"),
        ("    →1→1→-1→vm→77→0→1.0→1.0→2.0→-1→''→0→''→x", "has no number as BytesOfLeakedOutput: '-1'"),
        (
            "    →1→1→-1→vm→77→0→1.0→1.0→2.0→0→''→18446744073709551616→''→x",
            "has no number as BytesOfLeakedError: '18446744073709551616'"
        ),
    ])
    func saysWhatIsWrong(_ line: String, _ expected: String) {
        let error = #expect(throws: StatusRowError.self) { try withView(row(line)) { _ in } }
        #expect(error?.description == expected)
    }

    @Test func cutsALongLineInItsError() {
        let error = #expect(throws: StatusRowError.self) {
            try withView([UInt8](repeating: 0, count: 5000)) { _ in }
        }
        #expect(
            error?.description == "has 1 of 15 columns: '" + String(repeating: #"\x00"#, count: 80) + "'...")
    }

    @Test(arguments: [
        ("true", "true", true), ("'true'", "true", true), ("\"it's\"", "it's", true), ("b'true'", "true", true),
        ("'true'", "'true'", true), ("b'x'", "b'x'", true), ("true", "true ", false), ("true", "'true'", false),
        ("", "", true), ("''", "", true), ("'a' 'b'", "a' 'b", false),
    ])
    func comparesCommands(_ recorded: String, _ task: String, _ expected: Bool) {
        let matches = Array(recorded.utf8).withUnsafeBytes {
            commandMatches(rowCommand: $0, taskCommand: Array(task.utf8))
        }
        #expect(matches == expected)
    }

    @Test(arguments: [(4, -1, true), (5, -1, false), (4, 0, false)])
    func comparesLinesAndRepeatIndices(_ line: Int, _ repeatIndex: Int, _ expected: Bool) throws {
        let task = TaskSpec(id: TaskID(3), streamIndex: 4, command: Array("true".utf8))
        #expect(try withView(row(id: 3, line: line, repeatIndex: repeatIndex)) { $0.isRow(of: task) } == expected)
    }
}
