import DisbatchCore

/// Status files: cut anywhere their lines are the same, a row that is written is read as it was, and whatever a line
/// holds, it is a row or an error.
enum StatusFileFuzz {
    static func run(_ input: inout FuzzInput) {
        let mode = input.byte()
        if mode & 1 == 0 { readFile(&input) } else { writeRow(&input) }
    }

    // MARK: Reading

    private struct Line: Equatable {
        var number: Int
        var offset: UInt64
        var bytes: [UInt8]
    }

    private static func readFile(_ input: inout FuzzInput) {
        var cutter = FuzzPieces(seed: input.byte())
        let bytes = input.rest()
        let (whole, torn) = lines { scan in bytes.withUnsafeBytes { scan($0) } }
        let (pieces, tornToo) = lines { scan in
            cutter.cut(bytes) { piece in
                // In memory of its own: a read beyond its end shows.
                Array(piece).withUnsafeBytes { scan($0) }
            }
        }
        expectEqual(whole, pieces, "lines at once and in pieces")
        expectEqual(torn, tornToo, "the torn line")
        expectEqual(whole.flatMap { $0.bytes + [UInt8(ascii: "\n")] } + bytes.suffix(torn), bytes, "all of the file")
        var builder = ResumeIndex.Builder()
        var known: Set<TaskID> = []
        for line in whole { look(at: line, &builder, &known) }
        check(builder.build(), known)
    }

    private static func lines(_ body: ((UnsafeRawBufferPointer) -> Void) -> Void) -> ([Line], Int) {
        var scanner = StatusFileScanner()
        var lines: [Line] = []
        body { block in
            scanner.scan(block) { line in
                lines.append(Line(number: line.number, offset: line.offset, bytes: Array(line.bytes)))
            }
        }
        expectEqual(scanner.lineCount, lines.count, "the number of lines")
        return (lines, scanner.tornLength)
    }

    private static func look(at line: Line, _ builder: inout ResumeIndex.Builder, _ known: inout Set<TaskID>) {
        line.bytes.withUnsafeBytes { bytes in
            if StatusRowView.isHeader(bytes) { return }
            do throws(StatusRowError) {
                let row = try StatusRowView(bytes)
                builder.add(row, file: 0, offset: line.offset)
                if row.kind == .ended(.task) || row.kind == .ended(.skipped) { known.insert(row.id) }
                checkSkipped(row)
                let task = TaskSpec(
                    id: row.id, streamIndex: row.streamIndex, repeatIndex: row.repeatIndex,
                    command: Array(row.text(row.command)))
                expect(row.isRow(of: task), "a row is its task's")
                let mismatch = ResumeMismatch(file: "f", rowNumber: line.number, row: row, task: task)
                expect(!mismatch.description.isEmpty, "a text")
                for column in [row.outSnippet, row.errSnippet] { _ = PythonLiteral.decode(row.text(column)) }
            } catch {
                expect(!error.description.contains(where: \.isNewline), "an error on one line: \(error)")
            }
        }
    }

    /// Written again as skipped, it is the same but for that.
    private static func checkSkipped(_ row: StatusRowView) {
        guard case .ended = row.kind else { return }
        var rows: [UInt8] = []
        StatusRow.append(skipping: row, to: &rows)
        expectEqual(rows.last, UInt8(ascii: "\n"), "the end of a row")
        rows.dropLast().withUnsafeBytes { bytes in
            do throws(StatusRowError) {
                let again = try StatusRowView(bytes)
                expectEqual(again.kind, .ended(.skipped), "kind")
                expectEqual(again.id, row.id, "id")
                expectEqual(again.finish, row.finish, "finish")
                expectEqual(Array(again.text(again.command)), Array(row.text(row.command)), "command")
            } catch {
                expect(false, "a skipped row is a row: \(error)")
            }
        }
    }

    private static func check(_ index: ResumeIndex, _ known: Set<TaskID>) {
        expectEqual(index.entries.map(\.id), known.sorted(), "the tasks of an index")
        var cursor = ResumeIndex.Cursor(index)
        for id in index.entries.map(\.id) {
            expectEqual(index.entry(for: id), cursor.entry(for: id), "an entry by both ways")
            expect(index.entry(for: id)?.id == id, "the entry of task \(id.rawValue)")
        }
    }

    // MARK: Writing

    private static func writeRow(_ input: inout FuzzInput) {
        let kinds: [RowKind] = [.task, .perEngine, .skipped, .givenUp]
        let kind = kinds[Int(input.byte() & 3)]
        let node = input.text().filter { $0 != "\t" && !$0.isNewline }
        let start = Timestamp(microseconds: input.integer(Int64.self) >> 8)
        let finish = Timestamp(microseconds: input.integer(Int64.self) >> 8)
        let outcome = TaskOutcome(
            pid: input.integer(), returnCode: input.integer(), start: start, finish: finish, out: summary(&input),
            err: summary(&input))
        let id = TaskID(input.integer(Int.self) & Int.max)
        let (line, index) = (input.integer(Int.self), input.integer(Int.self))
        let spec = TaskSpec(id: id, streamIndex: line, repeatIndex: index, command: input.rest())
        let task = RecordedTask(
            kind: kind, spec: spec, attempt: 1, engine: EngineID(0), node: node, cylinder: 0, outcome: outcome)
        var row: [UInt8] = []
        StatusRow.append(task, to: &row)
        expectEqual(row.firstIndex(of: UInt8(ascii: "\n")), row.count - 1, "one line")
        expect(String(validating: row, as: UTF8.self) != nil, "UTF-8")
        row.dropLast().withUnsafeBytes { bytes in
            do throws(StatusRowError) { check(try StatusRowView(bytes), task) } catch {
                expect(false, "a row that was written is read: \(error)")
            }
        }
    }

    private static func summary(_ input: inout FuzzInput) -> OutputSummary {
        let edges = input.bytes(Int(input.byte()) % 81)
        return OutputSummary(
            count: UInt64(edges.count) + (edges.count == 80 ? input.integer(UInt64.self) >> 1 : 0), edges: edges)
    }

    private static func check(_ row: StatusRowView, _ task: RecordedTask) {
        expectEqual(row.kind, .ended(task.kind), "kind")
        expectEqual(row.id, task.spec.id, "id")
        expectEqual(row.pid, task.outcome.pid, "pid")
        expectEqual(row.returnCode, task.outcome.returnCode, "return code")
        expectEqual(Array(row.text(row.node)), Array(task.node.utf8), "node")
        expectEqual(row.outCount, task.outcome.out.count, "bytes of output")
        expectEqual(row.errCount, task.outcome.err.count, "bytes of error")
        for (read, written) in [(row.start, task.outcome.start), (row.finish, task.outcome.finish)] {
            expect(abs(read.microseconds - written.microseconds) <= 500, "times to the millisecond")
        }
        // What begins as a literal may be taken for one, as by disBatch.
        if task.spec.command.first != UInt8(ascii: "b") { expect(row.isRow(of: task.spec), "the task's row") }
        for (column, output) in [(row.outSnippet, task.outcome.out), (row.errSnippet, task.outcome.err)] {
            let snippet = PythonLiteral.decode(row.text(column))
            expect(snippet != nil, "a snippet is a literal")
            if output.edges.count <= OutputSummary.edgeLength, String(validating: output.edges, as: UTF8.self) != nil {
                expectEqual(snippet, output.edges, "a snippet that is all")
            }
        }
    }
}
