/// The states of tasks: the words of the run record, and two that it does not have.
package enum TaskState: String, CaseIterable, Sendable {
    case waiting, running, done, failed, lost, retrying, stopped, abandoned, skipped
}

/// A task with its last attempt, as a list shows it. What is not known is nil.
package struct TaskRow: Equatable, Sendable {
    package var id: Int
    package var line: Int
    /// -1 outside a REPEAT.
    package var repeatIndex: Int
    package var state: TaskState
    package var attempts = 0
    package var run: Int?
    package var engine: Int?
    package var node: [UInt8]?
    package var slot: Int?
    package var pid: Int?
    package var returnCode: Int?
    package var signal: Int?
    /// Seconds since 1970.
    package var start: Double?
    package var finish: Double?
    /// CPU seconds.
    package var userSeconds: Double?
    package var systemSeconds: Double?
    /// Bytes.
    package var memory: Int?
    /// Why it ended, in the record's words.
    package var ending: [UInt8]?
    package var outBytes: Int?
    package var outSnippet: [UInt8]?
    package var errBytes: Int?
    package var errSnippet: [UInt8]?
    package var command: [UInt8]

    package init(id: Int, line: Int, repeatIndex: Int = -1, state: TaskState, command: [UInt8] = []) {
        self.id = id
        self.line = line
        self.repeatIndex = repeatIndex
        self.state = state
        self.command = command
    }

    /// Seconds, once it ended.
    package var elapsed: Double? {
        guard let start, let finish else { return nil }
        return max(0, finish - start)
    }

    /// CPU seconds, user and system.
    package var cpu: Double? {
        guard let userSeconds, let systemSeconds else { return nil }
        return userSeconds + systemSeconds
    }

    /// A snippet of at most 80 bytes as it was written: without the dots that stand in the middle of more than 40.
    package static func whole(_ snippet: [UInt8]?, count: Int?) -> [UInt8]? {
        guard let snippet, let count, (41...80).contains(count), snippet.count == count + 3,
            snippet[40..<43].allSatisfy({ $0 == UInt8(ascii: ".") })
        else { return snippet }
        return Array(snippet[..<40] + snippet[43...])
    }

    /// Whether it ended with something else than 0.
    package var hasFailed: Bool {
        switch state {
        case .failed, .lost: true
        case .skipped: returnCode.map { $0 != 0 } ?? false
        default: false
        }
    }
}
