/// Writes frames one behind the other, to be sent in one piece.
package struct FrameWriter {
    private var storage: [UInt8] = []
    /// The number of its bytes that were dropped already.
    private var start = 0

    package init() {}

    package var isEmpty: Bool { start == storage.count }

    /// How many bytes were written and not dropped.
    package var count: Int { storage.count - start }

    /// The bytes that were written and not dropped.
    package var bytes: [UInt8] { start == 0 ? storage : Array(storage[start...]) }

    /// The same, to be sent.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try storage.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Takes out what was written so far.
    package mutating func take() -> [UInt8] {
        defer { drop(count) }
        return bytes
    }

    /// Drops what was sent from the front.
    package mutating func drop(_ count: Int) {
        start += count
        if start == storage.count {
            storage.removeAll(keepingCapacity: storage.capacity < 1 << 20)
            start = 0
        } else if start > 1 << 16, start > storage.count / 2 {
            storage.removeSubrange(..<start)
            start = 0
        }
    }

    /// Writes bytes that are no frame, for who is to read them before the first.
    package mutating func append(_ raw: [UInt8]) { storage += raw }

    /// Writes one frame, its body by `body`.
    package mutating func frame(_ kind: UInt8, _ body: (inout FrameWriter) -> Void) {
        let start = storage.count
        writeInteger(UInt32(0))
        storage.append(kind)
        body(&self)
        let length = UInt32(storage.count - start - 4)
        for byte in 0..<4 { storage[start + byte] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(byte))) }
    }

    /// A number in its own size, little-endian.
    package mutating func writeInteger<Integer: FixedWidthInteger>(_ value: Integer) {
        Swift.withUnsafeBytes(of: value.littleEndian) { storage.append(contentsOf: $0) }
    }

    /// A number as eight bytes.
    package mutating func writeInt(_ value: Int) { writeInteger(Int64(value)) }

    /// A truth value as one byte.
    package mutating func writeBool(_ value: Bool) { storage.append(value ? 1 : 0) }

    /// Bytes, their count first.
    package mutating func writeBytes(_ value: [UInt8]) {
        writeInteger(UInt32(value.count))
        storage.append(contentsOf: value)
    }

    /// Text in UTF-8, its length first.
    package mutating func writeString(_ value: String) {
        writeInteger(UInt32(value.utf8.count))
        storage.append(contentsOf: value.utf8)
    }

    /// Elements, their count first.
    package mutating func writeList<Element>(_ list: [Element], _ element: (inout FrameWriter, Element) -> Void) {
        writeInteger(UInt32(list.count))
        for item in list { element(&self, item) }
    }

    /// A byte that says whether a value follows, and the value.
    package mutating func writeOptional<Value>(_ value: Value?, _ write: (inout FrameWriter, Value) -> Void) {
        writeBool(value != nil)
        if let value { write(&self, value) }
    }

    /// Nanoseconds as eight bytes.
    package mutating func writeDuration(_ value: Duration) { writeInteger(value.wholeNanoseconds) }
}
