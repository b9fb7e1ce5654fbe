import DisbatchCore

/// What a reader made of a file: its items up to the end or the error, and the error.
struct Reading: Equatable {
    var items: [TaskItem] = []
    var error: TaskFileError?
    var hasCarriageReturns = false

    var tasks: [TaskSpec] {
        items.compactMap { if case .task(let spec) = $0 { spec } else { nil } }
    }

    var commands: [String] { tasks.map { String(decoding: $0.command, as: UTF8.self) } }
}

extension TaskFileReader {
    mutating func append(_ bytes: some Collection<UInt8>) {
        Array(bytes).withUnsafeBytes { append($0) }
    }

    /// Adds the items that can be read now to `reading`; false after an error.
    mutating func drain(into reading: inout Reading) -> Bool {
        do {
            while let item = try next() { reading.items.append(item) }
        } catch {
            reading.error = error
        }
        reading.hasCarriageReturns = hasCarriageReturns
        return reading.error == nil
    }
}

/// Reads `chunks` as one file, draining the reader after each.
func read(chunks: [[UInt8]], lineLimit: Int = TaskFileReader.longestLine) -> Reading {
    var reader = TaskFileReader(name: "Tasks", lineLimit: lineLimit)
    var reading = Reading()
    for chunk in chunks {
        reader.append(chunk)
        if !reader.drain(into: &reading) { return reading }
    }
    reader.finish()
    _ = reader.drain(into: &reading)
    return reading
}

func read(_ text: String, lineLimit: Int = TaskFileReader.longestLine) -> Reading {
    read(chunks: [Array(text.utf8)], lineLimit: lineLimit)
}

/// A task as the tables of expectations write it.
func task(_ id: Int, line: Int, index: Int = -1, _ command: String) -> TaskItem {
    .task(TaskSpec(id: TaskID(id), streamIndex: line, repeatIndex: index, command: Array(command.utf8)))
}

func barrier(_ id: Int, line: Int, checks: Bool = false, key: String? = nil, _ text: String) -> TaskItem {
    let key = key.map { Array($0.utf8) }
    return .barrier(
        Barrier(id: TaskID(id), streamIndex: line, checks: checks, key: key, line: Array(text.utf8)))
}

func perEngine(_ phase: PerEnginePhase, _ id: Int, line: Int, _ command: String) -> TaskItem {
    let spec = TaskSpec(id: TaskID(id), streamIndex: line, command: Array(command.utf8))
    return .perEngine(PerEngineCommand(phase: phase, spec: spec))
}
