import CNcurses
import Glibc

/// A terminal in the hands of curses: shows lines, gives keys.
final class Terminal {
    private let window: UnsafeMutablePointer<WINDOW>
    private let hasColours: Bool

    /// Takes the terminal over; nil where standard output is none, or one that curses does not know.
    init?() {
        guard isatty(0) == 1, isatty(1) == 1 else { return nil }
        setlocale(LC_ALL, "")
        guard let output = fdopen(dup(1), "w"), let input = fdopen(dup(0), "r"),
            let screen = newterm(nil, output, input)
        else { return nil }
        set_term(screen)
        guard let window = newwin(0, 0, 0, 0) else { return nil }
        self.window = window
        cbreak()
        noecho()
        keypad(window, true)
        nodelay(window, true)
        curs_set(0)
        set_escdelay(50)
        let wantsNone = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        hasColours = !wantsNone && has_colors() && start_color() == OK && use_default_colors() == OK
        guard hasColours else { return }
        // The terminal's own background, whatever it is; colours that are read on light and dark.
        for (pair, colour) in [(1, COLOR_GREEN), (2, COLOR_YELLOW), (3, COLOR_RED)] {
            init_pair(Int16(pair), Int16(colour), -1)
        }
    }

    /// Gives the terminal back as it was.
    func close() { endwin() }

    var size: (rows: Int, columns: Int) { (Int(getmaxy(window)), Int(getmaxx(window))) }

    /// Shows lines from the top.
    func show(_ lines: [ScreenLine]) {
        werase(window)
        for (row, line) in lines.enumerated() {
            wmove(window, Int32(row), 0)
            for span in line.spans {
                wattrset(window, attributes(span.style))
                waddstr(window, span.text)
            }
        }
        wattrset(window, 0)
        wrefresh(window)
    }

    private func attributes(_ style: ScreenSpan.Style) -> Int32 {
        let bold = Int32(1 << 21)
        let reverse = Int32(1 << 18)
        let dim = Int32(1 << 20)
        switch style {
        case .plain: return 0
        case .strong: return bold
        case .faint: return dim
        case .selected: return reverse
        case .good: return colour(1, or: bold)
        case .warning: return colour(2, or: bold)
        case .bad: return colour(3, or: bold) | bold
        }
    }

    private func colour(_ pair: Int32, or other: Int32) -> Int32 { hasColours ? COLOR_PAIR(pair) : other }

    /// The keys that were pressed.
    func keys() -> [MonitorKey] {
        var keys: [MonitorKey] = []
        var code: wint_t = 0
        while true {
            switch wget_wch(window, &code) {
            case KEY_CODE_YES: if let key = Self.special(Int32(bitPattern: code)) { keys.append(key) }
            case OK: if let key = Self.plain(code) { keys.append(key) }
            default: return keys
            }
        }
    }

    private static func special(_ code: Int32) -> MonitorKey? {
        switch code {
        case KEY_UP: .up
        case KEY_DOWN: .down
        case KEY_PPAGE: .pageUp
        case KEY_NPAGE: .pageDown
        case KEY_HOME: .home
        case KEY_END: .end
        case KEY_ENTER: .enter
        case KEY_BACKSPACE, KEY_DC: .backspace
        default: nil
        }
    }

    private static func plain(_ code: wint_t) -> MonitorKey? {
        switch code {
        case 9: return .tab
        case 10, 13: return .enter
        case 27: return .escape
        case 8, 127: return .backspace
        default: return Unicode.Scalar(code).map { .character(Character($0)) }
        }
    }
}
