/// Part of a line, fit for a screen as ``Displayable/line(_:)`` is, and the place of a caret under it.
struct LineExcerpt: Equatable {
    var text: String
    /// Terminal columns to the left of the caret.
    var caret: Int

    /// The most columns of ``text``.
    static let width = 100
    /// The columns that a longer line keeps to the left of the caret, if there is enough on both sides.
    private static let leftWidth = 60
    private static let quotedWidth = 40
}

extension LineExcerpt {
    /// The part of `line` around the byte at `column`, which is on a character's boundary.
    init(_ line: ArraySlice<UInt8>, column: Int) {
        // More bytes than can be shown of either side: a line can be very long.
        let reach = 4 * Self.width
        let middle = line.startIndex + column
        var low = max(line.startIndex, middle - reach)
        if low > line.startIndex { while low < middle, line[low] & 0xC0 == 0x80 { low += 1 } }
        let high = min(line.endIndex, middle + reach)
        var left = Cells(line[low..<middle])
        var right = Cells(line[middle..<high])
        let isWhole = low == line.startIndex && high == line.endIndex
        if !isWhole || left.width + right.width > Self.width {
            let leftBudget = max(Self.leftWidth, Self.width - right.width)
            left.cutHead(to: leftBudget, alreadyCut: low > line.startIndex)
            right.cutTail(to: Self.width - left.width, alreadyCut: high < line.endIndex)
        }
        text = left.text + right.text
        caret = left.width
    }

    /// `bytes` in quotation marks, fit for a message on one line.
    static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
        var cells = Cells(bytes.prefix(4 * quotedWidth))
        cells.cutTail(to: quotedWidth, alreadyCut: bytes.count > 4 * quotedWidth)
        return "\"\(cells.text)\""
    }
}

/// Characters with the number of terminal columns that each takes.
private struct Cells {
    private var cells: [(scalar: Unicode.Scalar, width: Int)]
    private(set) var width: Int
    private static let ellipsis: [(scalar: Unicode.Scalar, width: Int)] = [(".", 1), (".", 1), (".", 1)]

    init(_ bytes: ArraySlice<UInt8>) {
        cells = String(decoding: bytes, as: UTF8.self).unicodeScalars.map { Self.cell($0) }
        width = cells.reduce(0) { $0 + $1.width }
    }

    var text: String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: cells.lazy.map(\.scalar))
        return String(text)
    }

    /// Leaves the last `budget` columns, three dots for what is gone among them.
    mutating func cutHead(to budget: Int, alreadyCut: Bool) {
        guard alreadyCut || width > budget else { return }
        var first = 0
        while width > budget - 3, first < cells.count {
            width -= cells[first].width
            first += 1
        }
        cells.replaceSubrange(..<first, with: Self.ellipsis)
        width += 3
    }

    /// Leaves the first `budget` columns, three dots for what is gone among them.
    mutating func cutTail(to budget: Int, alreadyCut: Bool) {
        guard alreadyCut || width > budget else { return }
        while width > budget - 3, let last = cells.popLast() { width -= last.width }
        cells.append(contentsOf: Self.ellipsis)
        width += 3
    }

    private static func cell(_ scalar: Unicode.Scalar) -> (scalar: Unicode.Scalar, width: Int) {
        let shown = Displayable.scalar(scalar)
        guard shown == scalar, scalar.value >= 0x7F else { return (shown, 1) }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return (scalar, 0)
        default: return (scalar, isWide(scalar) ? 2 : 1)
        }
    }

    /// Whether terminals give it two columns: the blocks of East Asian scripts and pictographs (UAX 11, roughly).
    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1FAFF, 0x20000...0x3FFFD:
            return true
        default: return false
        }
    }
}
