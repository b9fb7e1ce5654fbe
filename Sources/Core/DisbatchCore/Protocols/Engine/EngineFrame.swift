/// An engine's description of itself, which comes before anything else.
package struct EngineHello: Equatable, Sendable {
    /// The build it is of; driver and engine must be of the same.
    package var version: String
    package var protocolVersion: Int
    package var pid: Int32
    package var host: String
    /// Processors that it may use.
    package var cores: Int
    /// Its guard, as `DISBATCH_GUARD` in the environment of its tasks names it: PID.START, in clock ticks since boot.
    package var guardName: String

    package init(
        version: String, protocolVersion: Int, pid: Int32, host: String, cores: Int, guardName: String = ""
    ) {
        self.version = version
        self.protocolVersion = protocolVersion
        self.pid = pid
        self.host = host
        self.cores = cores
        self.guardName = guardName
    }
}

/// How serious a line of a log is.
package enum LogLevel: UInt8, CaseIterable, Comparable, Sendable {
    case debug, info, warning, error, critical

    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    /// The word for it in logs, as disBatch writes it and `--loglevel` takes it.
    package var name: String {
        switch self {
        case .debug: "DEBUG"
        case .info: "INFO"
        case .warning: "WARNING"
        case .error: "ERROR"
        case .critical: "CRITICAL"
        }
    }
}

/// A message from an engine to the driver.
package enum EngineFrame: Equatable, Sendable {
    case hello(EngineHello)
    /// The engine is configured and takes tasks, in this many slots.
    case ready(slots: Int)
    /// The engine can't do what it was configured for.
    case refused(reason: String)
    /// A task runs. Not told of where its end is told of at once.
    case started(AssignmentID, cylinder: Int, pid: Int32, start: Timestamp)
    case finished(AssignmentID, cylinder: Int, TaskOutcome)
    /// A task's process ended, and its slot is free; its end is told of when its files are at home.
    case filesFollow(AssignmentID)
    /// The answer to a recall: these were not started, and won't be.
    case returned([AssignmentID])
    case leaseAcknowledged(sentAt: Instant)
    /// A signal that a resource manager sent to the engine.
    case signal(Int32)
    case log(LogLevel, String)
    /// The files of the driver's list that it lacks, by their places there.
    case stagedEntriesWanted([Int])
    /// A file comes home: its bytes follow. Those of one file come before those of the next, and all files of a task
    /// before its end.
    case fileBegan(ArrivingFile)
    case fileData([UInt8])
    /// All of the file has come, or it can't be read.
    case fileEnded(isWhole: Bool)
    /// An attempt begins whose output goes home (`--capture`): what is kept of earlier ones there is out of date.
    case captureBegan(AssignmentID)
    /// The engine is about to put files of a task home by itself, by a rule that may give those of two tasks the same
    /// places: see ``ArrivingFile/path``. Answered by ``DriverFrame/placesGiven(_:taken:)``.
    case placesWanted(AssignmentID, rule: Int, [[UInt8]])
    /// A task that was to end had not been started, and won't be.
    case withdrawn(AssignmentID)
    /// A task's output is copied from here on; `out` and `err` are the numbers of bytes that it had written before.
    case followed(AssignmentID, out: UInt64, err: UInt64)
    /// Some of a task's output, with its place in the stream. There may be gaps.
    case output(AssignmentID, OutputPiece)
    /// The CPU time that all its tasks have used by an instant of its own clock, those that run included.
    case cpuUsed(microseconds: Int64, at: Instant)
}

/// One of the two streams that a task writes to.
package enum TaskOutputStream: UInt8, CaseIterable, Sendable {
    case output, error

    /// The end of the names of files that keep it.
    package var name: String { self == .output ? "out" : "err" }
}

/// Some of what a task wrote.
package struct OutputPiece: Equatable, Sendable {
    package var stream: TaskOutputStream
    /// How much of the stream came before it, in bytes.
    package var offset: UInt64
    package var bytes: [UInt8]

    package init(stream: TaskOutputStream, offset: UInt64, bytes: [UInt8]) {
        self.stream = stream
        self.offset = offset
        self.bytes = bytes
    }
}

/// The rules that driver and engine share before and beside the frames.
package enum EngineProtocol {
    /// The exit status of an engine that ended without being told to, once all that it ran is killed. No program that
    /// may carry an engine's end has it for an end of its own.
    package static let clearedStatus: Int32 = 91
    package static let version = 1
    /// The line an engine prints before its first frame, so that what a login shell prints can be told from it.
    package static let magicLine = Array("disbatch-engine-1 ready\n".utf8)
    /// Bytes of files that may be on their way home from one engine before the driver says that they are written.
    package static let stageOutWindow = 4 << 20
    /// Bytes of copied output that may be on their way; what comes beyond them is left out.
    package static let outputWindow = 256 << 10
    /// Files go in pieces of so many bytes.
    package static let stagedPiece = 256 << 10
}

