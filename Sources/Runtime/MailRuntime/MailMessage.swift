import DisbatchCore

/// A mail, before it has its headers.
struct MailMessage: Equatable, Sendable {
    var subject: String
    /// Lines with a newline between them.
    var body: String

    /// The mail as it goes to the server.
    ///
    /// - Parameters:
    ///   - address: who gets it, and who it is from; checked.
    ///   - date: now, as RFC 5322 writes it.
    ///   - identifier: unlike that of any other mail, letters and digits.
    func bytes(address: String, date: String, identifier: String) -> [UInt8] {
        let domain = address.split(separator: "@").dropFirst().first.map(String.init) ?? "localhost"
        var lines = [
            "Date: \(date)", "From: \(address)", "To: \(address)", "Message-ID: <\(identifier)@\(domain)>",
            "Subject: \(Self.header(subject))", "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
        ]
        let text = body.split(separator: "\n", omittingEmptySubsequences: false)
        // All servers take short lines of ASCII as they are.
        if body.utf8.allSatisfy({ $0 == 10 || (32..<127).contains($0) }), text.allSatisfy({ $0.utf8.count <= 900 }) {
            lines += ["Content-Transfer-Encoding: 7bit", ""]
            lines += text.map(String.init)
        } else {
            lines += ["Content-Transfer-Encoding: base64", ""]
            let encoded = Array(Base64.text(Array(text.joined(separator: "\r\n").utf8)).utf8)
            lines += stride(from: 0, to: encoded.count, by: 76).map { start in
                String(decoding: encoded[start..<min(start + 76, encoded.count)], as: UTF8.self)
            }
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    }

    /// A text as a header's value: on one line, and where it isn't ASCII, in pieces of RFC 2047. No text can make a
    /// header of its own.
    static func header(_ text: String) -> String {
        let line = String(String.UnicodeScalarView(text.unicodeScalars.map { Displayable.isControl($0) ? " " : $0 }))
        if line.utf8.allSatisfy({ $0 < 127 }), line.utf8.count <= 200, !line.contains("=?") { return line }
        var pieces: [[UInt8]] = [[]]
        for character in line.unicodeScalars {
            let bytes = Array(String(character).utf8)
            if pieces[pieces.count - 1].count + bytes.count > 42 { pieces.append([]) }
            pieces[pieces.count - 1] += bytes
        }
        return pieces.map { "=?UTF-8?B?\(Base64.text($0))?=" }
            .joined(separator: "\r\n ")
    }
}
