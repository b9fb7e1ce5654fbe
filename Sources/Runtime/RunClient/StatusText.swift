package import DisbatchCore

/// The texts that `dbutil --status` and `--watch` print.
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
        var json: [JSONValue.Member] = [
            .init("format", 1), .init("name", .string(state.name)), .init("phase", .string(phase(state))),
            .init("host", .string(file.host)), .init("pid", JSONValue(file.pid)),
            .init("version", .string(file.version)), .init("start", JSONValue(file.start)),
            .init("time", isKnown ? JSONValue(snapshot.time) : .null),
        ]
        let tasks: JSONValue = [
            "total": JSONValue(snapshot.totalTasks), "done": JSONValue(snapshot.done),
            "failed": JSONValue(snapshot.failed), "running": JSONValue(snapshot.running),
            "waiting": JSONValue(snapshot.waiting), "skipped": JSONValue(totals.skipped),
            "lost": JSONValue(totals.lost), "retried": JSONValue(totals.retried),
        ]
        json += [
            .init("tasks", isKnown ? tasks : .null), .init("rate", JSONValue(rounded: isKnown ? snapshot.rate : nil)),
            .init("seconds_left", JSONValue(rounded: snapshot.secondsLeft)),
            .init("engines", .array(state.engines.map(engine))),
            .init("failures", .array(state.failures.map(failureObject))),
            .init("exit_status", JSONValue(state.exitStatus)),
        ]
        return JSONValue.object(json).text(.spaced) + "\n"
    }

    /// The run's phase, for programs.
    package static func phase(_ state: RunState) -> String {
        if state.exitStatus != nil { return "ended" }
        return switch state.snapshot.phase {
        case .running: "running"
        case .draining: "draining"
        case .stopping: "stopping"
        case .closing: "closing"
        }
    }

    private static func engine(_ engine: EngineSnapshot) -> JSONValue {
        [
            "rank": JSONValue(engine.id.rawValue), "context": .string(engine.label), "node": .string(engine.node),
            "state": .string(engine.state.text), "slots": JSONValue(engine.slots),
            "running": JSONValue(engine.running), "assigned": JSONValue(engine.assigned),
            "done": JSONValue(engine.finished), "failed": JSONValue(engine.failed),
            "cpu_percent": JSONValue(rounded: cpuPercent(engine)),
            "heard": engine.heard.microseconds > 0 ? JSONValue(engine.heard) : .null,
        ]
    }

    private static func failureObject(_ failure: FailureSnapshot) -> JSONValue {
        [
            "task": JSONValue(failure.task.rawValue), "line": JSONValue(failure.line), "node": .string(failure.node),
            "return_code": JSONValue(failure.returnCode), "finish": JSONValue(failure.finish),
            "elapsed": JSONValue(rounded: failure.elapsed), "error": .string(Displayable.words(failure.error)),
            "command": .string(Displayable.words(failure.command)),
        ]
    }
}
