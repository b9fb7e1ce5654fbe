/// A message to a driver from somebody who watches or controls its run.
package enum ClientFrame: Equatable, Sendable {
    /// The first frame.
    case hello(version: String, protocolVersion: Int)
    /// Send a snapshot now, and one so often from then on; zero: this one only.
    case watch(every: Duration)
    case listRunning
    case control(RunControl)
    /// This is a relay, with the number of its stream; so many bytes of it have come. From the answer on, only the two
    /// below are said.
    case relay(stream: UInt64, isNew: Bool, received: UInt64)
    /// The next bytes of the stream.
    case relayed([UInt8])
    /// The number of bytes of the stream that have come in all.
    case relayAcknowledged(UInt64)
    /// Send what this task writes, from now on or from its start, until it has ended.
    case tail(TaskID)
}

/// A request that may be made of a run.
package enum RunControl: Equatable, Sendable {
    /// Nothing new starts; the run ends when what runs has ended.
    case drain
    /// All that runs is ended; asked again, at once.
    case stop
    /// An engine, or a context, takes no more tasks and goes.
    case stopEngine(EngineID)
    case stopContext(label: String)
    /// A running task is ended, for good; asked again, at once.
    case kill(TaskID)
}

/// A driver's message to who watches or controls its run.
package enum ServerFrame: Equatable, Sendable {
    /// The answer to the first frame.
    case welcome(version: String, protocolVersion: Int, name: String)
    case snapshot(RunSnapshot)
    case running([RunningTask])
    /// The answer to a control: what was done, or why it could not be.
    case answer(isDone: Bool, text: String)
    /// The run is over.
    case ended(exitStatus: Int32, summary: String)
    /// A message for a relay alone.
    case relay(RelayDown)
    /// News of the task that is followed.
    case tail(TailNews)
}

/// A driver's message to a relay.
package enum RelayDown: Equatable, Sendable {
    /// The answer to ``ClientFrame/relay(stream:isNew:received:)``, if it is taken.
    case welcome(RelayConditions, received: UInt64)
    /// The next bytes of the stream.
    case bytes([UInt8])
    /// The number of bytes of the stream that have come in all.
    case acknowledged(UInt64)
}

/// Conditions of the run that a relay has to know before it says what its context is.
package struct RelayConditions: Equatable, Sendable {
    /// The run's `-c`, `-t`, `-E`, for contexts that have none of their own.
    package var coresPerTask: Double?
    package var tasksPerNode: Int?
    package var sharedVariables: [String] = []
    /// How many contexts there have been.
    package var contextCount = 0
    /// How long a relay that lost the driver looks for it.
    package var lease = Duration.zero

    package init() {}
}

/// The rules that both ends of a link share.
package enum LinkProtocol {
    package static let version = 1
    /// The longest frame from a client.
    package static let maximumClientFrame = 1 << 16
}

extension ClientFrame {
    private enum Kind: UInt8 {
        case hello = 1
        case watch, listRunning, control, relay, relayed, relayAcknowledged, tail
    }

    private enum Control: UInt8 {
        case drain, stop, stopEngine, stopContext, kill
    }

    /// Appends the frame, length first.
    package func encode(into writer: inout FrameWriter) {
        switch self {
        case .hello(let version, let protocolVersion):
            writer.frame(Kind.hello.rawValue) {
                $0.writeString(version)
                $0.writeInt(protocolVersion)
            }
        case .watch(let every): writer.frame(Kind.watch.rawValue) { $0.writeDuration(every) }
        case .listRunning: writer.frame(Kind.listRunning.rawValue) { _ in }
        case .control(let control): writer.frame(Kind.control.rawValue) { Self.write(control, to: &$0) }
        case .relay(let stream, let isNew, let received):
            writer.frame(Kind.relay.rawValue) {
                $0.writeInteger(stream)
                $0.writeBool(isNew)
                $0.writeInteger(received)
            }
        case .relayed(let bytes): writer.frame(Kind.relayed.rawValue) { $0.writeBytes(bytes) }
        case .relayAcknowledged(let count): writer.frame(Kind.relayAcknowledged.rawValue) { $0.writeInteger(count) }
        case .tail(let task): writer.frame(Kind.tail.rawValue) { $0.writeInt(task.rawValue) }
        }
    }

    private static func write(_ control: RunControl, to writer: inout FrameWriter) {
        switch control {
        case .drain: writer.writeInteger(Control.drain.rawValue)
        case .stop: writer.writeInteger(Control.stop.rawValue)
        case .stopEngine(let engine):
            writer.writeInteger(Control.stopEngine.rawValue)
            writer.writeInt(engine.rawValue)
        case .stopContext(let label):
            writer.writeInteger(Control.stopContext.rawValue)
            writer.writeString(label)
        case .kill(let task):
            writer.writeInteger(Control.kill.rawValue)
            writer.writeInt(task.rawValue)
        }
    }

