import Testing

@testable import WebRuntime

/// Who gets the page.
@Suite struct WebGateTests {
    private let gate = WebGate(token: "0123abcd", names: ["Login1", "page.example.org"])

    private func answer(
        _ path: String = "/0123abcd/", method: String = "GET", host: String? = "localhost"
    ) -> WebAnswer {
        gate.answer(WebRequest(method: method, path: path, host: host))
    }

    @Test func thePathIsTheTokensFolder() { #expect(gate.path == "/0123abcd/") }

    @Test(arguments: [
        ("/0123abcd/", WebAnswer.page), ("/0123abcd/events", .events), ("/0123abcd", .notFound), ("/", .notFound),
        ("", .notFound), ("/0123abce/", .notFound), ("/0123abce/events", .notFound), ("/0123abcd/x", .notFound),
        ("/0123abcd//", .notFound), ("0123abcd/", .notFound), ("/0123ABCD/", .notFound), ("/0123abcdx", .notFound),
        ("//0123abcd/", .notFound), ("/é123abcd/", .notFound),
    ])
    func paths(path: String, expected: WebAnswer) { #expect(answer(path) == expected) }

    @Test(arguments: [
        ("GET", true), ("HEAD", true), ("get", false), ("POST", false), ("", false), ("OPTIONS", false),
    ])
    func methods(method: String, isTaken: Bool) {
        #expect(answer(method: method) == (isTaken ? .page : .wrongMethod))
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:80", true), ("localhost:", false), ("localhost:x", false),
        ("localhost:99999", false), ("127.0.0.1", true), ("127.0.0.1:4", true), ("10.1.2.3:65535", true),
        ("127.0.0.1.example.org", false), ("1.2.3", false), ("1.2.3.256", false), ("1.2.3.+4", false), ("[::1]", true),
        ("[::1]:80", true), ("[fe80::1]:80", true), ("[::1", false), ("[x]", false), ("[::1]x", false),
        ("login1:5", true), ("page.example.org", true), ("evil.page.example.org", false), ("example.org", false),
        ("", false), (":80", false), ("localhost@evil.org", false),
    ])
    func hosts(host: String, isOurs: Bool) {
        #expect(answer(host: host) == (isOurs ? .page : .wrongHost))
    }

    @Test func aHostIsNeeded() { #expect(answer(host: nil) == .wrongHost) }

    @Test func theHostIsLookedAtFirst() {
        #expect(answer("/x", method: "POST", host: "evil.org") == .wrongHost)
        #expect(answer("/x", method: "POST") == .wrongMethod)
    }
}