extension EngineFrame {
    private enum Kind: UInt8 {
        case hello = 65
        case ready, refused, started, finished, returned, leaseAcknowledged, signal, log
        case stagedEntriesWanted, fileBegan, fileData, fileEnded, filesFollow, placesWanted, withdrawn
        case followed, output, cpuUsed, captureBegan
    }

    /// Appends the frame, length first.
    package func encode(into writer: inout FrameWriter) {
        switch self {
        case .hello(let hello): writer.frame(Kind.hello.rawValue) { $0.write(hello) }
        case .ready(let slots): writer.frame(Kind.ready.rawValue) { $0.writeInt(slots) }
        case .refused(let reason): writer.frame(Kind.refused.rawValue) { $0.writeString(reason) }
        case .started(let id, let cylinder, let pid, let start):
            writer.frame(Kind.started.rawValue) {
                $0.writeInteger(id.rawValue)
                $0.writeInteger(Int32(clamping: cylinder))
                $0.writeInteger(pid)
                $0.writeInteger(start.microseconds)
            }
        case .finished(let id, let cylinder, let outcome):
            writer.frame(Kind.finished.rawValue) {
                $0.writeInteger(id.rawValue)
                $0.writeInteger(Int32(clamping: cylinder))
                $0.write(outcome)
            }
        case .returned(let ids):
            writer.frame(Kind.returned.rawValue) { $0.writeList(ids) { $0.writeInteger($1.rawValue) } }
        case .leaseAcknowledged(let sentAt):
            writer.frame(Kind.leaseAcknowledged.rawValue) { $0.writeInteger(sentAt.nanoseconds) }
        case .signal(let number): writer.frame(Kind.signal.rawValue) { $0.writeInteger(number) }
        case .log(let level, let text):
            writer.frame(Kind.log.rawValue) {
                $0.writeInteger(level.rawValue)
                $0.writeString(text)
            }
        case .stagedEntriesWanted(let places):
            writer.frame(Kind.stagedEntriesWanted.rawValue) { $0.writeList(places) { $0.writeInt($1) } }
        case .fileBegan(let file): writer.frame(Kind.fileBegan.rawValue) { $0.write(file) }
        case .fileData(let bytes): writer.frame(Kind.fileData.rawValue) { $0.writeBytes(bytes) }
        case .captureBegan(let id): writer.frame(Kind.captureBegan.rawValue) { $0.writeInteger(id.rawValue) }
        case .fileEnded(let isWhole): writer.frame(Kind.fileEnded.rawValue) { $0.writeBool(isWhole) }
        case .filesFollow(let id): writer.frame(Kind.filesFollow.rawValue) { $0.writeInteger(id.rawValue) }
        case .placesWanted(let id, let rule, let paths):
            writer.frame(Kind.placesWanted.rawValue) {
                $0.writeInteger(id.rawValue)
                $0.writeInt(rule)
                $0.writeList(paths) { $0.writeBytes($1) }
            }
        case .withdrawn(let id): writer.frame(Kind.withdrawn.rawValue) { $0.writeInteger(id.rawValue) }
        case .followed(let id, let out, let err):
            writer.frame(Kind.followed.rawValue) {
                for number in [id.rawValue, out, err] { $0.writeInteger(number) }
            }
        case .output(let id, let piece):
            writer.frame(Kind.output.rawValue) {
                $0.writeInteger(id.rawValue)
                $0.write(piece)
            }
        case .cpuUsed(let microseconds, let time):
            writer.frame(Kind.cpuUsed.rawValue) {
                $0.writeInteger(microseconds)
                $0.writeInteger(time.nanoseconds)
            }
        }
    }

