/// The mail server: `HOST` or `HOST:PORT`, the value of `DISBATCH_SMTP`.
struct MailServer: Equatable, Sendable {
    var host: String
    var port: UInt16

    /// Reads the variable's value; nil where it is something else.
    init?(_ text: String) {
        var rest = text[...]
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = String(text[text.index(after: text.startIndex)..<end])
            rest = text[text.index(after: end)...]
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            host = String(text[..<end])
            rest = text[end...]
        }
        guard rest.isEmpty || rest.first == ":", let port = rest.isEmpty ? 25 : UInt16(rest.dropFirst()) else {
            return nil
        }
        self.port = port
        let signs = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:".utf8)
        guard !host.isEmpty, host.utf8.allSatisfy({ signs.contains($0) }) else { return nil }
    }

    /// As curl takes it.
    var url: String { "smtp://\(shown)" }

    /// As people write it.
    var shown: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}
