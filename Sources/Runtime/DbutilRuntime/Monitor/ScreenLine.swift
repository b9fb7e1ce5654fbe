/// A part of a line on the screen, all of one look.
struct ScreenSpan: Equatable, Sendable {
    /// How it looks; terminals without colours show what they can.
    enum Style: Sendable {
        case plain, strong, faint, good, warning, bad, selected
    }

    var text: String
    var style: Style

    init(_ text: String, _ style: Style = .plain) {
        self.text = text
        self.style = style
    }
}

/// A line of the screen.
struct ScreenLine: Equatable, Sendable {
    var spans: [ScreenSpan]

    init(_ spans: [ScreenSpan]) { self.spans = spans }

    init(_ text: String = "", _ style: ScreenSpan.Style = .plain) { spans = [ScreenSpan(text, style)] }

    /// The line's text, without styles.
    var text: String { spans.map(\.text).joined() }

    /// The line cut to a width.
    func prefix(_ width: Int) -> ScreenLine {
        var left = width
        var kept: [ScreenSpan] = []
        for span in spans where left > 0 {
            kept.append(ScreenSpan(String(span.text.prefix(left)), span.style))
            left -= span.text.count
        }
        return ScreenLine(kept)
    }
}

/// A key that was typed.
enum MonitorKey: Equatable, Sendable {
    case character(Character)
    case up, down, pageUp, pageDown, home, end, enter, escape, backspace, tab
}
