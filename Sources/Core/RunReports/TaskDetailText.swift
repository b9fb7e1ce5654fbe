internal import DisbatchCore

/// One attempt at a task.
package struct AttemptRow: Equatable, Sendable {
    package var run: Int
    package var number: Int
    /// Whether it was reported after it had been given up.
    package var isGivenUp = false
    /// As that of a task; its state says nothing.
    package var row: TaskRow

    package init(run: Int, number: Int, isGivenUp: Bool, row: TaskRow) {
        self.run = run
        self.number = number
        self.isGivenUp = isGivenUp
        self.row = row
    }
}

/// A file that holds what an attempt wrote.
package struct CaptureFound: Equatable, Sendable {
    package var path: String
    package var size: Int

    package init(path: String, size: Int) {
        self.path = path
        self.size = size
    }
}

/// Everything of one task, as text.
package struct TaskDetailText {
    private let task: TaskRow
    private let attempts: [AttemptRow]
    private let captures: [CaptureFound]
    private let time: (Double) -> String

    /// - Parameters:
    ///   - attempts: all that are known, the first one first.
    ///   - time: an instant, in seconds since 1970, for people.
    package init(
        _ task: TaskRow, attempts: [AttemptRow], captures: [CaptureFound], time: @escaping (Double) -> String
    ) {
        self.task = task
        self.attempts = attempts
        self.captures = captures
        self.time = time
    }

    /// The whole of it.
    package var text: String {
        var place = "line \(task.line)"
        if task.repeatIndex >= 0 { place += ", repeat index \(task.repeatIndex)" }
        var lines = [
            "Task \(task.id): \(task.state.rawValue) (\(place))", "  command  \(Displayable.line(task.command))",
        ]
        if attempts.isEmpty { lines.append("  It has not been started.") }
        for attempt in attempts { lines += describe(attempt) }
        for file in captures {
            lines.append("  captured \(Displayable.line(file.path)) (\(NumberText.bytes(file.size)))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func describe(_ attempt: AttemptRow) -> [String] {
        let row = attempt.row
        var lines = [
            "", "Attempt \(attempt.number)" + (attempts.contains { $0.run > 1 } ? " (run \(attempt.run))" : ""),
        ]
        if attempt.isGivenUp { lines[1] += ", reported after it had been given up: no result" }
        if let code = row.returnCode {
            lines.append("  ended    \(ReturnCodeText.words(code, ending: row.ending))")
            let message = Displayable.line(FailureGroups.message(of: row))
            if code != 0, let reason = ReturnCodeText.likelyReason(code, ending: row.ending, message: message) {
                lines.append("  likely   \(reason)")
            }
        } else {
            lines.append(task.state == .running ? "  running" : "  its end is not known")
        }
        var place = "  node     \(Displayable.line(row.node ?? Array("?".utf8)))"
        if let engine = row.engine { place += ", engine \(engine)" }
        if let slot = row.slot, slot >= 0 { place += ", slot \(slot)" }
        if let pid = row.pid, pid > 0 { place += ", pid \(pid)" }
        lines.append(place)
        if let start = row.start {
            let end = row.finish.map { " to \(time($0))" } ?? ""
            let took = row.elapsed.map { " (\(NumberText.duration($0)))" } ?? ""
            lines.append("  time     \(time(start))\(end)\(took)")
        }
        if let user = row.userSeconds, let system = row.systemSeconds {
            let memory = row.memory.map { "; at most \(NumberText.bytes($0)) of memory" } ?? ""
            let (first, second) = (NumberText.duration(user), NumberText.duration(system))
            lines.append("  CPU      \(first) user, \(second) system\(memory)")
        }
        lines += output("stdout", row.outBytes, row.outSnippet) + output("stderr", row.errBytes, row.errSnippet)
        return lines
    }

    private func output(_ name: String, _ count: Int?, _ snippet: [UInt8]?) -> [String] {
        guard let count else { return [] }
        guard count > 0, let snippet else { return ["  \(name)   nothing"] }
        var text = Displayable.lines(snippet)
        if text.last == "" { text.removeLast() }
        return ["  \(name)   \(NumberText.bytes(count))" + (count > 80 ? ", its beginning and end:" : ":")]
            + text.map { "    | \($0)" }
    }

    /// The same for programs.
    package static func json(
        _ run: RunFacts, _ task: TaskRow, attempts: [AttemptRow], captures: [CaptureFound]
    ) -> String {
        var json = JSONText()
        json.beginObject()
        json.pair("format", JSONFormat.version)
        json.key("run")
        run.write(to: &json)
        json.key("task")
        json.beginObject()
        for field in TaskField.allCases { json.pair(field.rawValue, task[field]) }
        json.endObject()
        json.key("attempts")
        json.beginArray()
        let own: Set<TaskField> = [.id, .line, .repeatIndex, .state, .attempts, .run, .command]
        for attempt in attempts {
            json.beginObjectOnNewLine()
            json.pair("run", attempt.run)
            json.pair("attempt", attempt.number)
            json.key("given_up")
            json.value(attempt.isGivenUp)
            for field in TaskField.allCases where !own.contains(field) {
                json.pair(field.rawValue, attempt.row[field])
            }
            json.endObject()
        }
        json.endArray()
        json.key("captured")
        json.beginArray()
        for file in captures {
            json.beginObject()
            json.pair("path", file.path)
            json.pair("bytes", file.size)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        json.newLine()
        return json.take()
    }
}
