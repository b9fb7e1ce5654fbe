internal import DisbatchCore

/// Charts of the page, as inline SVG; their texts are escaped already.
enum PageChart {
    private static let width = 720.0

    /// Slots that there were and that were busy, over time.
    static func area(_ use: SlotUse, from: String, to: String) -> String {
        let height = 160.0
        let most = max(use.mostBusy, use.mostAvailable, 1)
        let busy = steps(use.busy, most: most, height: height)
        let free = use.knowsSlots ? outline(use.available, most: most, height: height) : ""
        let top = NumberText.fixed(most, decimals: 0)
        return """
            <svg viewBox="0 -26 720 212" role="img" aria-label="Busy slots over time, at most \(top)">
            <path d="\(busy)" style="fill:var(--busy)"/>
            \(free)
            <line x1="0" y1="160" x2="720" y2="160" style="stroke:var(--line)"/>
            <text x="0" y="-8">\(top) slots</text>
            <text x="0" y="180">\(from)</text>
            <text x="720" y="180" text-anchor="end">\(to)</text>
            </svg>
            """
    }

    private static func steps(_ values: [Double], most: Double, height: Double) -> String {
        "M0 \(number(height))" + points(values, most: most, height: height) + "L\(number(width)) \(number(height))Z"
    }

    private static func outline(_ values: [Double], most: Double, height: Double) -> String {
        let path = "M" + points(values, most: most, height: height).dropFirst()
        return "<path d=\"\(path)\" style=\"fill:none;stroke:var(--faint);stroke-dasharray:4 3\"/>"
    }

    private static func points(_ values: [Double], most: Double, height: Double) -> String {
        let step = width / Double(values.count)
        return values.enumerated().map { index, value in
            let level = number(height - value / most * (height - 4))
            return "L\(number(Double(index) * step)) \(level)L\(number(Double(index + 1) * step)) \(level)"
        }.joined()
    }

    /// How many tasks took how long.
    static func histogram(_ histogram: Histogram) -> String {
        guard let most = histogram.counts.max(), most > 0 else { return "" }
        let step = width / Double(histogram.counts.count)
        let bars = histogram.counts.enumerated().map { index, count in
            let height = count == 0 ? 0 : max(1, Double(count) / Double(most) * 110)
            let label = "\(count) from \(NumberText.duration(histogram.lowerEnd(index)))"
            return """
                <rect x="\(number(Double(index) * step + 1))" y="\(number(130 - height))" \
                width="\(number(max(1, step - 2)))" height="\(number(height))" style="fill:var(--busy)">\
                <title>\(label)</title></rect>
                """
        }
        let marks = histogram.counts.indices.filter { $0 % max(1, (histogram.counts.count + 7) / 8) == 0 }.map {
            index in
            let x = number(Double(index) * step)
            return "<text x=\"\(x)\" y=\"148\">\(NumberText.duration(histogram.lowerEnd(index)))</text>"
        }
        return """
            <svg viewBox="0 -8 720 164" role="img" aria-label="How many tasks took how long">
            <text x="0" y="12">at most \(NumberText.count(most, "task"))</text>
            \((bars + marks).joined(separator: "\n"))
            <line x1="0" y1="130" x2="720" y2="130" style="stroke:var(--line)"/>
            </svg>
            """
    }

    /// For each node, its tasks and those that failed.
    static func nodes(_ nodes: ArraySlice<NodeFigures>) -> String {
        let most = nodes.map(\.tasks).max() ?? 1
        let rows = nodes.enumerated().map { index, node in
            let top = Double(index) * 26
            let all = Double(node.tasks) / Double(max(1, most)) * 480
            let failed = node.tasks > 0 ? all * Double(node.failed) / Double(node.tasks) : 0
            let name = node.node.isEmpty ? "(unknown)" : short(Displayable.line(node.node))
            return """
                <text x="0" y="\(number(top + 18))">\(SafeText.html(name))</text>
                <rect x="180" y="\(number(top + 3))" width="\(number(all))" height="20" style="fill:var(--busy)"/>
                <rect x="180" y="\(number(top + 3))" width="\(number(failed))" height="20" style="fill:var(--bad)"/>
                <text x="\(number(186 + all))" y="\(number(top + 18))">\(node.failed) of \(node.tasks)</text>
                """
        }
        return """
            <svg viewBox="0 0 720 \(nodes.count * 26 + 4)" role="img" aria-label="Failed tasks of each node">
            \(rows.joined(separator: "\n"))
            </svg>
            """
    }

    /// A name cut to the room beside the bars, on a phone too.
    private static func short(_ name: String) -> String { name.count > 14 ? name.prefix(12) + "..." : name }

    private static func number(_ value: Double) -> String { NumberText.fixed(value, decimals: 1) }
}
