import DisbatchCore
import RunClient

/// The whole of what the page shows, as one line of JSON. Texts in it are a run's own, and not to be trusted.
enum PagePicture {
    private static let shownEngines = 1000
    private static let shownFailures = 50
    private static let shownErrorLength = 400

    /// The picture of a run at a moment.
    ///
    /// - Parameter trouble: why nothing more will come, where the run did not end.
    static func json(
        _ state: RunState, _ file: RunFileText, _ history: PageHistory, trouble: String? = nil
    ) -> String {
        let snapshot = state.snapshot
        let engines = self.engines(state)
        var members = [
            ("name", JSON.text(state.name)), ("host", JSON.text(file.host)), ("pid", "\(file.pid)"),
            ("version", JSON.text(file.version)), ("directory", JSON.text(file.workingDirectory)),
            ("phase", JSON.text(phase(state))), ("isOver", "\(state.exitStatus != nil)"),
            ("exitStatus", state.exitStatus.map { "\($0)" } ?? "null"),
            ("summary", state.summary.map(JSON.text) ?? "null"), ("trouble", trouble.map(JSON.text) ?? "null"),
            ("start", JSON.seconds(snapshot.start)), ("elapsed", JSON.number(state.elapsed)),
        ]
        members += counts(snapshot)
        members.append(("liveEngines", "\(state.liveEngines)"))
        members.append(("engines", "[" + engines.map { engine($0, state) }.joined(separator: ",") + "]"))
        members.append(("moreEngines", "\(state.engines.count - engines.count)"))
        let failures = state.failures.suffix(shownFailures).reversed()
        members.append(("failures", "[" + failures.map(failure).joined(separator: ",") + "]"))
        members.append(("history", "[" + history.samples.map(sample).joined(separator: ",") + "]"))
        return JSON.object(members)
    }

    /// One event of a stream (text/event-stream) that carries the picture.
    static func event(_ json: String) -> [UInt8] { Array("event: picture\ndata: \(json)\n\n".utf8) }

    /// What a stream begins with: how soon to come again when it breaks.
    static let greeting = Array("retry: 2000\n\n".utf8)

    private static func counts(_ snapshot: RunSnapshot) -> [(String, String)] {
        let totals = snapshot.totals
        return [
            ("done", "\(snapshot.done)"), ("failed", "\(snapshot.failed)"), ("running", "\(snapshot.running)"),
            ("waiting", snapshot.waiting.map { "\($0)" } ?? "null"),
            ("total", snapshot.totalTasks.map { "\($0)" } ?? "null"), ("skipped", "\(totals.skipped)"),
            ("retried", "\(totals.retried)"), ("lost", "\(totals.lost)"), ("rate", JSON.number(snapshot.rate)),
            ("left", snapshot.secondsLeft.map(JSON.number) ?? "null"),
        ]
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

    /// All that there is room for; those that are gone are left out first.
    private static func engines(_ state: RunState) -> [EngineSnapshot] {
        guard state.engines.count > shownEngines else { return state.engines }
        let live = state.engines.filter { $0.state != .gone && $0.state != .lost }
        let others = state.engines.filter { $0.state == .gone || $0.state == .lost }
        return (live + others).prefix(shownEngines).sorted { $0.id < $1.id }
    }

    private static func engine(_ engine: EngineSnapshot, _ state: RunState) -> String {
        JSON.object([
            ("rank", "\(engine.id.rawValue)"), ("context", JSON.text(engine.label)), ("node", JSON.text(engine.node)),
            ("state", JSON.text(engine.state.text)), ("heard", JSON.text(StatusText.heard(engine, state))),
            ("slots", "\(engine.slots)"), ("running", "\(engine.running)"), ("finished", "\(engine.finished)"),
            ("failed", "\(engine.failed)"),
        ])
    }

    private static func failure(_ failure: FailureSnapshot) -> String {
        JSON.object([
            ("task", "\(failure.task.rawValue)"), ("line", "\(failure.line)"), ("node", JSON.text(failure.node)),
            ("code", "\(failure.returnCode)"), ("finish", JSON.seconds(failure.finish)),
            ("elapsed", JSON.number(failure.elapsed)),
            ("error", JSON.text(Displayable.words(Array(failure.error.prefix(shownErrorLength))))),
            ("command", JSON.text(Displayable.words(failure.command))),
        ])
    }

    private static func sample(_ sample: PageHistory.Sample) -> String {
        "[\(JSON.number(sample.time)),\(sample.done),\(sample.running),\(sample.failed)]"
    }
}
