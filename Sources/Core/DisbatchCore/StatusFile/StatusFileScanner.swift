/// One whole line of a status file.
package struct StatusFileLine {
    /// Its number in the file, from 1.
    package let number: Int
    /// Where it begins in the file, in bytes.
    package let offset: UInt64
    /// The line without its LF. Valid only while it is handed out.
    package let bytes: UnsafeRawBufferPointer
}

/// Cuts a status file, read in blocks of any size, into lines.
///
/// What follows the last LF is no line: a crash tore it off. Its length is ``tornLength``.
package struct StatusFileScanner {
    /// How many whole lines there were so far.
    package private(set) var lineCount = 0
    /// Where the first byte that no line has taken yet stands in the file.
    private var offset: UInt64 = 0
    /// The beginning of a line whose end has not been read yet.
    private var begun: [UInt8] = []

    package init() {}

    /// How many bytes so far stand behind the last LF: after the whole file, the length of its torn last line.
    package var tornLength: Int { begun.count }

    /// The longest line that is held in memory, and whether one is longer: then this is no status file.
    package static let longestLine = 64 << 20
    package var isTooLong: Bool { begun.count > Self.longestLine }

    /// Takes the file's next bytes and hands out each line that ends in them.
    ///
    /// - Throws: what `body` throws; then nothing more can be scanned.
    package mutating func scan<Failure: Error>(
        _ block: UnsafeRawBufferPointer, line body: (StatusFileLine) throws(Failure) -> Void
    ) throws(Failure) {
        var position = 0
        while let end = Self.indexOfLineFeed(in: block, from: position) {
            let piece = UnsafeRawBufferPointer(rebasing: block[position..<end])
            if begun.isEmpty {
                try hand(piece, to: body)
            } else {
                begun.append(contentsOf: piece)
                let whole = begun
                begun.removeAll(keepingCapacity: true)
                try whole.withUnsafeBufferPointer { bytes throws(Failure) in
                    try hand(UnsafeRawBufferPointer(bytes), to: body)
                }
            }
            position = end + 1
        }
        begun.append(contentsOf: block[position...])
    }

    private mutating func hand<Failure: Error>(
        _ bytes: UnsafeRawBufferPointer, to body: (StatusFileLine) throws(Failure) -> Void
    ) throws(Failure) {
        lineCount += 1
        let line = StatusFileLine(number: lineCount, offset: offset, bytes: bytes)
        offset += UInt64(bytes.count) + 1
        try body(line)
    }

    /// Looks at eight bytes at a time: a byte of `word ^ pattern` is zero where the LF stands.
    private static func indexOfLineFeed(in block: UnsafeRawBufferPointer, from start: Int) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let pattern = ones &* UInt64(UInt8(ascii: "\n"))
        var index = start
        while index + 8 <= block.count {
            let word = UInt64(littleEndian: block.loadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ pattern
            let zeros = (word &- ones) & ~word & (ones << 7)
            if zeros != 0 { return index + zeros.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < block.count {
            if block[index] == UInt8(ascii: "\n") { return index }
            index += 1
        }
        return nil
    }
}
