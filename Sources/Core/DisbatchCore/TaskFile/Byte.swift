/// The bytes that a task file gives a meaning.
enum Byte {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let hash = UInt8(ascii: "#")

    /// Space, tab, LF, vertical tab, form feed and CR: what Python's `\s` matches in bytes.
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || (9...13).contains(byte) }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// `byte` in upper case, if it is an ASCII letter.
    static func uppercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & ~0x20 : byte
    }
}
