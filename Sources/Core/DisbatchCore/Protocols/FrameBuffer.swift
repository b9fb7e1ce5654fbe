/// A fault in bytes that should be frames.
package enum WireError: Error, Equatable, CustomStringConvertible {
    case frameTooLong(Int)
    case unknownKind(UInt8)
    case truncated(kind: UInt8)
    case invalidValue(kind: UInt8)
    /// The two ends do not agree on what of a stream has come.
    case outOfStep

    package var description: String {
        switch self {
        case .frameTooLong(let length): "a frame of \(length) bytes, at most \(FrameBuffer.maximumLength) are allowed"
        case .unknownKind(let kind): "a frame of unknown kind \(kind)"
        case .truncated(let kind): "a frame of kind \(kind) that ends too early"
        case .invalidValue(let kind): "a frame of kind \(kind) with an impossible value"
        case .outOfStep: "a word about bytes that it was never sent"
        }
    }
}

/// Cuts a stream of bytes into frames: 4 bytes of length (little-endian), 1 byte of kind, the body.
/// The length counts kind and body.
package struct FrameBuffer {
    /// The longest frame: a task's command of 32 MiB with what goes with it.
    package static let maximumLength = 64 << 20

    private var bytes: [UInt8] = []
    private var start = 0

    package init() {}

    package var isEmpty: Bool { start == bytes.count }

    /// The bytes that were not cut into frames yet.
    package var rest: ArraySlice<UInt8> { bytes[start...] }

    /// Appends bytes that were read.
    package mutating func append(_ more: UnsafeRawBufferPointer) {
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity < 1 << 20)
            start = 0
        } else if start > 1 << 16, start > bytes.count / 2 {
            bytes.removeSubrange(..<start)
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Drops bytes from the front.
    package mutating func drop(_ count: Int) {
        start += count
    }

    /// Gives the next whole frame to `body`, if there is one.
    package mutating func next<Result>(
        _ body: (_ kind: UInt8, inout FrameReader) throws(WireError) -> Result
    ) throws(WireError) -> Result? {
        let available = bytes.count - start
        guard available >= 5 else { return nil }
        let length =
            Int(bytes[start]) | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2]) << 16
            | Int(bytes[start + 3]) << 24
        guard length >= 1, length <= Self.maximumLength else { throw .frameTooLong(length) }
        guard available >= 4 + length else { return nil }
        let kind = bytes[start + 4]
        var reader = FrameReader(bytes, from: start + 5, to: start + 4 + length, kind: kind)
        start += 4 + length
        return try body(kind, &reader)
    }
}

/// Reads the values of one frame's body, in order.
package struct FrameReader {
    private let bytes: [UInt8]
    private var position: Int
    private let end: Int
    private let kind: UInt8

    init(_ bytes: [UInt8], from start: Int, to end: Int, kind: UInt8) {
        self.bytes = bytes
        position = start
        self.end = end
        self.kind = kind
    }

    package var isAtEnd: Bool { position == end }

    /// The error of a value that can't be.
    package var invalidValue: WireError { .invalidValue(kind: kind) }

    /// A number in its own size, little-endian.
    package mutating func readInteger<Integer: FixedWidthInteger>(
        _ type: Integer.Type = Integer.self
    ) throws(WireError) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard end - position >= size else { throw .truncated(kind: kind) }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Integer.self) }
        position += size
        return Integer(littleEndian: value)
    }

    /// A number of elements or bytes, as four bytes.
    package mutating func readCount() throws(WireError) -> Int {
        let value = try readInteger(UInt32.self)
        return Int(value)
    }

    /// A number as eight bytes.
    package mutating func readInt() throws(WireError) -> Int {
        Int(truncatingIfNeeded: try readInteger(Int64.self))
    }

    /// One byte; any but 0 is true.
    package mutating func readBool() throws(WireError) -> Bool { try readInteger(UInt8.self) != 0 }

    /// Bytes, their count first.
    package mutating func readBytes() throws(WireError) -> [UInt8] {
        let count = try readCount()
        guard end - position >= count else { throw .truncated(kind: kind) }
        defer { position += count }
        return count == 0 ? [] : Array(bytes[position..<position + count])
    }

    /// Text as UTF-8, its length first; bad bytes become U+FFFD.
    package mutating func readString() throws(WireError) -> String {
        String(decoding: try readBytes(), as: UTF8.self)
    }

    /// Elements, their count first.
    package mutating func readList<Element>(
        _ element: (inout FrameReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = try readCount()
        // Every element takes a byte at least, so a lying count can't make us reserve memory.
        guard count <= end - position else { throw .truncated(kind: kind) }
        var list: [Element] = []
        list.reserveCapacity(count)
        for _ in 0..<count { list.append(try element(&self)) }
        return list
    }

    /// A byte that says whether a value follows, and the value.
    package mutating func readOptional<Value>(
        _ value: (inout FrameReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        try readBool() ? try value(&self) : nil
    }

    /// Nanoseconds as eight bytes.
    package mutating func readDuration() throws(WireError) -> Duration {
        .nanoseconds(try readInteger(Int64.self))
    }

    /// The value of an enumeration that is written as one byte.
    package mutating func readCase<Value: RawRepresentable>(
        _ type: Value.Type = Value.self
    ) throws(WireError) -> Value where Value.RawValue == UInt8 {
        guard let value = Value(rawValue: try readInteger(UInt8.self)) else { throw .invalidValue(kind: kind) }
        return value
    }
}
