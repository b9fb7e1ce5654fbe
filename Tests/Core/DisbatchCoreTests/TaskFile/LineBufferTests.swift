import Testing

@testable import DisbatchCore

@Suite struct LineBufferTests {
    @Test func findsLineFeedAndNULAtEveryPlace() {
        // The neighbours of LF and NUL, and bytes with the high bit set, are what a wrong word trick would take.
        for filler: UInt8 in [0x01, 0x09, 0x0B, 0x0C, 0x7F, 0x80, 0x81, 0x8A, 0x8B, 0xFF] {
            for length in 0..<20 {
                for place in 0...length {
                    for target: UInt8 in [0x00, 0x0A] {
                        var bytes = [UInt8](repeating: filler, count: length)
                        if place < length { bytes[place] = target }
                        let found = bytes.withUnsafeBytes { LineBuffer.firstLineFeedOrNUL(in: $0, from: 0) }
                        guard found != place else { continue }
                        Issue.record("found \(found), not \(place), in \(bytes)")
                    }
                }
            }
        }
    }

    @Test func findsTheFirstOfTwo() {
        for first in 0..<8 {
            for second in (first + 1)..<10 {
                for (one, two): (UInt8, UInt8) in [(0, 10), (10, 0), (10, 11), (0, 1), (10, 10)] {
                    var bytes = [UInt8](repeating: 0x61, count: 16)
                    bytes[first] = one
                    bytes[second] = two
                    let found = bytes.withUnsafeBytes { LineBuffer.firstLineFeedOrNUL(in: $0, from: 0) }
                    #expect(found == first, "\(one) at \(first), \(two) at \(second)")
                }
            }
        }
    }

    @Test func holdsAtMostTwiceTheUnreadBytes() {
        var buffer = LineBuffer()
        var random = SystemRandomNumberGenerator()
        var peak = 0
        for _ in 0..<2000 {
            var line = [UInt8](repeating: 0x61, count: Int.random(in: 0..<100, using: &random))
            line.append(Byte.lineFeed)
            line.withUnsafeBytes { buffer.append($0) }
            #expect(buffer.heldCount <= 2 * buffer.unreadCount)
            peak = max(peak, buffer.heldCount)
            while buffer.unreadCount > 1000, buffer.next() != nil {}
        }
        #expect(peak < 4000)
    }

    @Test func givesAllBackAtTheEnd() {
        var buffer = LineBuffer()
        [UInt8](repeating: 0x61, count: 100).withUnsafeBytes { buffer.append($0) }
        #expect(buffer.next() == nil)
        buffer.finish()
        #expect(buffer.next() == LineBuffer.Line(range: 0..<100, isTerminated: false, firstNUL: -1))
        #expect(buffer.next() == nil)
        #expect(buffer.heldCount == 0)
    }
}
