import DisbatchCore
import Testing

struct FrameRoundTripTests {
    @Test(arguments: WireSamples.driver)
    func driverFrameComesBack(_ frame: DriverFrame) throws {
        var buffer = FrameBuffer()
        buffer.append(WireSamples.bytes(frame))
        #expect(try buffer.nextDriverFrame() == frame)
        #expect(buffer.isEmpty)
        #expect(try buffer.nextDriverFrame() == nil)
    }

    @Test(arguments: WireSamples.engine)
    func engineFrameComesBack(_ frame: EngineFrame) throws {
        var buffer = FrameBuffer()
        buffer.append(WireSamples.bytes(frame))
        #expect(try buffer.nextEngineFrame() == frame)
        #expect(buffer.isEmpty)
        #expect(try buffer.nextEngineFrame() == nil)
    }

    /// What another version says of itself is understood though it says more, so that the mismatch can be named.
    @Test func aLongerHelloIsUnderstood() throws {
        let hello = EngineHello(version: "9", protocolVersion: 2, pid: 1, host: "h", cores: 3)
        let body = WireSamples.bytes(EngineFrame.hello(hello)).dropFirst(5)
        var buffer = FrameBuffer()
        buffer.append(WireSamples.frame(kind: 65, body: body + [1, 2, 3]))
        buffer.append(WireSamples.bytes(EngineFrame.ready(slots: 1)))
        #expect(try buffer.nextEngineFrame() == .hello(hello))
        #expect(try buffer.nextEngineFrame() == .ready(slots: 1))
    }

    /// However the bytes of a stream are cut, the same frames come out of it.
    @Test(arguments: [1, 2, 3, 5, 7, 64, 4096])
    func framesAreFoundInAnyPieces(size: Int) throws {
        let frames = WireSamples.driver.filter { WireSamples.bytes($0).count < 1000 }
        let stream = frames.flatMap { WireSamples.bytes($0) }
        var buffer = FrameBuffer()
        var found: [DriverFrame] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            buffer.append(stream[start..<min(start + size, stream.count)])
            while let frame = try buffer.nextDriverFrame() { found.append(frame) }
        }
        #expect(found == frames)
        #expect(buffer.isEmpty)
    }

    @Test func twoPiecesCutAtEveryByte() throws {
        let frames: [EngineFrame] = [.returned([AssignmentID(7)]), .log(.info, "text"), .signal(10)]
        let stream = frames.flatMap { WireSamples.bytes($0) }
        for cut in 0...stream.count {
            var buffer = FrameBuffer()
            var found: [EngineFrame] = []
            for piece in [stream[..<cut], stream[cut...]] {
                buffer.append(piece)
                while let frame = try buffer.nextEngineFrame() { found.append(frame) }
            }
            #expect(found == frames, "cut at \(cut)")
        }
    }

    /// A buffer that is never quite empty drops what was read.
    @Test func aLongStreamIsReadThrough() throws {
        var buffer = FrameBuffer()
        let long = DriverFrame.run(
            Assignment(
                id: AssignmentID(1), kind: .task,
                spec: TaskSpec(id: TaskID(1), streamIndex: 1, command: [UInt8](repeating: 97, count: 30_000)),
                attempt: 1))
        let bytes = WireSamples.bytes(long)
        for turn in 0..<200 {
            buffer.append(turn == 0 ? bytes + bytes[..<9] : bytes[9...] + bytes[..<9])
            #expect(try buffer.nextDriverFrame() == long)
            #expect(try buffer.nextDriverFrame() == nil)
            #expect(buffer.rest.count == 9)
        }
    }

    @Test func whatWasSentIsDropped() {
        var writer = FrameWriter()
        DriverFrame.shutDown.encode(into: &writer)
        DriverFrame.recall(count: 3).encode(into: &writer)
        let all = writer.bytes
        writer.drop(4)
        #expect(writer.bytes == Array(all[4...]))
        writer.drop(writer.bytes.count)
        #expect(writer.isEmpty)
        DriverFrame.shutDown.encode(into: &writer)
        #expect(writer.take() == [1, 0, 0, 0, 6])
        #expect(writer.isEmpty)
    }
}
