internal import DisbatchCore

/// The post-mortem as one page that needs nothing else: no other file, no script.
package struct ReportPage {
    private let report: RunReport
    private let time: (Double) -> String
    private static let shownGroups = 100
    private static let shownNodes = 200

    /// - Parameter time: an instant, in seconds since 1970, for people.
    package init(_ report: RunReport, time: @escaping (Double) -> String) {
        self.report = report
        self.time = time
    }

    /// The whole page.
    package var text: String {
        let name = shown(report.facts.name)
        let sections = [summary, slots, failures, nodes, times, stragglers, retry].filter { !$0.isEmpty }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>disbatch: \(name)</title>
            <style>
            \(Self.style)
            </style>
            </head>
            <body>
            <main>
            <h1>\(name)</h1>
            <p>\(shown(report.state(time)))</p>
            \(sections.joined(separator: "\n"))
            <footer>Written by dbutil, \(shown(time(report.now)))</footer>
            </main>
            </body>
            </html>

            """
    }

    private func shown(_ text: String) -> String { SafeText.html(Displayable.line(text)) }

    private func shown(_ bytes: [UInt8]) -> String { SafeText.html(Displayable.line(bytes)) }

    private func section(_ title: String, _ body: String) -> String {
        "<section>\n<h2>\(title)</h2>\n\(body)\n</section>"
    }

    // MARK: Parts

    private var summary: String {
        var cells: [(String, String, String)] = []
        for state in TaskState.allCases {
            guard let count = report.statistics.counts[state] else { continue }
            let kind = state == .failed || state == .lost ? "bad" : state == .done ? "good" : "plain"
            cells.append((kind, String(count), state.rawValue))
        }
        if let used = report.use.usedPart { cells.append(("plain", NumberText.percent(used), "of slots' time used")) }
        if report.figures.cpu.count > 0 {
            cells.append(("plain", NumberText.duration(report.figures.cpu.sum), "of CPU time"))
        }
        let tiles = cells.map { "<div class=\"tile \($0.0)\"><b>\($0.1)</b> \($0.2)</div>" }.joined(separator: "\n")
        var lines = ["<div class=\"tiles\">\n\(tiles)\n</div>"]
        lines += report.notes.map { "<p class=\"note\">\(shown($0))</p>" }
        var facts: [(String, String)] = []
        if let command = report.facts.commandLine { facts.append(("Command", command)) }
        if let directory = report.facts.workingDirectory { facts.append(("Directory", directory)) }
        if let host = report.facts.host { facts.append(("Host", host)) }
        facts.append(("Status file", report.facts.statusPath))
        lines.append("<dl>" + facts.map { "<dt>\($0.0)</dt><dd><code>\(shown($0.1))</code></dd>" }.joined() + "</dl>")
        return lines.joined(separator: "\n")
    }

    private var slots: String {
        guard report.use.mostBusy > 0 else { return "" }
        let chart = PageChart.area(
            report.use, from: shown(time(report.use.start)), to: shown(time(report.use.finish)))
        return section("Slots", "<p>\(shown(report.slotsText))</p>\n\(chart)")
    }

    private var failures: String {
        guard !report.failures.isEmpty else { return "" }
        let count = report.failures.reduce(0) { $0 + $1.count }
        let head = "\(NumberText.count(count, "task")), \(NumberText.count(report.failures.count, "cause"))"
        var body = ["<p>\(head)</p>"]
        body += report.failures.prefix(Self.shownGroups).map(describe)
        let more = report.failures.count - Self.shownGroups
        if more > 0 { body.append("<p>and \(NumberText.count(more, "other cause"))</p>") }
        return section("Failures", body.joined(separator: "\n"))
    }

    private func describe(_ group: FailureGroup) -> String {
        let message = group.message.isEmpty ? "" : "<pre>\(SafeText.html(group.message))</pre>"
        let reason = group.reason.map { "<p class=\"reason\">Likely: \(shown($0))</p>" } ?? ""
        let more = group.count > group.tasks.count ? ", ..." : ""
        return """
            <article>
            <h3><span class="count">\(group.count)</span> \(shown(group.words))</h3>
            \(message)\(reason)
            <p>Tasks \(group.tasks.map(String.init).joined(separator: ", "))\(more)</p>
            <p>Nodes \(SafeText.html(group.nodesText))</p>
            <p>Such as <code>\(shown(group.example))</code></p>
            </article>
            """
    }

    private var nodes: String {
        guard report.nodes.count > 1 else { return "" }
        var body = report.suspects.map { "<p class=\"note\">\(shown($0.text))</p>" }
        body.append(PageChart.nodes(report.nodes.prefix(Self.shownNodes)))
        let rows = report.nodes.prefix(Self.shownNodes).map { StatisticsText.nodeRow($0) }
        body.append(table(["Node", "tasks", "failed", "median", "p95", "max", "CPU", "memory"], Array(rows)))
        let more = report.nodes.count - Self.shownNodes
        if more > 0 { body.append("<p>and \(more) more</p>") }
        return section("Nodes", body.joined(separator: "\n"))
    }

    private var times: String {
        guard report.figures.elapsed.count > 0 else { return "" }
        let rows = StatisticsText.rows(report.figures)
        let figures = table(["", "tasks", "median", "p95", "max", "sum"], rows)
        return section("Times", PageChart.histogram(report.histogram) + "\n" + figures)
    }

    private var stragglers: String {
        guard !report.stragglers.isEmpty else { return "" }
        let head =
            "\(NumberText.count(report.stragglerCount, "task")) took more than "
            + "\(NumberText.duration(report.fence)); half of all took at most "
            + NumberText.duration(report.figures.elapsed.median)
        let rows = report.stragglers.prefix(20).map { row in
            [
                String(row.id), NumberText.duration(report.length(row)) + (row.finish == nil ? " so far" : ""),
                Displayable.line(row.node ?? []), Displayable.line(row.command),
            ]
        }
        return section("Stragglers", "<p>\(head)</p>\n" + table(["Task", "time", "node", "command"], Array(rows)))
    }

    private var retry: String {
        guard report.hasRest, let command = report.retryCommand else { return "" }
        return section("To retry the failures and run what is left", "<pre>\(shown(command))</pre>")
    }

    private func table(_ heading: [String], _ rows: [[String]]) -> String {
        let head = heading.map { "<th>\(SafeText.html($0))</th>" }.joined()
        let body = rows.map { row in "<tr>" + row.map { "<td>\(SafeText.html($0))</td>" }.joined() + "</tr>" }
        return """
            <div class="wide"><table>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body.joined(separator: "\n"))
            </tbody>
            </table></div>
            """
    }

    private static let style = """
        :root { --ground: #fff; --text: #1c2128; --faint: #59636e; --line: #d1d9e0; --block: #f3f5f8;
          --good: #1a7f4b; --bad: #c0313b; --busy: #2f6fd0; }
        @media (prefers-color-scheme: dark) {
          :root { --ground: #12161c; --text: #e4e9ef; --faint: #9aa5b1; --line: #39424d; --block: #1c222a;
            --good: #4cc38a; --bad: #ff7b80; --busy: #6ea8ff; }
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
        h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
        h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
        h3 { font-size: 1rem; margin: 0 0 .3rem; }
        p { margin: .3rem 0; overflow-wrap: anywhere; }
        code, pre { font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
        pre { background: var(--block); padding: .6rem; margin: .3rem 0; border-radius: .3rem; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 1rem 0; }
        dt, footer { color: var(--faint); }
        dd { margin: 0; min-width: 0; }
        .tiles { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; }
        .tile { background: var(--block); border-radius: .3rem; padding: .4rem .8rem; }
        .tile b { display: block; font-size: 1.3rem; }
        .good b { color: var(--good); }
        .bad b, .count { color: var(--bad); }
        .note { border-left: .25rem solid var(--bad); padding-left: .6rem; }
        article { border-left: .25rem solid var(--line); padding-left: .8rem; margin: 1rem 0; }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: .2rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th:first-child, td:first-child { text-align: left; padding-left: 0; }
        svg { width: 100%; height: auto; display: block; overflow: visible; margin: .5rem 0; }
        svg text { fill: var(--faint); font: 12px system-ui, sans-serif; }
        @media (max-width: 40rem) {
          svg text { font-size: 21px; }
          h2 { font-size: 1.1rem; }
          table { font-size: .8rem; }
          th, td { padding: .2rem .35rem; }
        }
        footer { margin-top: 2rem; font-size: .85rem; }
        """
}
