/// A message from a relay to its driver, in the stream that connections carry.
package enum RelayFrame: Equatable, Sendable {
    /// The first frame. The answer: ``RelayOrder/accepted(_:label:)`` or ``RelayOrder/refused(reason:)``.
    case offer(ContextOffer)
    /// An engine's channel is there, and its first line has come.
    case spoke(EngineID)
    /// The next bytes from an engine.
    case said(EngineID, [UInt8])
    /// The number of bytes for an engine that have gone into its channel since this was last said.
    case passedOn(EngineID, count: Int)
    /// An engine's channel and who carried it have ended, or there never was one.
    case ended(EngineID, EngineEnd)
    /// The result of a command.
    case commandEnded(number: Int, status: Int32?, text: String)
    /// The relay got a signal: the context is to go.
    case signal(number: Int32)
    /// A line for the driver's log.
    case log(LogLevel, String)
    /// Another engine can be had; it is the next of the context's plan. Said of elastic contexts alone, as are the two
    /// below.
    case engineOffered(EnginePlan)
    /// An engine is to be given no more tasks, and to go when it has none.
    case engineLeaving(EngineID)
    /// No more engines will be offered.
    case complete
    /// Nothing of an engine is left: its machine is gone.
    case gone(EngineID)
}

/// How much there is to do for an elastic context.
package struct RelayDemand: Equatable, Sendable {
    /// Tasks that no engine was given; nil where that is not known.
    package var waiting: Int?
    /// Tasks that engines of the context hold.
    package var outstanding: Int
    /// Its engines that hold none.
    package var idle: [EngineID]

    package init(waiting: Int?, outstanding: Int, idle: [EngineID]) {
        self.waiting = waiting
        self.outstanding = outstanding
        self.idle = idle
    }
}

/// A message from a driver to a relay.
package enum RelayOrder: Equatable, Sendable {
    /// The context is one of the run's, under this label. Engines that do not speak for so long are to be ended.
    case accepted(ContextID, label: String, patience: Duration)
    case refused(reason: String)
    /// Launch an engine of the plan; its standard error goes to a file of this path, and a step of an allocation has
    /// this name.
    case launch(EngineID, place: Int, errors: String, step: String)
    /// The next bytes for an engine.
    case say(EngineID, [UInt8])
    /// Close an engine's channel; who carries it is told to end too.
    case close(EngineID)
    /// Run a command, and tell what came of it.
    case run(number: Int, words: [String])
    /// To an elastic context: how much there is to do.
    case demand(RelayDemand)
    /// The context is over: no engine of it is left.
    case released(text: String, isGood: Bool)
}

extension RelayFrame {
    private enum Kind: UInt8 {
        case offer = 1
        case spoke, said, passedOn, ended, commandEnded, signal, log, engineOffered, engineLeaving, complete,
            gone
    }

    /// Appends the frame, length first.
    package func encode(into writer: inout FrameWriter) {
        switch self {
        case .offer(var offer):
            offer.plan = offer.plan.withoutLaunching
            writer.frame(Kind.offer.rawValue) { $0.write(offer) }
        case .spoke(let id): writer.frame(Kind.spoke.rawValue) { $0.writeInt(id.rawValue) }
        case .said(let id, let bytes):
            writer.frame(Kind.said.rawValue) {
                $0.writeInt(id.rawValue)
                $0.writeBytes(bytes)
            }
        case .passedOn(let id, let count):
            writer.frame(Kind.passedOn.rawValue) {
                $0.writeInt(id.rawValue)
                $0.writeInt(count)
            }
        case .ended(let id, let end):
            writer.frame(Kind.ended.rawValue) {
                $0.writeInt(id.rawValue)
                $0.writeInteger(end.status)
                $0.writeOptional(end.reason) { $0.writeString($1) }
                $0.writeString(end.printedBefore)
                $0.writeBool(end.isHopeless)
            }
        case .commandEnded(let number, let status, let text):
            writer.frame(Kind.commandEnded.rawValue) {
                $0.writeInt(number)
                $0.writeOptional(status) { $0.writeInteger($1) }
                $0.writeString(text)
            }
        case .signal(let number): writer.frame(Kind.signal.rawValue) { $0.writeInteger(number) }
        case .log(let level, let text):
            writer.frame(Kind.log.rawValue) {
                $0.writeInteger(level.rawValue)
                $0.writeString(text)
            }
        case .engineOffered(let engine): writer.frame(Kind.engineOffered.rawValue) { $0.write(engine) }
        case .engineLeaving(let id): writer.frame(Kind.engineLeaving.rawValue) { $0.writeInt(id.rawValue) }
        case .complete: writer.frame(Kind.complete.rawValue) { _ in }
        case .gone(let id): writer.frame(Kind.gone.rawValue) { $0.writeInt(id.rawValue) }
        }
    }

