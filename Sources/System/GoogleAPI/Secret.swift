/// A text that nobody may see: it shows itself in no message, no log and no debugger's list of values.
package struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself, for the request that it is meant for and nothing else.
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { "(secret)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// A text without this secret, which others may have put into theirs.
    func removed(from text: String) -> String {
        self.text.utf8.count < 8 ? text : text.replacing(self.text, with: "(secret)")
    }
}

extension String {
    /// This text with each occurrence of another replaced, scalar by scalar.
    func replacing(_ part: String, with other: String) -> String {
        let (all, part) = (Array(utf8), Array(part.utf8))
        var result: [UInt8] = []
        var place = 0
        while place < all.count {
            if all[place...].starts(with: part) {
                result += Array(other.utf8)
                place += part.count
            } else {
                result.append(all[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
