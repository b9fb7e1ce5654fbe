import DisbatchCore
import Testing

/// A row that disBatch 3.0 wrote, with the values it was made from; times finer than it shows are filled in.
struct GoldenRow: CustomTestStringConvertible {
    let text: String
    var kind = RowKind.task
    let id: Int
    let line: Int
    var repeatIndex = -1
    let pid: Int32
    var code: Int32 = 0
    let start: Int64
    let finish: Int64
    var out: (count: UInt64, edges: [UInt8]) = (0, [])
    var err: (count: UInt64, edges: [UInt8]) = (0, [])
    let command: [UInt8]

    var testDescription: String { text }

    var task: RecordedTask {
        RecordedTask(
            kind: kind,
            spec: TaskSpec(id: TaskID(id), streamIndex: line, repeatIndex: repeatIndex, command: command),
            attempt: 1, engine: EngineID(0), node: "vm", cylinder: 0,
            outcome: TaskOutcome(
                pid: pid, returnCode: code, start: Timestamp(microseconds: start),
                finish: Timestamp(microseconds: finish),
                out: OutputSummary(count: out.count, edges: out.edges),
                err: OutputSummary(count: err.count, edges: err.edges)))
    }

    private static let sequence = Array(
        """
        1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n188\n89\n90\n91\n92\n93\n94\n95\n96\n97\n98\n99\n100\n
        """.utf8)

