/// The unread bytes of a file, cut into lines at LF.
///
/// Bytes that were read are dropped as more are appended, but only once they are at least as many as the unread
/// ones: so no byte is moved more than once for each byte read, and at most twice the unread bytes are held.
struct LineBuffer {
    /// One line, as a range of offsets that ``bytes(of:)`` and ``copy(_:prefix:suffix:)`` take until the next append.
    struct Line: Equatable {
        /// The line without its LF.
        var range: Range<Int>
        /// Whether an LF ended it; the last line of a file may have none.
        var isTerminated: Bool
        /// The offset in the line of its first NUL, or -1.
        var firstNUL: Int
    }

    /// An emptied buffer larger than this is given back: one giant line should not hold its memory for the whole run.
    static let keptCapacity = 1 << 20

    private var storage: [UInt8] = []
    /// Where the first unread line begins.
    private var start = 0
    /// How far the first unread line was searched for its end.
    private var searched = 0
    private var firstNUL = -1
    private(set) var isFinished = false

    /// Bytes not yet handed out as lines.
    var unreadCount: Int { storage.count - start }
    /// Where they are, until the next append.
    var unreadRange: Range<Int> { start..<storage.count }
    /// Bytes held, read or not.
    var heldCount: Int { storage.count }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        assert(!isFinished, "bytes after the end of the file")
        dropRead()
        storage.append(contentsOf: bytes)
    }

    /// No more bytes will come: an unterminated last line is a line, too.
    mutating func finish() { isFinished = true }

    /// The next line, or nil where its end has not come.
    mutating func next() -> Line? {
        let begin = start
        while true {
            let found = storage.withUnsafeBytes { Self.firstLineFeedOrNUL(in: $0, from: searched) }
            guard found < storage.count else {
                searched = found
                return isFinished ? lastLine() : nil
            }
            searched = found + 1
            if storage[found] == Byte.lineFeed {
                let line = Line(range: begin..<found, isTerminated: true, firstNUL: firstNUL)
                start = searched
                firstNUL = -1
                return line
            }
            if firstNUL < 0 { firstNUL = found - begin }
        }
    }

    func byte(at offset: Int) -> UInt8 { storage[offset] }

    func bytes(of range: Range<Int>) -> ArraySlice<UInt8> { storage[range] }

    func line(_ range: Range<Int>, startsWith mark: [UInt8]) -> Bool {
        range.count >= mark.count && mark.indices.allSatisfy { storage[range.lowerBound + $0] == mark[$0] }
    }

    /// The bytes of `range` between `prefix` and `suffix`, in one allocation.
    func copy(_ range: Range<Int>, prefix: [UInt8], suffix: [UInt8]) -> [UInt8] {
        if prefix.isEmpty && suffix.isEmpty { return Array(storage[range]) }
        var command: [UInt8] = []
        command.reserveCapacity(prefix.count + range.count + suffix.count)
        command += prefix
        command += storage[range]
        command += suffix
        return command
    }

    private mutating func lastLine() -> Line? {
        guard start < storage.count else {
            storage = []
            start = 0
            searched = 0
            return nil
        }
        let line = Line(range: start..<storage.count, isTerminated: false, firstNUL: firstNUL)
        start = storage.count
        firstNUL = -1
        return line
    }

    private mutating func dropRead() {
        guard start > 0, start >= unreadCount else { return }
        if start == storage.count {
            storage.removeAll(keepingCapacity: storage.capacity <= Self.keptCapacity)
        } else {
            storage.removeSubrange(..<start)
        }
        searched -= start
        start = 0
    }

    /// The offset of the first LF or NUL from `from` on, or the number of bytes.
    ///
    /// Eight bytes at a time: the lowest set bit of ``zeroBytes(_:)`` marks the word's first zero byte, and a word
    /// xor eight LF has a zero where there was an LF.
    static func firstLineFeedOrNUL(in bytes: UnsafeRawBufferPointer, from: Int) -> Int {
        var offset = from
        while offset &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let found = zeroBytes(word) | zeroBytes(word ^ 0x0A0A_0A0A_0A0A_0A0A)
            if found != 0 { return offset &+ found.trailingZeroBitCount / 8 }
            offset &+= 8
        }
        while offset < bytes.count, bytes[offset] != Byte.lineFeed, bytes[offset] != 0 { offset &+= 1 }
        return offset
    }

    /// A word whose lowest set bit is the highest bit of the first zero byte of `word`; 0 if it has none.
    private static func zeroBytes(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }
}
