/// Counts what a task writes to one stream, and keeps its first and last 40 bytes: fixed memory, whatever comes.
package struct OutputTally: Equatable, Sendable {
    /// Bytes in all.
    package private(set) var count: UInt64 = 0
    private var head: [UInt8] = []
    private var tail: [UInt8] = []

    package init() {}

    /// Adds the bytes that were read next.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        count += UInt64(bytes.count)
        var rest = bytes[...]
        if head.count < OutputSummary.edgeLength {
            let taken = min(rest.count, OutputSummary.edgeLength - head.count)
            head.append(contentsOf: rest.prefix(taken))
            rest = rest.dropFirst(taken)
        }
        guard !rest.isEmpty else { return }
        let kept = rest.suffix(OutputSummary.edgeLength)
        let surplus = tail.count + kept.count - OutputSummary.edgeLength
        if surplus > 0 { tail.removeFirst(surplus) }
        tail.append(contentsOf: kept)
    }

    package var summary: OutputSummary { OutputSummary(count: count, edges: head + tail) }
}
