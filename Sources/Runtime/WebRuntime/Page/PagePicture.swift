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
        let failures = state.failures.suffix(shownFailures).reversed()
        var members: [JSONValue.Member] = [
            .init("name", .string(state.name)), .init("host", .string(file.host)), .init("pid", JSONValue(file.pid)),
            .init("version", .string(file.version)), .init("directory", .string(file.workingDirectory)),
            .init("phase", .string(StatusText.phase(state))), .init("isOver", .bool(state.exitStatus != nil)),
            .init("exitStatus", JSONValue(state.exitStatus)), .init("summary", JSONValue(state.summary)),
            .init("trouble", JSONValue(trouble)), .init("start", JSONValue(snapshot.start)),
            .init("elapsed", JSONValue(rounded: state.elapsed)),
        ]
        members += counts(snapshot)
        members += [
            .init("liveEngines", JSONValue(state.liveEngines)),
            .init("engines", .array(engines.map { engine($0, state) })),
            .init("moreEngines", JSONValue(state.engines.count - engines.count)),
            .init("failures", .array(failures.map(failure))),
            .init("history", .array(history.samples.map(sample))),
        ]
        return JSONValue.object(members).text(.spaced)
    }

    /// One event of a stream (text/event-stream) that carries the picture.
    static func event(_ json: String) -> [UInt8] { Array("event: picture\ndata: \(json)\n\n".utf8) }

    /// The beginning of each stream: the time after which a browser reconnects when it breaks.
    static let greeting = Array("retry: 2000\n\n".utf8)

    private static func counts(_ snapshot: RunSnapshot) -> [JSONValue.Member] {
        let totals = snapshot.totals
        return [
            .init("done", JSONValue(snapshot.done)), .init("failed", JSONValue(snapshot.failed)),
            .init("running", JSONValue(snapshot.running)), .init("waiting", JSONValue(snapshot.waiting)),
            .init("total", JSONValue(snapshot.totalTasks)), .init("skipped", JSONValue(totals.skipped)),
            .init("retried", JSONValue(totals.retried)), .init("lost", JSONValue(totals.lost)),
            .init("rate", JSONValue(rounded: snapshot.rate)), .init("left", JSONValue(rounded: snapshot.secondsLeft)),
        ]
    }

    /// All that there is room for; those that are gone are left out first.
    private static func engines(_ state: RunState) -> [EngineSnapshot] {
        guard state.engines.count > shownEngines else { return state.engines }
        let live = state.engines.filter { $0.state != .gone && $0.state != .lost }
        let others = state.engines.filter { $0.state == .gone || $0.state == .lost }
        return (live + others).prefix(shownEngines).sorted { $0.id < $1.id }
    }

    private static func engine(_ engine: EngineSnapshot, _ state: RunState) -> JSONValue {
        [
            "rank": JSONValue(engine.id.rawValue), "context": .string(engine.label), "node": .string(engine.node),
            "state": .string(engine.state.text), "heard": .string(StatusText.heard(engine, state)),
            "slots": JSONValue(engine.slots), "running": JSONValue(engine.running),
            "finished": JSONValue(engine.finished), "failed": JSONValue(engine.failed),
        ]
    }

    private static func failure(_ failure: FailureSnapshot) -> JSONValue {
        [
            "task": JSONValue(failure.task.rawValue), "line": JSONValue(failure.line), "node": .string(failure.node),
            "code": JSONValue(failure.returnCode), "finish": JSONValue(failure.finish),
            "elapsed": JSONValue(rounded: failure.elapsed),
            "error": .string(Displayable.words(Array(failure.error.prefix(shownErrorLength)))),
            "command": .string(Displayable.words(failure.command)),
        ]
    }

    private static func sample(_ sample: PageHistory.Sample) -> JSONValue {
        [
            JSONValue(rounded: sample.time), JSONValue(sample.done), JSONValue(sample.running),
            JSONValue(sample.failed),
        ]
    }
}
