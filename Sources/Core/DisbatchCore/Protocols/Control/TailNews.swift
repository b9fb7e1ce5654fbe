/// News for a client that follows a task's output.
package enum TailNews: Equatable, Sendable {
    /// The task has not started yet.
    case waits
    /// The task runs, and its output comes from here on.
    case began(TailBeginning)
    /// Some of what it wrote; what is missing before it was left out.
    case output(OutputPiece)
    case ended(TailEnding)
}

/// From where on a task is followed.
package struct TailBeginning: Equatable, Sendable {
    package var engine: EngineID
    package var node: String
    package var attempt: Int
    /// Bytes that it had written before.
    package var out: UInt64
    package var err: UInt64

    package init(engine: EngineID, node: String, attempt: Int, out: UInt64, err: UInt64) {
        self.engine = engine
        self.node = node
        self.attempt = attempt
        self.out = out
        self.err = err
    }
}

/// How an attempt at a task that is followed ended.
package struct TailEnding: Equatable, Sendable {
    package var attempt: Int
    package var returnCode: Int32
    package var ending: Ending
    /// Seconds that it took.
    package var elapsed: Double
    /// Bytes that it wrote.
    package var out: UInt64
    package var err: UInt64
    /// Whether there will be no other attempt.
    package var isFinal: Bool

    package init(_ outcome: TaskOutcome, attempt: Int, isFinal: Bool) {
        self.attempt = attempt
        returnCode = outcome.returnCode
        ending = outcome.ending
        elapsed = Double(outcome.finish.microseconds - outcome.start.microseconds) / 1e6
        out = outcome.out.count
        err = outcome.err.count
        self.isFinal = isFinal
    }
}

/// The forms of ``TailNews`` on the wire.
private enum TailKind: UInt8 {
    case waits, began, output, ended
}

extension FrameWriter {
    mutating func write(_ news: TailNews) {
        switch news {
        case .waits: writeInteger(TailKind.waits.rawValue)
        case .began(let beginning):
            writeInteger(TailKind.began.rawValue)
            writeInt(beginning.engine.rawValue)
            writeString(beginning.node)
            writeInt(beginning.attempt)
            writeInteger(beginning.out)
            writeInteger(beginning.err)
        case .output(let piece):
            writeInteger(TailKind.output.rawValue)
            write(piece)
        case .ended(let ending):
            writeInteger(TailKind.ended.rawValue)
            writeInt(ending.attempt)
            writeInteger(ending.returnCode)
            writeInteger(ending.ending.rawValue)
            writeInteger(ending.elapsed.bitPattern)
            writeInteger(ending.out)
            writeInteger(ending.err)
            writeBool(ending.isFinal)
        }
    }
}

extension FrameReader {
    mutating func readTailNews() throws(WireError) -> TailNews {
        switch try readCase(TailKind.self) {
        case .waits: .waits
        case .began: .began(try readTailBeginning())
        case .output: .output(try readOutputPiece())
        case .ended: .ended(try readTailEnding())
        }
    }

    private mutating func readTailBeginning() throws(WireError) -> TailBeginning {
        let engine = EngineID(try readInt())
        let node = try readString()
        let attempt = try readInt()
        let out = try readInteger(UInt64.self)
        return TailBeginning(engine: engine, node: node, attempt: attempt, out: out, err: try readInteger())
    }

    private mutating func readTailEnding() throws(WireError) -> TailEnding {
        let attempt = try readInt()
        let nothing = Timestamp(microseconds: 0)
        let outcome = TaskOutcome(
            pid: -1, returnCode: try readInteger(), ending: try readCase(), start: nothing, finish: nothing)
        var ending = TailEnding(outcome, attempt: attempt, isFinal: false)
        ending.elapsed = try readDouble()
        ending.out = try readInteger()
        ending.err = try readInteger()
        ending.isFinal = try readBool()
        return ending
    }
}
