import CFuzzer
import Glibc

/// The bytes of one input, from which a target takes what it needs. Behind their end there are zeros.
struct FuzzInput {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    mutating func byte() -> UInt8 {
        guard place < bytes.count else { return 0 }
        place += 1
        return bytes[place - 1]
    }

    /// So many bytes, or as many as are left.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, place + count)
        defer { place = end }
        return Array(bytes[place..<end])
    }

    /// Bytes, their count first.
    mutating func counted() -> [UInt8] { bytes(Int(byte())) }

    /// All that is left.
    mutating func rest() -> [UInt8] { bytes(bytes.count) }

    /// Text, its length first; bad bytes become U+FFFD.
    mutating func text() -> String { String(decoding: counted(), as: UTF8.self) }

    mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type = Integer.self) -> Integer {
        var value: Integer = 0
        withUnsafeMutableBytes(of: &value) { for place in $0.indices { $0[place] = byte() } }
        return Integer(littleEndian: value)
    }
}

/// Cuts bytes into pieces whose lengths come from a seed: of one byte, of a few, of many.
struct FuzzPieces {
    private var state: UInt64

    init(seed: UInt8) { state = UInt64(seed) }

    mutating func cut(_ bytes: [UInt8], _ body: (ArraySlice<UInt8>) -> Void) {
        var rest = bytes[...]
        while !rest.isEmpty {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let bits = Int(state >> 61)
            let length = 1 + Int(state >> 33) & (1 << bits - 1)
            body(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
    }
}

/// Ends the process, as a crash of its own, where something does not hold.
func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
    guard !holds else { return }
    let text = Array("does not hold: \(what())\n".utf8)
    _ = text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    abort()
}

/// Both are the same.
func expectEqual<Value: Equatable>(_ first: Value, _ second: Value, _ what: @autoclosure () -> String) {
    expect(
        first == second,
        "\(what()): \(String(reflecting: first).prefix(2000)) and then \(String(reflecting: second).prefix(2000))")
}
