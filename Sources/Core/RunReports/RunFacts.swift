package import DisbatchCore

/// The version of what is written as JSON: it changes where a program that reads it might stumble.
package enum JSONFormat {
    package static let version = 1
}

/// The facts of a run as a whole. Of a record of several runs, the last.
package struct RunFacts: Equatable, Sendable {
    /// The path that the names of all its files begin with.
    package var prefix: String
    /// Where the tasks come from: a path, or `-`.
    package var source: String?
    package var host: String?
    package var user: String?
    package var version: String?
    package var workingDirectory: String?
    package var commandLine: String?
    /// Seconds since 1970.
    package var start: Double?
    package var finish: Double?
    package var exitStatus: Int?
    package var summary: String?
    package var totalTasks: Int?
    /// How many runs the record has.
    package var runCount = 1
    /// Entries that the record lacks.
    package var dropped = 0
    /// Why the record stops short of its run.
    package var failure: String?
    /// PERENGINE commands of the last run that failed.
    package var failedPerEngine = 0
    /// Whether the driver lives.
    package var isActive = false
    /// Whether all this was taken from the status file, for want of a record.
    package var isFromStatus = false

    package init(prefix: String) { self.prefix = prefix }

    /// The run's name.
    package var name: String { RunPaths(prefix: prefix).jobID }

    /// Its status file.
    package var statusPath: String { RunPaths(prefix: prefix).status }

    /// The state in a word.
    package var state: String { isActive ? "running" : finish == nil && !isFromStatus ? "broken off" : "ended" }

    /// Writes it as a JSON object.
    package func write(to json: inout JSONText) {
        json.beginObject()
        json.pair("prefix", prefix)
        json.pair("state", state)
        let texts = [
            ("source", source), ("host", host), ("user", user), ("version", version),
            ("working_directory", workingDirectory), ("command_line", commandLine), ("failure", failure),
        ]
        for (name, text) in texts {
            json.key(name)
            if let text { json.value(text) } else { json.null() }
        }
        json.pair("start", FieldValue(start))
        json.pair("finish", FieldValue(finish))
        json.pair("exit_status", FieldValue(exitStatus))
        json.pair("total_tasks", FieldValue(totalTasks))
        json.pair("runs", runCount)
        json.pair("dropped", dropped)
        json.pair("failed_per_engine", failedPerEngine)
        json.key("from_status_file")
        json.value(isFromStatus)
        json.endObject()
    }
}

extension RunFacts {
    /// The command that retries the failures and runs what is left, from anywhere; nil where the record has none.
    package var retryCommand: String? {
        guard let commandLine else { return nil }
        let words = ShellWord.words(commandLine)
        guard !words.isEmpty, source != "-" else { return nil }
        let command = RetryCommand.line(words, status: statusPath)
        guard let workingDirectory else { return command }
        return "cd \(ShellWord.quoted(workingDirectory)) && \(command)"
    }
}
