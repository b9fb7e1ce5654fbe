/// Turns the bytes of a task file into items, lazily: a REPEAT is expanded one task at a time.
///
/// Bytes are appended as they come and cut into lines at LF. Lines are bytes, kept as they are but for one CR before
/// an LF. The language is disBatch 3.0's; what disBatch passes over or runs as a task by mistake is an error here.
package struct TaskFileReader {
    /// The longest line of a task file, in bytes without its LF. What has a longer one is hardly a task file
    /// (Linux takes no argument above 128 KiB), and should not fill the memory before that shows.
    package static let longestLine = 32 << 20

    /// Whether a CR before an LF was dropped.
    package private(set) var hasCarriageReturns = false
    /// Task ids given so far, to tasks and to barriers: ids begin at 0.
    package private(set) var idCount = 0
    private var barrierCount = 0
    /// The line of the first BARRIER that has a key; 0 if none came.
    package private(set) var firstKeyLine = 0
    /// Tasks among those ids.
    package var taskCount: Int { idCount - barrierCount }

    private let name: String
    private let lineLimit: Int
    private var buffer = LineBuffer()
    /// The line that was read last, counted from 1.
    private var lineNumber = 0
    private var prefix: [UInt8] = []
    private var suffix: [UInt8] = []
    private var expansion = Expansion()
    private var startCount = 0
    private var stopCount = 0
    /// The line of the first task, REPEAT or BARRIER, which ends the per-engine commands; 0 if none came.
    private var firstTaskLine = 0
    private var failure: TaskFileError?

    /// The tasks of a REPEAT that are still to be handed out. All share one command.
    private struct Expansion {
        var remaining = 0
        var index = 0
        var step = 0
        var command: [UInt8] = []
    }

    /// A reader of an empty file, for now.
    ///
    /// - Parameters:
    ///   - name: the file as its user named it, for errors; "standard input" for `-`.
    ///   - lineLimit: the longest line, in bytes.
    package init(name: String, lineLimit: Int = TaskFileReader.longestLine) {
        self.name = name
        self.lineLimit = lineLimit
    }

    /// More bytes of the file, cut anywhere.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if failure == nil { buffer.append(bytes) }
    }

    /// No more bytes will come: an unterminated last line counts.
    package mutating func finish() { buffer.finish() }

    /// Whether the whole file was handed out. It can take one more ``next()`` to find that only comments were left.
    package var isAtEnd: Bool {
        buffer.isFinished && buffer.unreadCount == 0 && expansion.remaining == 0 && failure == nil
    }

    /// Bytes that were appended and not yet read. At most twice as many are held in memory.
    package var bufferedBytes: Int { buffer.unreadCount }

    /// The next item, or nil where more bytes are needed, and at the end.
    ///
    /// Throws at the first line that is wrong, after all items before it; and from then on the same error again.
    package mutating func next() throws(TaskFileError) -> TaskItem? {
        if expansion.remaining > 0 { return .task(nextOfExpansion()) }
        while let range = try nextLine() {
            switch kind(of: range) {
            case .comment: try pass(range)
            case .task:
                let id = try takeID(line: range)
                let command = buffer.copy(range, prefix: prefix, suffix: suffix)
                return .task(TaskSpec(id: id, streamIndex: lineNumber, command: command))
            case .directive:
                if let item = try obey(range) { return item }
                if expansion.remaining > 0 { return .task(nextOfExpansion()) }
            }
        }
        return nil
    }

    /// Goes over all that ``next()`` would hand out now and makes nothing of it: to find errors before anything runs.
    ///
    /// A REPEAT takes no longer than a line. Afterwards ``idCount`` tells how many ids the tasks and barriers take.
    package mutating func check() throws(TaskFileError) {
        skipExpansion()
        while let range = try nextLine() {
            switch kind(of: range) {
            case .comment: try pass(range)
            case .task: _ = try takeID(line: range)
            case .directive:
                _ = try obey(range)
                skipExpansion()
            }
        }
    }
}

// Lines.
extension TaskFileReader {
    private enum LineKind { case task, comment, directive }

    /// The next line without its LF and one CR before that.
    private mutating func nextLine() throws(TaskFileError) -> Range<Int>? {
        guard let line = buffer.next() else {
            if let failure { throw failure }
            guard buffer.unreadCount > lineLimit else { return nil }
            lineNumber += 1
            throw failAtLongLine(buffer.unreadRange)
        }
        lineNumber += 1
        if line.range.count > lineLimit { throw failAtLongLine(line.range) }
        var range = line.range
        if line.isTerminated, let last = range.last, buffer.byte(at: last) == Byte.carriageReturn {
            range = range.lowerBound..<last
            hasCarriageReturns = true
        }
        if lineNumber == 1 { range = try withoutByteOrderMark(range) }
        if line.firstNUL >= 0 { throw fail("a line can't hold a NUL byte", range, column: line.firstNUL) }
        return range
    }

