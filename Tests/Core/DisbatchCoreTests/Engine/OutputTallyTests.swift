import Testing

@testable import DisbatchCore

struct OutputTallyTests {
    /// Bytes that differ from their neighbours.
    private static func text(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) } }

    private static func summary(_ pieces: [ArraySlice<UInt8>]) -> OutputSummary {
        var tally = OutputTally()
        for piece in pieces { Array(piece).withUnsafeBytes { tally.add($0) } }
        return tally.summary
    }

    private static func expected(_ text: [UInt8]) -> OutputSummary {
        OutputSummary(
            count: UInt64(text.count), edges: text.count <= 80 ? text : Array(text.prefix(40) + text.suffix(40)))
    }

    @Test func everySizeInOnePiece() {
        for size in 0...200 {
            let text = Self.text(size)
            #expect(Self.summary([text[...]]) == Self.expected(text), "\(size) bytes")
        }
    }

    @Test func everySizeInTwoPieces() {
        for size in 0...200 {
            let text = Self.text(size)
            for cut in 0...size where Self.summary([text[..<cut], text[cut...]]) != Self.expected(text) {
                Issue.record("\(size) bytes cut at \(cut)")
            }
        }
    }

    @Test func everySizeInPiecesOfEverySize() {
        for size in 0...200 {
            let text = Self.text(size)
            for piece in 1...max(1, size) {
                let pieces = stride(from: 0, to: size, by: piece).map { text[$0..<min($0 + piece, size)] }
                if Self.summary(pieces) != Self.expected(text) { Issue.record("\(size) bytes by \(piece)") }
            }
        }
    }

    @Test func nothingIsNothing() {
        #expect(Self.summary([]) == OutputSummary())
        #expect(Self.summary([[], []]) == OutputSummary())
    }
}
