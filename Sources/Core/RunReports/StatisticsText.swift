internal import DisbatchCore

/// Times, CPU and memory of a run as text.
package struct StatisticsText {
    private let report: RunReport

    package init(_ report: RunReport) { self.report = report }

    /// The whole of it.
    package var text: String {
        var lines = ["Tasks: \(report.countsText)"]
        if report.statistics.failed > 0 { lines[0] += "; \(report.statistics.failed) failed in all" }
        lines += report.notes.map { "note: \($0)" } + [""]
        lines += Self.aligned([["", "tasks", "median", "p95", "max", "sum"]] + Self.rows(report.figures))
        if report.nodes.count > 1 || report.nodes.first?.node.isEmpty == false {
            lines += [""] + Self.nodeTable(report.nodes)
        }
        if report.use.mostBusy > 0 { lines += ["", "Slots: \(report.slotsText)"] }
        return lines.joined(separator: "\n") + "\n"
    }

    static func rows(_ figures: TaskFigures) -> [[String]] {
        [
            row("elapsed", figures.elapsed, NumberText.duration), row("CPU", figures.cpu, NumberText.duration),
            // A sum of peaks means nothing.
            Array(row("memory", figures.memory) { NumberText.bytes(Int($0)) }.dropLast()) + ["-"],
        ]
    }

    private static func row(_ name: String, _ values: Distribution, _ show: (Double) -> String) -> [String] {
        guard values.count > 0 else { return [name, "0", "-", "-", "-", "-"] }
        let numbers = [values.median, values.percentile95, values.maximum, values.sum]
        return [name, String(values.count)] + numbers.map(show)
    }

    /// A line for each node, with a heading.
    static func nodeTable(_ nodes: [NodeFigures]) -> [String] {
        let heading = ["node", "tasks", "failed", "median", "p95", "max", "CPU sum", "memory max"]
        return aligned([heading] + nodes.map(nodeRow))
    }

    static func nodeRow(_ node: NodeFigures) -> [String] {
        let (elapsed, cpu, memory) = (node.figures.elapsed, node.figures.cpu, node.figures.memory)
        return [
            node.node.isEmpty ? "(unknown)" : Displayable.line(node.node), String(node.tasks), String(node.failed),
            NumberText.duration(elapsed.median), NumberText.duration(elapsed.percentile95),
            NumberText.duration(elapsed.maximum), cpu.count > 0 ? NumberText.duration(cpu.sum) : "-",
            memory.count > 0 ? NumberText.bytes(Int(memory.maximum)) : "-",
        ]
    }

    /// The rows with their columns below each other, all but the first to the right.
    static func aligned(_ rows: [[String]]) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in
            rows.map { $0[column].unicodeScalars.count }.max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let gap = String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
                return column == 0 ? cell + gap : gap + cell
            }.joined(separator: "  ")
        }
    }

    /// The same for programs, with the parts of a post-mortem.
    package static func json(_ report: RunReport) -> String {
        var json = JSONText()
        json.beginObject()
        json.pair("format", JSONFormat.version)
        json.key("run")
        report.facts.write(to: &json)
        json.key("counts")
        json.beginObject()
        for state in TaskState.allCases { json.pair(state.rawValue, report.statistics.counts[state] ?? 0) }
        json.endObject()
        json.pair("failed", report.statistics.failed)
        json.pair("extra_attempts", report.statistics.extraAttempts)
        write(report.figures, to: &json)
        json.key("nodes")
        json.beginArray()
        for node in report.nodes {
            json.beginObjectOnNewLine()
            json.pair("node", FieldValue(node.node))
            json.pair("tasks", node.tasks)
            json.pair("failed", node.failed)
            write(node.figures, to: &json)
            json.endObject()
        }
        json.endArray()
        json.key("failures")
        json.beginArray()
        for group in report.failures { write(group, to: &json) }
        json.endArray()
        json.pair("slots_used", FieldValue(report.use.usedPart))
        json.pair("retry_command", FieldValue(report.retryCommand.map { Array($0.utf8) }))
        json.endObject()
        json.newLine()
        return json.take()
    }

    private static func write(_ figures: TaskFigures, to json: inout JSONText) {
        for (name, values) in [("elapsed", figures.elapsed), ("cpu", figures.cpu), ("memory", figures.memory)] {
            json.key(name)
            json.beginObject()
            json.pair("count", values.count)
            json.pair("median", values.median)
            json.pair("p95", values.percentile95)
            json.pair("max", values.maximum)
            json.pair("sum", values.sum)
            json.endObject()
        }
    }

    private static func write(_ group: FailureGroup, to json: inout JSONText) {
        json.beginObjectOnNewLine()
        json.pair("return_code", group.returnCode)
        json.pair("ending", FieldValue(group.ending))
        json.pair("message", group.message)
        json.pair("reason", FieldValue(group.reason.map { Array($0.utf8) }))
        json.pair("count", group.count)
        json.key("first_tasks")
        json.beginArray()
        for task in group.tasks { json.value(task) }
        json.endArray()
        json.key("nodes")
        json.beginObject()
        for item in group.nodesByCount { json.pair(Displayable.line(item.node), item.count) }
        json.endObject()
        json.endObject()
    }
}