    /// Reads the body of a frame of this kind.
    package static func decode(kind: UInt8, _ reader: inout FrameReader) throws(WireError) -> RelayFrame {
        switch Kind(rawValue: kind) {
        case .offer: return .offer(try reader.readContextOffer())
        case .spoke: return .spoke(try reader.readEngineID())
        case .said:
            let id = try reader.readEngineID()
            return .said(id, try reader.readBytes())
        case .passedOn:
            let id = try reader.readEngineID()
            return .passedOn(id, count: try reader.readNumber())
        case .ended:
            let id = try reader.readEngineID()
            let status = try reader.readInteger(Int32.self)
            guard status > .min else { throw reader.invalidValue }
            let reason = try reader.readOptional { (r) throws(WireError) in try r.readString() }
            let printed = try reader.readString()
            return .ended(
                id,
                EngineEnd(
                    status: status, reason: reason, printedBefore: printed, isHopeless: try reader.readBool()))
        case .commandEnded:
            let number = try reader.readInt()
            let status = try reader.readOptional { (r) throws(WireError) in try r.readInteger(Int32.self) }
            return .commandEnded(number: number, status: status, text: try reader.readString())
        case .signal: return .signal(number: try reader.readInteger(Int32.self))
        case .log:
            let level = try reader.readCase(LogLevel.self)
            return .log(level, try reader.readString())
        case .engineOffered: return .engineOffered(try reader.readEnginePlan())
        case .engineLeaving: return .engineLeaving(try reader.readEngineID())
        case .complete: return .complete
        case .gone: return .gone(try reader.readEngineID())
        case nil: throw .unknownKind(kind)
        }
    }
}

extension RelayOrder {
    private enum Kind: UInt8 {
        case accepted = 65
        case refused, launch, say, close, run, demand, released
    }

    /// Appends the frame, length first.
    package func encode(into writer: inout FrameWriter) {
        switch self {
        case .accepted(let context, let label, let patience):
            writer.frame(Kind.accepted.rawValue) {
                $0.writeInt(context.rawValue)
                $0.writeString(label)
                $0.writeDuration(patience)
            }
        case .refused(let reason): writer.frame(Kind.refused.rawValue) { $0.writeString(reason) }
        case .launch(let id, let place, let errors, let step):
            writer.frame(Kind.launch.rawValue) {
                $0.writeInt(id.rawValue)
                $0.writeInt(place)
                $0.writeString(errors)
                $0.writeString(step)
            }
        case .say(let id, let bytes):
            writer.frame(Kind.say.rawValue) {
                $0.writeInt(id.rawValue)
                $0.writeBytes(bytes)
            }
        case .close(let id): writer.frame(Kind.close.rawValue) { $0.writeInt(id.rawValue) }
        case .run(let number, let words):
            writer.frame(Kind.run.rawValue) {
                $0.writeInt(number)
                $0.writeList(words) { $0.writeString($1) }
            }
        case .demand(let demand):
            writer.frame(Kind.demand.rawValue) {
                $0.writeOptional(demand.waiting) { $0.writeInt($1) }
                $0.writeInt(demand.outstanding)
                $0.writeList(demand.idle) { $0.writeInt($1.rawValue) }
            }
        case .released(let text, let isGood):
            writer.frame(Kind.released.rawValue) {
                $0.writeString(text)
                $0.writeBool(isGood)
            }
        }
    }

    /// Reads the body of a frame of this kind.
    package static func decode(kind: UInt8, _ reader: inout FrameReader) throws(WireError) -> RelayOrder {
        switch Kind(rawValue: kind) {
        case .accepted:
            let context = ContextID(try reader.readInt())
            let label = try reader.readString()
            return .accepted(context, label: label, patience: try reader.readDuration())
        case .refused: return .refused(reason: try reader.readString())
        case .launch:
            let id = try reader.readEngineID()
            let place = try reader.readNumber()
            let errors = try reader.readString()
            return .launch(id, place: place, errors: errors, step: try reader.readString())
        case .say:
            let id = try reader.readEngineID()
            return .say(id, try reader.readBytes())
        case .close: return .close(try reader.readEngineID())
        case .run:
            let number = try reader.readInt()
            return .run(number: number, words: try reader.readList { (r) throws(WireError) in try r.readString() })
        case .demand:
            let waiting = try reader.readOptional { (r) throws(WireError) in try r.readInt() }
            let outstanding = try reader.readInt()
            let idle = try reader.readList { (r) throws(WireError) in try r.readEngineID() }
            return .demand(RelayDemand(waiting: waiting, outstanding: outstanding, idle: idle))
        case .released:
            let text = try reader.readString()
            return .released(text: text, isGood: try reader.readBool())
        case nil: throw .unknownKind(kind)
        }
    }
}

extension FrameReader {
    fileprivate mutating func readEngineID() throws(WireError) -> EngineID { EngineID(try readNumber()) }

    /// A number that is not negative.
    fileprivate mutating func readNumber() throws(WireError) -> Int {
        let number = try readInt()
        guard number >= 0 else { throw invalidValue }
        return number
    }
}