    /// Reads the body of a frame of this kind.
    package static func decode(kind: UInt8, _ reader: inout FrameReader) throws(WireError) -> ClientFrame {
        switch Kind(rawValue: kind) {
        case .hello:
            let version = try reader.readString()
            return .hello(version: version, protocolVersion: try reader.readInt())
        case .watch: return .watch(every: try reader.readDuration())
        case .listRunning: return .listRunning
        case .control: return .control(try control(&reader))
        case .relay:
            let stream = try reader.readInteger(UInt64.self)
            let isNew = try reader.readBool()
            return .relay(stream: stream, isNew: isNew, received: try reader.readInteger(UInt64.self))
        case .relayed: return .relayed(try reader.readBytes())
        case .relayAcknowledged: return .relayAcknowledged(try reader.readInteger(UInt64.self))
        case .tail: return .tail(TaskID(try reader.readInt()))
        case nil: throw .unknownKind(kind)
        }
    }

    private static func control(_ reader: inout FrameReader) throws(WireError) -> RunControl {
        switch try reader.readCase(Control.self) {
        case .drain: .drain
        case .stop: .stop
        case .stopEngine: .stopEngine(EngineID(try reader.readInt()))
        case .stopContext: .stopContext(label: try reader.readString())
        case .kill: .kill(TaskID(try reader.readInt()))
        }
    }
}

extension ServerFrame {
    private enum Kind: UInt8 {
        case welcome = 65
        case snapshot, running, answer, ended, relayWelcome, relayed, relayAcknowledged, tail
    }

    /// Appends the frame, length first.
    package func encode(into writer: inout FrameWriter) {
        switch self {
        case .welcome(let version, let protocolVersion, let name):
            writer.frame(Kind.welcome.rawValue) {
                $0.writeString(version)
                $0.writeInt(protocolVersion)
                $0.writeString(name)
            }
        case .snapshot(let snapshot): writer.frame(Kind.snapshot.rawValue) { $0.write(snapshot) }
        case .running(let tasks): writer.frame(Kind.running.rawValue) { $0.writeList(tasks) { $0.write($1) } }
        case .answer(let isDone, let text):
            writer.frame(Kind.answer.rawValue) {
                $0.writeBool(isDone)
                $0.writeString(text)
            }
        case .ended(let exitStatus, let summary):
            writer.frame(Kind.ended.rawValue) {
                $0.writeInteger(exitStatus)
                $0.writeString(summary)
            }
        case .relay(.welcome(let conditions, let received)):
            writer.frame(Kind.relayWelcome.rawValue) {
                $0.write(conditions)
                $0.writeInteger(received)
            }
        case .relay(.bytes(let bytes)): writer.frame(Kind.relayed.rawValue) { $0.writeBytes(bytes) }
        case .relay(.acknowledged(let count)):
            writer.frame(Kind.relayAcknowledged.rawValue) { $0.writeInteger(count) }
        case .tail(let news): writer.frame(Kind.tail.rawValue) { $0.write(news) }
        }
    }

    /// Reads the body of a frame of this kind.
    package static func decode(kind: UInt8, _ reader: inout FrameReader) throws(WireError) -> ServerFrame {
        switch Kind(rawValue: kind) {
        case .welcome:
            let version = try reader.readString()
            let protocolVersion = try reader.readInt()
            return .welcome(version: version, protocolVersion: protocolVersion, name: try reader.readString())
        case .snapshot: return .snapshot(try reader.readSnapshot())
        case .running:
            return .running(try reader.readList { (r) throws(WireError) in try r.readRunningTask() })
        case .answer:
            let isDone = try reader.readBool()
            return .answer(isDone: isDone, text: try reader.readString())
        case .ended:
            let exitStatus = try reader.readInteger(Int32.self)
            return .ended(exitStatus: exitStatus, summary: try reader.readString())
        case .relayWelcome:
            let conditions = try reader.readRelayConditions()
            return .relay(.welcome(conditions, received: try reader.readInteger(UInt64.self)))
        case .relayed: return .relay(.bytes(try reader.readBytes()))
        case .relayAcknowledged: return .relay(.acknowledged(try reader.readInteger(UInt64.self)))
        case .tail: return .tail(try reader.readTailNews())
        case nil: throw .unknownKind(kind)
        }
    }
}

extension FrameWriter {
    fileprivate mutating func write(_ conditions: RelayConditions) {
        writeOptional(conditions.coresPerTask?.bitPattern) { $0.writeInteger($1) }
        writeOptional(conditions.tasksPerNode) { $0.writeInt($1) }
        writeList(conditions.sharedVariables) { $0.writeString($1) }
        writeInt(conditions.contextCount)
        writeDuration(conditions.lease)
    }
}

extension FrameReader {
    fileprivate mutating func readRelayConditions() throws(WireError) -> RelayConditions {
        var conditions = RelayConditions()
        conditions.coresPerTask = try readOptional { (r) throws(WireError) in try r.readDouble() }
        conditions.tasksPerNode = try readOptional { (r) throws(WireError) in try r.readInt() }
        conditions.sharedVariables = try readList { (r) throws(WireError) in try r.readString() }
        conditions.contextCount = try readInt()
        conditions.lease = try readDuration()
        return conditions
    }
}
