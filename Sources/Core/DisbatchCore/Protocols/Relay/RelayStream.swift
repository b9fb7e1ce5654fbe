/// One end of a stream of bytes, both ways, that outlives the connections which carry it one after the other: what the
/// other end has not acknowledged is kept, and sent again over the next connection.
package struct RelayStream {
    /// Bytes to be sent, and bytes that were sent and not acknowledged.
    package var output = FrameWriter()
    /// How much of ``output`` has gone over the connection that there is.
    private var sent = 0
    /// Bytes in all, since the stream began: those that the other end acknowledged, those that came, and those of which
    /// it was told that they came.
    private var acknowledged: UInt64 = 0
    package private(set) var received: UInt64 = 0
    private var told: UInt64 = 0

    /// The most bytes of one piece.
    package static let pieceLimit = 1 << 15
    /// The number of bytes that may come before the other end is told at once.
    private static let tellingInterval: UInt64 = 1 << 16

    package init() {}

    /// How many bytes wait to be sent.
    package var unsentCount: Int { output.count - sent }

    /// The next bytes to be sent over the connection; nil where there are none.
    package mutating func nextPiece() -> [UInt8]? {
        guard unsentCount > 0 else { return nil }
        let end = min(output.count, sent + Self.pieceLimit)
        let piece = output.withUnsafeBytes { Array($0[sent..<end]) }
        sent = end
        return piece
    }

    /// Counts bytes that came.
    package mutating func took(_ count: Int) { received += UInt64(count) }

    /// How many bytes have come, if the other end is to be told now.
    ///
    /// - Parameter always: also where little has come since it was told last, or nothing.
    package mutating func acknowledgement(always: Bool = false) -> UInt64? {
        guard always || received - told >= Self.tellingInterval else { return nil }
        told = received
        return received
    }

    /// Drops the bytes that have come to the other end, up to this total since the stream began.
    ///
    /// - Throws: ``WireError/outOfStep`` where they were never sent.
    package mutating func acknowledged(upTo total: UInt64) throws(WireError) {
        guard total >= acknowledged, total - acknowledged <= UInt64(sent) else { throw .outOfStep }
        let count = Int(total - acknowledged)
        output.drop(count)
        sent -= count
        acknowledged = total
    }

    /// Begins with a new connection: the other end has so many bytes.
    package mutating func resume(from total: UInt64) throws(WireError) {
        sent = output.count
        try acknowledged(upTo: total)
        sent = 0
        told = received
    }
}
