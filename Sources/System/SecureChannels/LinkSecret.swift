import CSodium

/// A run's key, which its clients must have: 32 random bytes, kept in a file that only its owner reads.
package struct LinkSecret: Equatable, Sendable {
    package static let size = 32
    let bytes: [UInt8]

    /// A new one.
    package static func random() -> LinkSecret {
        Sodium.start()
        var bytes = [UInt8](repeating: 0, count: size)
        bytes.withUnsafeMutableBytes { randombytes_buf($0.baseAddress!, $0.count) }
        return LinkSecret(bytes: bytes)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads what ``hexadecimal`` gave; nil where the text is something else.
    package init?(hexadecimal text: String) {
        let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 2 * Self.size, text.utf8.count == digits.count else { return nil }
        bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// The bytes as text.
    package var hexadecimal: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// The library's own state.
enum Sodium {
    /// Makes the library ready. Cheap, and safe from any thread, each time.
    static func start() { precondition(sodium_init() >= 0, "libsodium can't be used") }
}
