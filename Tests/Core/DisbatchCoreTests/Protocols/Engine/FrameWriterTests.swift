import DisbatchCore
import Testing

/// What is written is sent in pieces of any size.
@Suite struct FrameWriterTests {
    @Test(arguments: [1, 7, 65_537, 300_000])
    func bytesComeOutInTheirOrder(piece: Int) {
        var writer = FrameWriter()
        var expected: [UInt8] = []
        var sent: [UInt8] = []
        for turn in 0..<20 {
            let more = (0..<piece).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ turn) }
            writer.append(more)
            expected += more
            let count = min(writer.count, piece * 2 / 3)
            sent += writer.withUnsafeBytes { Array($0.prefix(count)) }
            writer.drop(count)
            #expect(writer.count == expected.count - sent.count)
        }
        #expect(sent + writer.bytes == expected)
        #expect(sent + writer.take() == expected && writer.isEmpty)
    }

    @Test func aFrameBehindWhatWasSentIsWhole() throws {
        var writer = FrameWriter()
        writer.append([1, 2, 3])
        writer.drop(2)
        DriverFrame.recall(count: 5).encode(into: &writer)
        var buffer = FrameBuffer()
        Array(writer.bytes.dropFirst()).withUnsafeBytes { buffer.append($0) }
        let frame = try buffer.next { (kind, reader) throws(WireError) in
            try DriverFrame.decode(kind: kind, &reader)
        }
        #expect(frame == .recall(count: 5))
    }
}
