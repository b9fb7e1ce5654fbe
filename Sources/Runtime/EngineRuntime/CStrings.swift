/// C strings that stay where they are as long as this object lives, and pointers to them, ending with nil.
///
/// Changed by one thread only; pointers are read while nothing changes.
// Unchecked: made on one thread, then handed over whole to the one that uses it.
final class CStrings: @unchecked Sendable {
    private var pointers: [UnsafeMutablePointer<CChar>?]

    init(_ strings: [[UInt8]]) {
        pointers = strings.map(Self.copy) + [nil]
    }

    deinit {
        for pointer in pointers { pointer?.deallocate() }
    }

    /// How many strings there are.
    var count: Int { pointers.count - 1 }

    subscript(index: Int) -> UnsafeMutablePointer<CChar>? { pointers[index] }

    /// Gives the pointers to `body`.
    func withPointers<Result>(
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
    }

    private static func copy(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar> {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (place, byte) in bytes.enumerated() { copy[place] = CChar(bitPattern: byte) }
        copy[bytes.count] = 0
        return copy
    }
}
