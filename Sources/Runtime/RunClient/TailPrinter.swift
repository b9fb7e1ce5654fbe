import DisbatchCore
import Glibc
import LinuxSystem

/// Shows what a task that is followed writes: its bytes where it wrote them, all else on standard error.
struct TailPrinter {
    private let task: TaskID
    /// How much of each stream came so far, what was left out included; nil before it is followed.
    private var position: (out: UInt64, err: UInt64)?
    /// Whether the last line is not whole, on the terminal or on standard error.
    private var isLineOpen = false

    init(_ task: TaskID) { self.task = task }

    /// Shows what came. True at the task's end.
    mutating func show(_ news: TailNews) throws(RunClientError) -> Bool {
        switch news {
        case .waits: note("task \(task.rawValue) has not started yet")
        case .began(let beginning): begin(beginning)
        case .output(let piece): try show(piece)
        case .ended(let ending):
            end(ending)
            return ending.isFinal
        }
        return false
    }

    private mutating func begin(_ beginning: TailBeginning) {
        position = (beginning.out, beginning.err)
        let attempt = beginning.attempt > 1 ? ", attempt \(beginning.attempt)" : ""
        var text =
            "following task \(task.rawValue)\(attempt) on \(beginning.node) (engine \(beginning.engine.rawValue))"
        if beginning.out > 0 || beginning.err > 0 {
            text += "; it had written \(Self.written(beginning.out, beginning.err)) before (--capture keeps that)"
        }
        note(text)
    }

    private mutating func show(_ piece: OutputPiece) throws(RunClientError) {
        guard var position else { return }
        let end = piece.offset + UInt64(piece.bytes.count)
        switch piece.stream {
        case .output:
            noteGap(from: position.out, to: piece.offset, "output")
            position.out = end
        case .error:
            noteGap(from: position.err, to: piece.offset, "error")
            position.err = end
        }
        self.position = position
        let raw: Int32 = piece.stream == .output ? 1 : 2
        try write(piece.bytes, to: raw)
        if let last = piece.bytes.last, raw == 2 || isatty(1) == 1 { isLineOpen = last != UInt8(ascii: "\n") }
    }

    private mutating func noteGap(from start: UInt64, to end: UInt64, _ name: String) {
        if end > start { note("\(Self.bytes(end - start)) of standard \(name) left out") }
    }

    private mutating func end(_ ending: TailEnding) {
        if let position {
            noteGap(from: position.out, to: ending.out, "output")
            noteGap(from: position.err, to: ending.err, "error")
        } else if ending.out > 0 || ending.err > 0 {
            note("it ended before it could be followed, and wrote \(Self.written(ending.out, ending.err))")
        }
        position = nil
        let number = ending.isFinal ? "task \(task.rawValue)" : "attempt \(ending.attempt) at task \(task.rawValue)"
        note("\(number) \(Self.manner(ending)) after \(Quantity.time(ending.elapsed))")
    }

    private static func manner(_ ending: TailEnding) -> String {
        let code = "return code \(ending.returnCode)"
        switch ending.ending {
        case .exited where (-64 ... -1).contains(ending.returnCode):
            return "was ended by \(SignalName.of(-ending.returnCode)) (\(code))"
        case .exited: return "ended with \(code)"
        case .timedOut: return "ran into --task-timeout (\(code))"
        case .stopped: return "was ended with its context or run (\(code))"
        case .killed: return "was ended by dbutil --kill (\(code))"
        case .spawnFailed: return "could not be started (\(code))"
        case .engineLost: return "was lost with its engine (\(code))"
        }
    }

    private static func written(_ out: UInt64, _ err: UInt64) -> String {
        "\(bytes(out)) to standard output and \(bytes(err)) to standard error"
    }

    private static func bytes(_ count: UInt64) -> String { NumberText.count(count, "byte") }

    /// Says something of its own, on a line of its own.
    mutating func note(_ text: String) {
        let line = "\(isLineOpen ? "\n" : "")dbutil: \(text)\n"
        isLineOpen = false
        StandardStream.error.write(line)
    }

    private func write(_ bytes: [UInt8], to raw: Int32) throws(RunClientError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let reason = String(cString: strerror(errno))
                throw RunClientError("standard \(raw == 1 ? "output" : "error"): \(reason)")
            }
            rest = rest.dropFirst(count)
        }
    }
}
