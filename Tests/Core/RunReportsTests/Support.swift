import RunReports

/// A task of a run on node `n1`, for tests.
func task(
    _ id: Int, _ state: TaskState = .done, code: Int? = 0, node: String = "n1", seconds: Double = 1,
    start: Double = 100,
    error: String = "", ending: String = "exited", command: String = "true"
) -> TaskRow {
    var row = TaskRow(id: id, line: id + 1, state: state, command: Array(command.utf8))
    guard state != .waiting else { return row }
    row.attempts = 1
    row.run = 1
    row.node = Array(node.utf8)
    row.start = start
    guard state != .running else { return row }
    row.finish = start + seconds
    row.returnCode = code
    row.ending = Array(ending.utf8)
    row.userSeconds = seconds / 2
    row.systemSeconds = 0
    row.memory = 4 << 20
    row.outBytes = 0
    row.outSnippet = []
    row.errBytes = error.utf8.count
    row.errSnippet = Array(error.utf8)
    return row
}

func failed(_ id: Int, code: Int = 1, node: String = "n1", error: String = "", ending: String = "exited") -> TaskRow {
    task(id, .failed, code: code, node: node, error: error, ending: ending)
}

/// A run of 100 seconds.
func sampleFacts() -> RunFacts {
    var facts = RunFacts(prefix: "/data/it's here/x")
    facts.start = 100
    facts.finish = 200
    facts.exitStatus = 0
    facts.workingDirectory = "/data/it's here"
    facts.commandLine = "/opt/disbatch -s localhost:2 --limit 5 'my tasks'"
    facts.source = "/data/it's here/my tasks"
    return facts
}

func report(_ rows: [TaskRow], _ change: (inout RunFacts) -> Void = { _ in }) -> RunReport {
    var facts = sampleFacts()
    change(&facts)
    var builder = ReportBuilder(facts, now: 200)
    builder.add(EngineSpan(node: Array("n1".utf8), slots: 2, joined: 100, ended: 200))
    for row in rows { builder.add(row) }
    return builder.finish()
}
