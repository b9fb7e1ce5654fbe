import Glibc

/// The streams on which a program speaks to its user.
package enum StandardStream: Int32, Sendable {
    case output = 1
    case error

    /// Writes a line.
    package func line(_ text: String) { write(text + "\n") }

    /// Writes text as it is. What can't be written is lost: a terminal that is gone, or a full disk, ends nothing.
    package func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = retrying { Glibc.write(rawValue, rest.baseAddress, rest.count) }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
        }
    }
}
