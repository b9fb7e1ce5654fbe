import CLinux

/// How large a terminal is.
package enum TerminalSize {
    /// Its columns, or nil where the descriptor is no terminal.
    package static func columns(of descriptor: Int32) -> Int? {
        let columns = clinux_terminal_columns(descriptor)
        return columns > 0 ? Int(columns) : nil
    }
}
