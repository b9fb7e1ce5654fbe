/// Writes frames one behind the other, to be sent in one piece.
package struct FrameWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package var isEmpty: Bool { bytes.isEmpty }

    /// Takes out what was written so far.
    package mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    /// Drops what was sent from the front.
    package mutating func drop(_ count: Int) {
        if count == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity < 1 << 20)
        } else {
            bytes.removeSubrange(..<count)
        }
    }

    /// Writes bytes that are no frame, for who is to read them before the first.
    package mutating func append(_ raw: [UInt8]) { bytes += raw }

    /// Writes one frame, its body by `body`.
    mutating func frame(_ kind: UInt8, _ body: (inout FrameWriter) -> Void) {
        let start = bytes.count
        writeInteger(UInt32(0))
        bytes.append(kind)
        body(&self)
        let length = UInt32(bytes.count - start - 4)
        for byte in 0..<4 { bytes[start + byte] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(byte))) }
    }

    mutating func writeInteger<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func writeInt(_ value: Int) { writeInteger(Int64(value)) }

    mutating func writeBool(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func writeBytes(_ value: [UInt8]) {
        writeInteger(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func writeString(_ value: String) {
        writeInteger(UInt32(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    mutating func writeList<Element>(_ list: [Element], _ element: (inout FrameWriter, Element) -> Void) {
        writeInteger(UInt32(list.count))
        for item in list { element(&self, item) }
    }

    mutating func writeOptional<Value>(_ value: Value?, _ write: (inout FrameWriter, Value) -> Void) {
        writeBool(value != nil)
        if let value { write(&self, value) }
    }

    mutating func writeDuration(_ value: Duration) { writeInteger(value.wholeNanoseconds) }
}
