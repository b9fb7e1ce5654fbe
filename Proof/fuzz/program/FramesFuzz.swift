import DisbatchCore
import RunClient

@testable import GCERuntime

/// A kind of message of one of the protocols.
private protocol Frame {
    static func decode(kind: UInt8, _ reader: inout FrameReader) throws(WireError) -> Self
    func encode(into writer: inout FrameWriter)
}

extension DriverFrame: Frame {}
extension EngineFrame: Frame {}
extension ClientFrame: Frame {}
extension ServerFrame: Frame {}
extension RelayFrame: Frame {}
extension RelayOrder: Frame {}

/// Frames of all protocols: cut anywhere they are the same, and what is read of one and written is read again as the
/// same.
enum FramesFuzz {
    static func run(_ input: inout FuzzInput) {
        let kind = input.byte()
        let seed = input.byte()
        let bytes = kind & 8 == 0 ? framed(&input) : input.rest()
        switch kind & 7 {
        case 0: check(DriverFrame.self, bytes, seed)
        case 1: check(EngineFrame.self, bytes, seed)
        case 2: check(ClientFrame.self, bytes, seed)
        case 3: check(ServerFrame.self, bytes, seed)
        case 4: check(RelayFrame.self, bytes, seed)
        case 5: check(RelayOrder.self, bytes, seed)
        case 6: stream(bytes, seed)
        default: break
        }
    }

    /// Frames whose lengths are right: of each its kind, the length of its body, and the body.
    private static func framed(_ input: inout FuzzInput) -> [UInt8] {
        var writer = FrameWriter()
        while !input.isAtEnd {
            let kind = input.byte()
            let body = input.counted()
            writer.frame(kind) { $0.append(body) }
        }
        return writer.take()
    }

    /// The frames in some bytes, each as it is written, and what is wrong behind them.
    private struct Reading: Equatable {
        var frames: [[UInt8]] = []
        var error: WireError?
        var rest: [UInt8] = []
    }

    private static func check<Kind: Frame>(_ type: Kind.Type, _ bytes: [UInt8], _ seed: UInt8) {
        let whole = read(type, [bytes[...]])
        var pieces: [ArraySlice<UInt8>] = []
        var cutter = FuzzPieces(seed: seed)
        cutter.cut(bytes) { pieces.append($0) }
        var inPieces = read(type, pieces)
        // Behind an error all that had come is there.
        if whole.error != nil { inPieces.rest = whole.rest }
        expectEqual(whole, inPieces, "frames at once and in pieces")
        let again = read(type, [whole.frames.flatMap { $0 }[...]])
        expectEqual(again, Reading(frames: whole.frames), "frames that were read and written")
    }

    private static func read<Kind: Frame>(_ type: Kind.Type, _ pieces: [ArraySlice<UInt8>]) -> Reading {
        var buffer = FrameBuffer()
        var reading = Reading()
        do throws(WireError) {
            for piece in pieces {
                Array(piece).withUnsafeBytes { buffer.append($0) }
                while let frame = try buffer.next({ (kind, reader) throws(WireError) in
                    try Kind.decode(kind: kind, &reader)
                }) {
                    if case .snapshot(let snapshot) = frame as? ServerFrame { show(snapshot) }
                    var writer = FrameWriter()
                    frame.encode(into: &writer)
                    reading.frames.append(writer.take())
                }
            }
        } catch {
            reading.error = error
            expect(!error.description.isEmpty, "a text")
        }
        reading.rest = Array(buffer.rest)
        return reading
    }

    /// What a watcher makes of a picture of the run.
    private static func show(_ snapshot: RunSnapshot) {
        var state = RunState(name: "r")
        state.apply(snapshot)
        state.apply(snapshot)
        let file = RunFileText(
            name: "r", version: "1", host: "h", pid: 1, start: snapshot.start, workingDirectory: "/")
        for text in [StatusText.line(state), StatusText.whole(state, file)] { expect(!text.isEmpty, "a text") }
        expect(JSONValue(parsing: StatusText.json(state, file)) != nil, "JSON: \(StatusText.json(state, file))")
    }

    // MARK: The stream of a relay

    /// Two ends of a stream over connections that break: what one end says comes to the other, once and in order.
    /// Numbers of bytes that make no sense are refused.
    private static func stream(_ bytes: [UInt8], _ seed: UInt8) {
        var (sender, receiver) = (RelayStream(), RelayStream())
        var (said, heard): ([UInt8], [UInt8]) = ([], [])
        var onTheWay: [[UInt8]] = []
        var told: [UInt64] = []
        for byte in bytes {
            switch byte & 7 {
            case 0...2:
                let some = (0..<Int(byte)).map { UInt8(truncatingIfNeeded: said.count + $0) }
                sender.output.append(some)
                said += some
            case 3: if let piece = sender.nextPiece() { onTheWay.append(piece) }
            case 4:
                guard !onTheWay.isEmpty else { break }
                let piece = onTheWay.removeFirst()
                receiver.took(piece.count)
                heard += piece
            case 5: if let count = receiver.acknowledgement(always: byte & 8 != 0) { told.append(count) }
            case 6:
                guard !told.isEmpty else { break }
                let count = told.removeFirst()
                expect((try? sender.acknowledged(upTo: count)) != nil, "a true word is taken")
            default:
                if byte & 8 != 0 {
                    (onTheWay, told) = ([], [])
                    expect((try? sender.resume(from: receiver.received)) != nil, "a true word after a break")
                } else {
                    var copy = sender
                    expect((try? copy.acknowledged(upTo: UInt64(said.count) + UInt64(byte))) == nil, "a lie")
                    expect((try? copy.resume(from: .max)) == nil, "a great lie")
                }
            }
        }
        (onTheWay, told) = ([], [])
        expect((try? sender.resume(from: receiver.received)) != nil, "a last break")
        while let piece = sender.nextPiece() { heard += piece }
        expectEqual(said, heard, "what was said")
    }
}
