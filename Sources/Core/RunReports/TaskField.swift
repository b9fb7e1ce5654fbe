internal import DisbatchCore

/// A column of a list, by the name that its users type.
package enum TaskField: String, CaseIterable, Sendable {
    case id, line
    case repeatIndex = "repeat_index"
    case state, attempts, run, engine, node, slot, pid
    case returnCode = "return_code"
    case signal, ending, start, finish, elapsed, user, system, cpu, memory
    case outBytes = "out_bytes"
    case out
    case errBytes = "err_bytes"
    case err, command

    /// The kinds of values that fields have.
    package enum Kind: Equatable, Sendable {
        case text, count, seconds, time, bytes
    }

    package var kind: Kind {
        switch self {
        case .id, .line, .repeatIndex, .attempts, .run, .engine, .slot, .pid, .returnCode, .signal: .count
        case .outBytes, .errBytes, .memory: .bytes
        case .elapsed, .user, .system, .cpu: .seconds
        case .start, .finish: .time
        case .state, .node, .ending, .out, .err, .command: .text
        }
    }

    /// The fields of a list where none are named.
    package static let usual: [TaskField] = [
        .id, .state, .returnCode, .attempts, .node, .elapsed, .cpu, .memory, .command,
    ]

    /// Reads names with commas between them.
    package static func list(_ text: String) throws(ReportError) -> [TaskField] {
        var fields: [TaskField] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            fields.append(try named(String(name), in: "--fields"))
        }
        return fields
    }

    static func named(_ name: String, in option: String) throws(ReportError) -> TaskField {
        if let field = TaskField(rawValue: name) { return field }
        let known = allCases.map(\.rawValue).joined(separator: ", ")
        throw ReportError("\(option): there is no field \(Displayable.quoted(name)). Fields are:\n  \(known)")
    }
}

/// The value of a task's field.
package enum FieldValue: Equatable, Sendable {
    case unknown
    case integer(Int)
    case real(Double)
    case bytes([UInt8])

    init(_ number: Int?) { self = number.map { .integer($0) } ?? .unknown }
    init(_ number: Double?) { self = number.map { .real($0) } ?? .unknown }
    init(_ bytes: [UInt8]?) { self = bytes.map { .bytes($0) } ?? .unknown }
}

extension TaskRow {
    /// The value of one field.
    package subscript(field: TaskField) -> FieldValue {
        switch field {
        case .id: .integer(id)
        case .line: .integer(line)
        case .repeatIndex: .integer(repeatIndex)
        case .state: .bytes(Array(state.rawValue.utf8))
        case .attempts: .integer(attempts)
        case .run: FieldValue(run)
        case .engine: FieldValue(engine)
        case .node: FieldValue(node)
        case .slot: FieldValue(slot)
        case .pid: FieldValue(pid)
        case .returnCode: FieldValue(returnCode)
        case .signal: FieldValue(signal)
        case .ending: FieldValue(ending)
        case .start: FieldValue(start)
        case .finish: FieldValue(finish)
        case .elapsed: FieldValue(elapsed)
        case .user: FieldValue(userSeconds)
        case .system: FieldValue(systemSeconds)
        case .cpu: FieldValue(cpu)
        case .memory: FieldValue(memory)
        case .outBytes: FieldValue(outBytes)
        case .out: FieldValue(outSnippet)
        case .errBytes: FieldValue(errBytes)
        case .err: FieldValue(errSnippet)
        case .command: .bytes(command)
        }
    }
}

/// A fault in a request for a report: a message for the user, without the program's name.
package struct ReportError: Error, Equatable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
