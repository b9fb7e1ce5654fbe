internal import DisbatchCore

extension UnsafeBufferPointer<UInt8> {
    /// Whether these bytes are UTF-8 without a NUL. Quick for ASCII, which commands and output nearly always are.
    var isText: Bool {
        var isPlain = true
        for byte in self {
            guard byte != 0 else { return false }
            if byte >= 0x80 { isPlain = false }
        }
        return isPlain || String(validating: self, as: UTF8.self) != nil
    }
}

extension OutputSummary {
    /// The excerpt of the stream that disBatch shows too: all of it up to 40 bytes; of more the first 40, `...`, and
    /// the last up to 40 of the rest.
    var snippet: [UInt8] {
        guard edges.count > Self.edgeLength else { return edges }
        var shown: [UInt8] = []
        shown.reserveCapacity(edges.count + 3)
        shown += edges[..<Self.edgeLength]
        shown += [0x2e, 0x2e, 0x2e]
        shown += edges[Self.edgeLength...]
        return shown
    }
}
