import DisbatchCore
import RunClient

/// The lines of the monitor's screen.
extension MonitorModel {
    /// The screen's lines, from the top; as many as it has.
    mutating func screen(rows: Int, columns: Int) -> [ScreenLine] {
        var lines = head(columns)
        let foot = footLines()
        let room = max(1, rows - lines.count - foot.count)
        lines += body(room, columns)
        while lines.count < rows - foot.count { lines.append(ScreenLine()) }
        return (lines.prefix(max(0, rows - foot.count)) + foot).prefix(rows).map { $0.prefix(columns) }
    }

    // MARK: Above

    private func head(_ columns: Int) -> [ScreenLine] {
        let snapshot = state.snapshot
        let phase = ScreenSpan(state.phaseText, isOver ? (state.exitStatus == 0 ? .good : .bad) : .strong)
        var lines = [
            ScreenLine([
                ScreenSpan("disbatch ", .strong), ScreenSpan(state.name + "  "), phase,
                ScreenSpan("  \(Quantity.time(state.elapsed))", .faint),
            ])
        ]
        if let total = snapshot.totalTasks { lines.append(bar(snapshot, total, columns)) }
        var counts = [ScreenSpan("tasks: "), ScreenSpan("\(snapshot.done) done", .strong)]
        if snapshot.failed > 0 { counts.append(ScreenSpan(", \(snapshot.failed) failed", .bad)) }
        counts.append(ScreenSpan(", \(snapshot.running) running"))
        if let waiting = snapshot.waiting { counts.append(ScreenSpan(", \(waiting) waiting")) }
        if snapshot.totals.retried > 0 { counts.append(ScreenSpan(", \(snapshot.totals.retried) retried")) }
        if snapshot.totals.skipped > 0 { counts.append(ScreenSpan(", \(snapshot.totals.skipped) by earlier runs")) }
        lines.append(ScreenLine(counts))
        lines.append(ScreenLine(speed(snapshot)))
        lines.append(ScreenLine())
        return lines
    }

    private func bar(_ snapshot: RunSnapshot, _ total: Int, _ columns: Int) -> ScreenLine {
        let share = total == 0 ? 1 : Double(snapshot.done) / Double(total)
        let width = max(10, min(columns - 8, 72))
        let full = Int((share * Double(width)).rounded(.down))
        let failed = total == 0 ? 0 : Int((Double(snapshot.failed) / Double(total) * Double(width)).rounded(.up))
        let percent = "\(Int(share * 100))"
        return ScreenLine([
            ScreenSpan(String(repeating: "#", count: max(0, full - min(failed, full))), .good),
            ScreenSpan(String(repeating: "!", count: min(failed, full)), .bad),
            ScreenSpan(String(repeating: ".", count: width - full), .faint),
            ScreenSpan(String(repeating: " ", count: 5 - percent.count) + "\(percent) %", .strong),
        ])
    }

    private func speed(_ snapshot: RunSnapshot) -> [ScreenSpan] {
        let slots = state.engines.reduce(0) { $0 + ($1.state == .active ? $1.slots : 0) }
        var spans = [ScreenSpan("engines: \(state.liveEngines) with \(slots) slots")]
        if snapshot.totals.enginesLost > 0 {
            spans.append(ScreenSpan(", \(snapshot.totals.enginesLost) lost", .warning))
        }
        if !isOver, snapshot.rate > 0 { spans.append(ScreenSpan("   rate: \(Quantity.rate(snapshot.rate))")) }
        if !isOver, let left = snapshot.secondsLeft { spans.append(ScreenSpan("   left: \(Quantity.time(left))")) }
        return spans
    }

    // MARK: Below

    private mutating func footLines() -> [ScreenLine] {
        if let question { return [ScreenLine("\(question.text) (y/n)", .warning)] }
        if let typing { return [ScreenLine("show only what has: \(typing)_", .strong)] }
        if !message.isEmpty { return [ScreenLine(message, .warning)] }
        if isOver { return [ScreenLine("the run is over; q quits", .strong)] }
        return [
            ScreenLine("q quit  ? help  Tab view  s sort  / filter  E stop engine  C stop context  D drain", .faint)
        ]
    }

    // MARK: Between

    private mutating func body(_ room: Int, _ columns: Int) -> [ScreenLine] {
        switch view {
        case .help: return Self.help
        case .engines: return table(engineTable, room)
        case .running: return table(taskTable, room)
        case .failures: return table(failureTable, room)
        }
    }