    static let table: [GoldenRow] = [
        GoldenRow(
            text: "    →0→1→-1→vm→23508→0→0.009→1795205833.433→1795205833.442→0→''→0→''→true",
            id: 0, line: 1, pid: 23508, start: 1_795_205_833_433_000, finish: 1_795_205_833_442_000,
            command: Array("true".utf8)),
        GoldenRow(
            text: "   S→0→1→-1→vm→23508→0→0.009→1795205833.433→1795205833.442→0→''→0→''→true",
            kind: .skipped, id: 0, line: 1, pid: 23508, start: 1_795_205_833_433_000,
            finish: 1_795_205_833_442_000, command: Array("true".utf8)),
        GoldenRow(
            text: "R   →15→21→-1→vm→23470→-9→1.011→1795205813.577→1795205814.588→0→''→0→''→kill -9 $$",
            id: 15, line: 21, pid: 23470, code: -9, start: 1_795_205_813_577_000, finish: 1_795_205_814_588_000,
            command: Array("kill -9 $$".utf8)),
        // Elapsed is rounded by itself: 0.010 beside times that are 0.011 apart.
        GoldenRow(
            text: #" O  →7→14→-1→vm→20408→0→0.010→1795205811.531→1795205811.542→14→"#
                + #"'after barrier\n'→0→''→echo after barrier"#,
            id: 7, line: 14, pid: 20408, start: 1_795_205_811_531_400, finish: 1_795_205_811_541_600,
            out: (14, Array("after barrier\n".utf8)), command: Array("echo after barrier".utf8)),
        GoldenRow(
            text: "    →8→15→0→vm→20411→0→1.006→1795205811.536→1795205812.542→0→''→0→''→",
            id: 8, line: 15, repeatIndex: 0, pid: 20411, start: 1_795_205_811_536_000, finish: 1_795_205_812_542_000,
            command: []),
        GoldenRow(
            text: #" O  →11→17→-1→vm→21790→0→0.012→1795205812.552→1795205812.564→11→'tab\tinside\n'→0→''→"#
                + #"echo "tab→inside""#,
            id: 11, line: 17, pid: 21790, start: 1_795_205_812_552_000, finish: 1_795_205_812_564_000,
            out: (11, Array("tab\tinside\n".utf8)), command: Array("echo \"tab\tinside\"".utf8)),
        GoldenRow(
            text: #" O  →13→19→-1→vm→21801→0→1.008→1795205812.567→1795205813.575→12→"#
                + #"'a\nb\tc\\d\x01\#u{FFFD}é\n'→0→''→printf 'a\nb\tc\\d\x01\xff\xc3\xa9\n'"#,
            id: 13, line: 19, pid: 21801, start: 1_795_205_812_567_000, finish: 1_795_205_813_575_000,
            out: (12, bytes(hex: "610a6209635c6401ffc3a90a")),
            command: Array(#"printf 'a\nb\tc\\d\x01\xff\xc3\xa9\n'"#.utf8)),
        GoldenRow(
            text: #"  E →19→25→-1→vm→27412→0→1.008→1795205815.603→1795205816.611→0→''→292→"#
                + #"'1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n1..."#
                + #"88\n89\n90\n91\n92\n93\n94\n95\n96\n97\n98\n99\n100\n'→seq 1 100 >&2"#,
            id: 19, line: 25, pid: 27412, start: 1_795_205_815_603_000, finish: 1_795_205_816_611_000,
            err: (292, sequence), command: Array("seq 1 100 >&2".utf8)),
        GoldenRow(
            text: "R  P→1→4→-1→vm→13771→4→1.006→1795205825.740→1795205826.747→0→''→0→''→( exit 4 ) ",
            kind: .perEngine, id: 1, line: 4, pid: 13771, code: 4, start: 1_795_205_825_740_400,
            finish: 1_795_205_826_746_800, command: Array("( exit 4 ) ".utf8)),
        GoldenRow(
            text: #"    →1→2→-1→vm→9863→0→0.003→1795213397.942→1795213397.946→0→''→0→''→"#
                + #"b'echo \xff\xfe "it\'s" \\ \t x >/dev/null'"#,
            id: 1, line: 2, pid: 9863, start: 1_795_213_397_942_400, finish: 1_795_213_397_945_800,
            command: Array("echo ".utf8) + [0xFF, 0xFE] + Array(" \"it's\" \\ \t x >/dev/null".utf8)),
        GoldenRow(
            text: #"R E →4→5→-1→vm→9875→3→0.004→1795213398.953→1795213398.956→0→''→3→'"\'\n'→"#
                + #"echo "\"'" >&2; exit 3"#,
            id: 4, line: 5, pid: 9875, code: 3, start: 1_795_213_398_952_500, finish: 1_795_213_398_956_400,
            err: (3, Array("\"'\n".utf8)), command: Array(#"echo "\"'" >&2; exit 3"#.utf8)),
    ]
}

struct StatusRowTests {
    @Test(arguments: GoldenRow.table)
    func writesRowsAsDisBatch(_ golden: GoldenRow) {
        var rows: [UInt8] = []
        StatusRow.append(golden.task, to: &rows)
        #expect(shown(rows) == golden.text + "\n")
    }

    @Test(arguments: [
        (false, "B    →6→13→-1→vm→19838→0→1.006→1795205810.524→1795205811.530→0→''→0→''→#DISBATCH BARRIER\n"),
        (true, "C    →6→13→-1→vm→19838→0→1.006→1795205810.524→1795205811.530→0→''→0→''→#DISBATCH BARRIER\n"),
    ])
    func writesBarriersAsDisBatch(_ checks: Bool, _ expected: String) {
        var rows: [UInt8] = []
        let line = Array("#DISBATCH BARRIER".utf8)
        StatusRow.append(
            Barrier(id: TaskID(6), streamIndex: 13, checks: checks, key: nil, line: line), node: "vm", pid: 19838,
            start: Timestamp(microseconds: 1_795_205_810_524_000),
            finish: Timestamp(microseconds: 1_795_205_811_530_000), to: &rows)
        #expect(shown(rows) == expected)
    }

    @Test func writesTheHeaderAsDisBatch() {
        #expect(
            shown(StatusRow.header)
                == "ROE[ PSZ]→TaskID→LineNum→RepeatIndex→Node→PID→ReturnCode→Elapsed→Start→Finish→"
                + "BytesOfLeakedOutput→OutputSnippet→BytesOfLeakedError→ErrorSnippet→Command\n")
    }

    @Test(
        arguments: [
            (0, 0, "0.000→0.000→0.000"), (0, 499, "0.000→0.000→0.000"), (0, 500, "0.001→0.000→0.001"),
            (999_499, 999_500, "0.000→0.999→1.000"), (5_000_000, 3_000_000, "0.000→5.000→3.000"),
            (-1_500, -400, "0.001→-0.002→0.000"), (.min, .max, "0.000→-9223372036854.776→9223372036854.776"),
        ] as [(Int64, Int64, String)])
    func roundsTimes(_ start: Int64, _ finish: Int64, _ expected: String) {
        var task = GoldenRow.table[0].task
        task.outcome.start = Timestamp(microseconds: start)
        task.outcome.finish = Timestamp(microseconds: finish)
        var rows: [UInt8] = []
        StatusRow.append(task, to: &rows)
        let columns = shown(rows).split(separator: "→", omittingEmptySubsequences: false)
        #expect(columns[7...9].joined(separator: "→") == expected)
    }

    @Test func writesExtremeNumbers() {
        var task = GoldenRow.table[0].task
        task.kind = .givenUp
        task.spec.id = TaskID(.max)
        task.spec.repeatIndex = .min
        task.outcome.pid = -1
        task.outcome.returnCode = TaskOutcome.lostReturnCode
        task.outcome.out.count = .max
        var rows: [UInt8] = []
        StatusRow.append(task, to: &rows)
        let columns = shown(rows).split(separator: "→", omittingEmptySubsequences: false)
        #expect(columns[0] == "RO Z")
        #expect(columns[1] == "9223372036854775807")
        #expect(columns[3] == "-9223372036854775808")
        #expect(columns[5...6] == ["-1", "-100"])
        #expect(columns[10] == "18446744073709551615")
    }

    @Test func keepsACommandWithALineFeedOnOneLine() {
        var task = GoldenRow.table[0].task
        task.spec.command = Array("a\nb".utf8)
        var rows: [UInt8] = []
        StatusRow.append(task, to: &rows)
        #expect(shown(rows).hasSuffix(#"→b'a\nb'"# + "\n"))
    }

    @Test(arguments: ["    ", "R   ", "R  S"])
    func marksAnOldRowAsSkipped(_ flags: String) throws {
        var rows = Array("before\n".utf8)
        let old = row("\(flags)→3→4→-1→vm→77→9→10.0486528873→1.5→2.5→0→\"\"→0→\"\"→'a→b'")
        try withView(old) { StatusRow.append(skipping: $0, to: &rows) }
        let expected = "\(flags.dropLast())S→3→4→-1→vm→77→9→10.0486528873→1.5→2.5→0→\"\"→0→\"\"→'a→b'"
        #expect(shown(rows) == "before\n\(expected)\n")
    }
}
