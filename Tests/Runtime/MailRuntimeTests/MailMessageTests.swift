import DisbatchCore
import Foundation
import Testing

@testable import MailRuntime

/// Mails as servers get them.
@Suite struct MailMessageTests {
    private func text(_ subject: String, _ body: String) -> String {
        let bytes = MailMessage(subject: subject, body: body).bytes(
            address: "anna@example.org", date: "Sat, 21 Nov 2026 11:52:20 +0000", identifier: "1.x")
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func aPlainMail() {
        #expect(
            text("run has completed 2 tasks", "one\n\n.two")
                == [
                    "Date: Sat, 21 Nov 2026 11:52:20 +0000", "From: anna@example.org", "To: anna@example.org",
                    "Message-ID: <1.x@example.org>", "Subject: run has completed 2 tasks",
                    "Auto-Submitted: auto-generated",
                    "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 7bit",
                    "",
                    "one", "", ".two", "",
                ].joined(separator: "\r\n"))
    }

    @Test(arguments: ["a\r\nBcc: x@evil.org", "a\nb", "a\u{0}b", "a\u{85}b", "a\u{2028}b", "\u{202e}a"])
    func noSubjectMakesAHeader(subject: String) throws {
        let head = try #require(text(subject, "").components(separatedBy: "\r\n\r\n").first)
        #expect(head.components(separatedBy: "\r\n").count == 9)
        #expect(head.unicodeScalars.allSatisfy { $0 == "\r" || $0 == "\n" || (" "..."~").contains($0) })
    }

    @Test(arguments: [
        "größer", "日本語の名前がとても長いので一行には収まらないかもしれない", "=?UTF-8?B?QQ==?=", String(repeating: "a", count: 300),
    ])
    func oddSubjectsAreEncoded(subject: String) {
        let lines = MailMessage.header(subject).components(separatedBy: "\r\n ")
        let decoded = lines.map { line -> String in
            #expect(line.utf8.count <= 75 && line.hasPrefix("=?UTF-8?B?") && line.hasSuffix("?="))
            return String(
                decoding: Data(base64Encoded: String(line.dropFirst(10).dropLast(2))) ?? Data(), as: UTF8.self)
        }
        #expect(decoded.joined() == subject)
    }

    @Test(arguments: ["größer\nals", String(repeating: "a", count: 2000), "tab\there"])
    func oddBodiesAreEncoded(body: String) throws {
        let parts = text("s", body).components(separatedBy: "\r\n\r\n")
        #expect(parts[0].contains("Content-Transfer-Encoding: base64"))
        let lines = parts[1].components(separatedBy: "\r\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 76 })
        let data = try #require(Data(base64Encoded: lines.joined()))
        #expect(String(decoding: data, as: UTF8.self) == body.replacing("\n", with: "\r\n"))
    }

    @Test(arguments: 0..<10)
    func base64IsThatOfOthers(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 77 + 200) }
        #expect(Base64.text(bytes) == Data(bytes).base64EncodedString())
    }

    @Test(arguments: [
        ("localhost", "localhost:25"), ("mail.example.org:587", "mail.example.org:587"), ("[::1]", "[::1]:25"),
        ("[::1]:2525", "[::1]:2525"), ("10.0.0.1:1", "10.0.0.1:1"), ("", nil), (":25", nil), ("host:", nil),
        ("host:x", nil), ("host:70000", nil), ("host:1:2", nil), ("a b", nil), ("host/path", nil), ("u@host", nil),
        ("host\r\n", nil), ("[::1", nil),
    ])
    func servers(text: String, expected: String?) { #expect(MailServer(text)?.shown == expected) }
}