    /// A table's title, its head, and the rows that there is room for, with the selected one among them.
    private mutating func table(_ table: Table, _ room: Int) -> [ScreenLine] {
        page = max(1, room - 2)
        selected = max(0, min(selected, table.rows - 1))
        first = max(0, min(first, table.rows - page))
        if selected < first { first = selected }
        if selected >= first + page { first = selected - page + 1 }
        let shown = first..<min(table.rows, first + page)
        let cells = [table.head] + shown.map(table.row)
        let texts = Columns.aligned(cells, rightAligned: table.rightAligned)
        var title = table.title
        if !filter.isEmpty { title += ", with \"\(filter)\"" }
        if table.rows > page { title += "  (\(first + 1)-\(shown.upperBound) of \(table.rows))" }
        var lines = [ScreenLine(title, .strong), ScreenLine(texts[0], .faint)]
        for (place, text) in zip(shown, texts.dropFirst()) {
            lines.append(ScreenLine(text, place == selected ? .selected : table.style(place)))
        }
        return lines
    }

    /// Rows are made only when they are shown.
    private struct Table {
        var title: String
        var head: [String]
        var rightAligned: Set<Int>
        var rows: Int
        var row: (Int) -> [String]
        var style: (Int) -> ScreenSpan.Style
    }

    private var engineTable: Table {
        let engines = shownEngines
        let state = state
        return Table(
            title: "Engines" + (order == .rank ? "" : ", by \(order.rawValue)"),
            head: [
                "rank", "context", "node", "state", "slots", "running", "assigned", "done", "failed", "CPU", "heard",
            ],
            rightAligned: [0, 4, 5, 6, 7, 8, 9, 10], rows: engines.count,
            row: { place in
                let engine = engines[place]
                return [
                    "\(engine.id.rawValue)", engine.label, engine.node, engine.state.text, "\(engine.slots)",
                    "\(engine.running)", "\(engine.assigned)", "\(engine.finished)", "\(engine.failed)",
                    StatusText.cpu(engine), StatusText.heard(engine, state),
                ]
            },
            style: { place in
                switch engines[place].state {
                case .lost: .bad
                case .starting, .leaving: .warning
                case .gone: .faint
                case .active: engines[place].failed > 0 ? .warning : .plain
                }
            })
    }

    private var taskTable: Table {
        let tasks = shownTasks
        return Table(
            title: "Running tasks" + (onlyEngine.map { " of engine \($0.rawValue)" } ?? ""),
            head: ["task", "line", "attempt", "engine", "node", "for", "command"],
            rightAligned: [0, 1, 2, 3, 5], rows: tasks.count,
            row: { place in
                let task = tasks[place]
                return [
                    "\(task.task.rawValue)", "\(task.line)", "\(task.attempt)", "\(task.engine.rawValue)", task.node,
                    Quantity.time(task.seconds), Displayable.words(task.command),
                ]
            },
            style: { _ in .plain })
    }

    private var failureTable: Table {
        let failures = shownFailures
        return Table(
            title: "Latest failures", head: ["task", "line", "node", "code", "took", "stderr", "command"],
            rightAligned: [0, 1, 3, 4], rows: failures.count,
            row: { place in
                let failure = failures[place]
                return [
                    "\(failure.task.rawValue)", "\(failure.line)", failure.node, "\(failure.returnCode)",
                    Quantity.time(failure.elapsed), String(Displayable.words(failure.error).suffix(50)),
                    Displayable.words(failure.command),
                ]
            },
            style: { _ in .bad })
    }

    private static let help = [
        ScreenLine("Keys", .strong),
        ScreenLine("  q            quit; the run goes on"),
        ScreenLine("  Tab          next view: engines, running tasks, failures (e, r, f choose one)"),
        ScreenLine("  up, down     move, also u and d; Page Up and Page Down, Home and End"),
        ScreenLine("  Enter        running tasks of the selected engine"),
        ScreenLine("  s            sort engines by rank, node, running, done or failed"),
        ScreenLine("  /            show only rows that have a text; empty for all"),
        ScreenLine("  K            end the selected running task, for good"),
        ScreenLine("  E            stop the selected engine after its running tasks"),
        ScreenLine("  C            stop the selected engine's context after its running tasks"),
        ScreenLine("  D            start no new task; the run ends when the running ones have"),
        ScreenLine("  ? or h       this help"),
    ]
}