    /// The first line without the mark that some editors put at the head of a file.
    private mutating func withoutByteOrderMark(_ line: Range<Int>) throws(TaskFileError) -> Range<Int> {
        let bytes = buffer.bytes(of: line)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return (line.lowerBound + 3)..<line.upperBound }
        guard bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) else { return line }
        throw fail("UTF-16 text, where UTF-8 is needed: iconv -f UTF-16 -t UTF-8", line, column: 0)
    }

    private func kind(of line: Range<Int>) -> LineKind {
        guard let first = line.first else { return .comment }
        let byte = buffer.byte(at: first)
        if byte > Byte.space && byte != Byte.hash { return .task }
        if byte == Byte.hash { return buffer.line(line, startsWith: Directive.mark) ? .directive : .comment }
        let afterBlanks = buffer.bytes(of: line).first { !Byte.isBlank($0) }
        return afterBlanks == nil || afterBlanks == Byte.hash ? .comment : .task
    }

    /// Passes over a comment, unless it was to be a directive.
    private mutating func pass(_ line: Range<Int>) throws(TaskFileError) {
        guard let error = DirectiveLookalike.error(in: buffer.bytes(of: line)) else { return }
        throw fail(error.message, line, column: error.column)
    }

    /// The same error wherever the file was cut into appends, so it shows only what the limit lets in.
    private mutating func failAtLongLine(_ line: Range<Int>) -> TaskFileError {
        let limit = lineLimit % (1 << 20) == 0 ? "\(lineLimit >> 20) MiB" : "\(lineLimit) bytes"
        return fail("line longer than \(limit)", line.prefix(lineLimit), column: 0)
    }

    /// The error at the current line, which is thrown from now on; what is left of the file is given up.
    private mutating func fail(_ message: String, _ line: Range<Int>, column: Int) -> TaskFileError {
        let bytes = buffer.bytes(of: line)
        let error = TaskFileError(file: name, line: lineNumber, message: message, bytes: bytes, column: column)
        failure = error
        buffer = LineBuffer()
        return error
    }
}

// Tasks and directives.
extension TaskFileReader {
    /// The id of the next task or barrier, which stands on `line`.
    private mutating func takeID(line: Range<Int>) throws(TaskFileError) -> TaskID {
        if firstTaskLine == 0 { firstTaskLine = lineNumber }
        let id = idCount
        guard id < Int.max else { throw fail(Self.tooManyTasks, line, column: 0) }
        idCount = id + 1
        return TaskID(id)
    }

    private static let tooManyTasks = "more than \(Int.max) tasks"

    /// The next task of a REPEAT that has some left.
    private mutating func nextOfExpansion() -> TaskSpec {
        let index = expansion.index
        expansion.remaining -= 1
        let command = expansion.command
        if expansion.remaining > 0 {
            expansion.index += expansion.step
        } else {
            expansion.command = []
        }
        defer { idCount += 1 }
        return TaskSpec(id: TaskID(idCount), streamIndex: lineNumber, repeatIndex: index, command: command)
    }

    private mutating func skipExpansion() {
        idCount += expansion.remaining
        expansion = Expansion()
    }

    /// Does what a `#DISBATCH` line says. A REPEAT's tasks are left in ``expansion``.
    private mutating func obey(_ range: Range<Int>) throws(TaskFileError) -> TaskItem? {
        let line = Array(buffer.bytes(of: range))
        let directive: Directive
        do {
            directive = try DirectiveParser.parse(line)
        } catch {
            throw fail(error.message, range, column: error.column)
        }
        switch directive {
        case .prefix(let text): prefix = text
        case .suffix(let text): suffix = text
        case .repetition(let repetition): try begin(repetition, range)
        case .barrier(let checks, let key):
            let id = try takeID(line: range)
            barrierCount += 1
            if key != nil, firstKeyLine == 0 { firstKeyLine = lineNumber }
            return .barrier(Barrier(id: id, streamIndex: lineNumber, checks: checks, key: key, line: line))
        case .perEngine(let phase, let command): return .perEngine(try perEngine(phase, command, range))
        }
        return nil
    }

    private mutating func begin(
        _ repetition: Directive.Repetition, _ line: Range<Int>
    ) throws(TaskFileError) {
        if firstTaskLine == 0 { firstTaskLine = lineNumber }
        if idCount.addingReportingOverflow(repetition.count).overflow {
            throw fail(Self.tooManyTasks, line, column: repetition.countColumn)
        }
        expansion = Expansion(
            remaining: repetition.count, index: repetition.first, step: repetition.step,
            command: prefix + repetition.command + suffix)
    }

    private mutating func perEngine(
        _ phase: PerEnginePhase, _ command: [UInt8], _ line: Range<Int>
    ) throws(TaskFileError) -> PerEngineCommand {
        guard firstTaskLine == 0 else {
            let message = "PERENGINE must come before the first task, REPEAT or BARRIER (line \(firstTaskLine))"
            throw fail(message, line, column: Directive.nameColumn)
        }
        let id: TaskID
        switch phase {
        case .start:
            id = TaskID(startCount)
            startCount += 1
        case .stop:
            id = TaskID(stopCount)
            stopCount += 1
        }
        let spec = TaskSpec(id: id, streamIndex: lineNumber, command: prefix + command + suffix)
        return PerEngineCommand(phase: phase, spec: spec)
    }
}
