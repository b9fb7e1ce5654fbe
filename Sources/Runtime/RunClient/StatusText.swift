package import DisbatchCore

/// What `dbutil --status` and `--watch` print.
package enum StatusText {
    /// How far the run is, in one line.
    package static func line(_ state: RunState) -> String {
        let snapshot = state.snapshot
        var parts: [String] = []
        if let total = snapshot.totalTasks {
            let share = total == 0 ? 100 : snapshot.done * 100 / total
            parts.append("\(snapshot.done) of \(total) tasks done (\(share) %)")
        } else {
            parts.append("\(snapshot.done) tasks done")
        }
        if snapshot.failed > 0 { parts.append("\(snapshot.failed) failed") }
        if state.exitStatus == nil {
            parts.append("\(snapshot.running) running")
            if let waiting = snapshot.waiting { parts.append("\(waiting) waiting") }
            if snapshot.rate > 0 { parts.append(Quantity.rate(snapshot.rate)) }
            if let left = snapshot.secondsLeft { parts.append("\(Quantity.time(left)) left") }
        }
        return parts.joined(separator: ", ")
    }

    /// The whole of it, for people.
    package static func whole(_ state: RunState, _ file: RunFileText) -> String {
        var lines = [
            "\(state.name): \(state.phaseText), for \(Quantity.time(state.elapsed)), on \(file.host) "
                + "(process \(file.pid))"
        ]
        lines.append("  \(line(state))")
        if !state.engines.isEmpty { lines += engines(state).map { "  \($0)" } }
        for failure in state.failures.suffix(5) { lines.append("  \(self.failure(failure))") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A failure in one line.
    package static func failure(_ failure: FailureSnapshot) -> String {
        let error = Displayable.words(failure.error)
        return "task \(failure.task.rawValue) (line \(failure.line)) on \(failure.node): return code "
            + "\(failure.returnCode) after \(Quantity.time(failure.elapsed))" + (error.isEmpty ? "" : ": \(error)")
    }

    private static func engines(_ state: RunState) -> [String] {
        let head = ["engine", "context", "node", "state", "slots", "running", "done", "failed", "CPU", "heard"]
        let rows = state.engines.map { engine in
            [
                "\(engine.id.rawValue)", engine.label, engine.node, engine.state.text, "\(engine.slots)",
                "\(engine.running)", "\(engine.finished)", "\(engine.failed)", cpu(engine), heard(engine, state),
            ]
        }
        return Columns.aligned([head] + rows, rightAligned: [0, 4, 5, 6, 7, 8, 9])
    }

    /// How much of its slots' cores an engine's tasks used of late, in percent.
    package static func cpu(_ engine: EngineSnapshot) -> String {
        cpuPercent(engine).map { "\(Int($0.rounded())) %" } ?? "-"
    }

    private static func cpuPercent(_ engine: EngineSnapshot) -> Double? {
        guard engine.state == .active || engine.state == .leaving, let share = engine.cpuShare else { return nil }
        return min(share * 100, 1e6)
    }

    /// How long ago something was heard of an engine.
    package static func heard(_ engine: EngineSnapshot, _ state: RunState) -> String {
        guard engine.state != .gone, engine.heard.microseconds > 0 else { return "-" }
        let ago = Double(state.snapshot.time.microseconds - engine.heard.microseconds) / 1e6
        return "\(Quantity.time(max(0, ago))) ago"
    }

    /// The whole of it, for programs: see dbutil-json(5).
    package static func json(_ state: RunState, _ file: RunFileText) -> String {
        let snapshot = state.snapshot
        let totals = snapshot.totals
        // Of a run that has ended nobody tells more than that.
        let isKnown = snapshot.start.microseconds != 0
        var members = [
            ("format", "1"), ("name", JSON.text(state.name)), ("phase", JSON.text(phase(state))),
            ("host", JSON.text(file.host)), ("pid", "\(file.pid)"), ("version", JSON.text(file.version)),
            ("start", JSON.seconds(file.start)), ("time", isKnown ? JSON.seconds(snapshot.time) : "null"),
        ]
        let tasks = [
            ("total", snapshot.totalTasks.map { "\($0)" } ?? "null"), ("done", "\(snapshot.done)"),
            ("failed", "\(snapshot.failed)"), ("running", "\(snapshot.running)"),
            ("waiting", snapshot.waiting.map { "\($0)" } ?? "null"), ("skipped", "\(totals.skipped)"),
            ("lost", "\(totals.lost)"), ("retried", "\(totals.retried)"),
        ]
        members.append(("tasks", isKnown ? JSON.object(tasks) : "null"))
        members.append(("rate", isKnown ? JSON.number(snapshot.rate) : "null"))
        members.append(("seconds_left", snapshot.secondsLeft.map(JSON.number) ?? "null"))
        members.append(("engines", "[" + state.engines.map(engine).joined(separator: ", ") + "]"))
        members.append(("failures", "[" + state.failures.map(failureObject).joined(separator: ", ") + "]"))
        members.append(("exit_status", state.exitStatus.map { "\($0)" } ?? "null"))
        return JSON.object(members) + "\n"
    }

    private static func phase(_ state: RunState) -> String {
        if state.exitStatus != nil { return "ended" }
        return switch state.snapshot.phase {
        case .running: "running"
        case .draining: "draining"
        case .stopping: "stopping"
        case .closing: "closing"
        }
    }

    private static func engine(_ engine: EngineSnapshot) -> String {
        JSON.object([
            ("rank", "\(engine.id.rawValue)"), ("context", JSON.text(engine.label)), ("node", JSON.text(engine.node)),
            ("state", JSON.text(engine.state.text)), ("slots", "\(engine.slots)"), ("running", "\(engine.running)"),
            ("assigned", "\(engine.assigned)"), ("done", "\(engine.finished)"), ("failed", "\(engine.failed)"),
            ("cpu_percent", cpuPercent(engine).map(JSON.number) ?? "null"),
            ("heard", engine.heard.microseconds > 0 ? JSON.seconds(engine.heard) : "null"),
        ])
    }

    private static func failureObject(_ failure: FailureSnapshot) -> String {
        JSON.object([
            ("task", "\(failure.task.rawValue)"), ("line", "\(failure.line)"), ("node", JSON.text(failure.node)),
            ("return_code", "\(failure.returnCode)"), ("finish", JSON.seconds(failure.finish)),
            ("elapsed", JSON.number(failure.elapsed)), ("error", JSON.text(Displayable.words(failure.error))),
            ("command", JSON.text(Displayable.words(failure.command))),
        ])
    }
}