    /// Reads the body of a frame of this kind.
    package static func decode(kind: UInt8, _ reader: inout FrameReader) throws(WireError) -> EngineFrame {
        switch Kind(rawValue: kind) {
        case .hello: return .hello(try reader.readHello())
        case .ready: return .ready(slots: try reader.readInt())
        case .refused: return .refused(reason: try reader.readString())
        case .started:
            let id = AssignmentID(try reader.readInteger())
            let cylinder = Int(try reader.readInteger(Int32.self))
            let pid = try reader.readInteger(Int32.self)
            return .started(
                id, cylinder: cylinder, pid: pid, start: try reader.readTimestamp())
        case .finished:
            let id = AssignmentID(try reader.readInteger())
            let cylinder = Int(try reader.readInteger(Int32.self))
            return .finished(id, cylinder: cylinder, try reader.readOutcome())
        case .returned:
            return .returned(
                try reader.readList { (r) throws(WireError) in AssignmentID(try r.readInteger()) })
        case .leaseAcknowledged: return .leaseAcknowledged(sentAt: Instant(nanoseconds: try reader.readInteger()))
        case .signal: return .signal(try reader.readInteger())
        case .log:
            let level: LogLevel = try reader.readCase()
            return .log(level, try reader.readString())
        case .stagedEntriesWanted:
            return .stagedEntriesWanted(try reader.readList { (r) throws(WireError) in try r.readInt() })
        case .fileBegan: return .fileBegan(try reader.readArrivingFile())
        case .fileData: return .fileData(try reader.readBytes())
        case .fileEnded: return .fileEnded(isWhole: try reader.readBool())
        case .captureBegan: return .captureBegan(AssignmentID(try reader.readInteger()))
        case .filesFollow: return .filesFollow(AssignmentID(try reader.readInteger()))
        case .placesWanted:
            let id = AssignmentID(try reader.readInteger())
            let rule = try reader.readInt()
            return .placesWanted(id, rule: rule, try reader.readList { (r) throws(WireError) in try r.readBytes() })
        case .withdrawn: return .withdrawn(AssignmentID(try reader.readInteger()))
        case .followed:
            let id = AssignmentID(try reader.readInteger())
            let out = try reader.readInteger(UInt64.self)
            return .followed(id, out: out, err: try reader.readInteger())
        case .output:
            let id = AssignmentID(try reader.readInteger())
            return .output(id, try reader.readOutputPiece())
        case .cpuUsed:
            let microseconds = try reader.readInteger(Int64.self)
            guard 0..<1 << 60 ~= microseconds else { throw reader.invalidValue }
            return .cpuUsed(microseconds: microseconds, at: Instant(nanoseconds: try reader.readInteger()))
        case nil: throw .unknownKind(kind)
        }
    }
}

extension FrameWriter {
    fileprivate mutating func write(_ hello: EngineHello) {
        writeString(hello.version)
        writeInt(hello.protocolVersion)
        writeInteger(hello.pid)
        writeString(hello.host)
        writeInt(hello.cores)
        writeString(hello.guardName)
    }

    fileprivate mutating func write(_ outcome: TaskOutcome) {
        writeInteger(outcome.pid)
        writeInteger(outcome.returnCode)
        writeInteger(outcome.ending.rawValue)
        writeInteger(outcome.start.microseconds)
        writeInteger(outcome.finish.microseconds)
        write(outcome.out)
        write(outcome.err)
        writeInteger(outcome.userMicroseconds)
        writeInteger(outcome.systemMicroseconds)
        writeInteger(outcome.peakResidentKiB)
    }

    private mutating func write(_ summary: OutputSummary) {
        writeInteger(summary.count)
        if summary.count > 0 { writeBytes(summary.edges) }
    }
}

extension FrameWriter {
    mutating func write(_ piece: OutputPiece) {
        writeInteger(piece.stream.rawValue)
        writeInteger(piece.offset)
        writeBytes(piece.bytes)
    }
}

extension FrameReader {
    mutating func readOutputPiece() throws(WireError) -> OutputPiece {
        let stream: TaskOutputStream = try readCase()
        let offset = try readInteger(UInt64.self)
        guard offset < 1 << 62 else { throw invalidValue }
        return OutputPiece(stream: stream, offset: offset, bytes: try readBytes())
    }

    fileprivate mutating func readHello() throws(WireError) -> EngineHello {
        let version = try readString()
        let protocolVersion = try readInt()
        let pid = try readInteger(Int32.self)
        let host = try readString()
        let cores = try readInt()
        return EngineHello(
            version: version, protocolVersion: protocolVersion, pid: pid, host: host, cores: cores,
            guardName: try readString())
    }

    fileprivate mutating func readOutcome() throws(WireError) -> TaskOutcome {
        let pid = try readInteger(Int32.self)
        let returnCode = try readInteger(Int32.self)
        let ending: Ending = try readCase()
        guard returnCode > .min else { throw invalidValue }
        let start = try readTimestamp()
        let finish = try readTimestamp()
        let out = try readSummary()
        let err = try readSummary()
        let user = try readInteger(Int64.self)
        let system = try readInteger(Int64.self)
        return TaskOutcome(
            pid: pid, returnCode: returnCode, ending: ending, start: start, finish: finish, out: out, err: err,
            userMicroseconds: user, systemMicroseconds: system, peakResidentKiB: try readInteger())
    }

    private mutating func readSummary() throws(WireError) -> OutputSummary {
        let count = try readInteger(UInt64.self)
        guard count > 0 else { return OutputSummary() }
        let edges = try readBytes()
        guard edges.count == Int(min(count, UInt64(2 * OutputSummary.edgeLength))) else { throw invalidValue }
        return OutputSummary(count: count, edges: edges)
    }
}
