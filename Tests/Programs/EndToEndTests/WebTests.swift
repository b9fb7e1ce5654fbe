import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// The run's page: who gets it, what it tells, how it ends.
@Suite(.blocking) struct WebTests {
    /// Where a page stands.
    private struct Place {
        let url: String
        let port: Int
        let path: String

        init(_ box: Sandbox) throws {
            try box.wait(for: "the page's address") { box.exists("run_url") }
            url = try #require(try box.lines(of: "run_url").first)
            let match = try #require(url.wholeMatch(of: /http:\/\/127\.0\.0\.1:(\d+)(\/[0-9a-f]{32}\/)/))
            port = try #require(Int(match.1))
            path = String(match.2)
        }

        /// The first line that the server answers with.
        func status(_ path: String? = nil, method: String = "GET", host: String? = nil) throws -> String {
            let answer = try RawHTTP.get(path ?? self.path, port: port, method: method, host: host)
            return String(answer.prefix { $0 != "\r\n" })
        }
    }

    /// Starts a run with a page, whose tasks wait for the file `gate`.
    private func hold(
        _ count: Int, in box: Sandbox, first: String = "", _ arguments: [String] = ["-w"]
    ) throws -> RunningProgram {
        let held = "touch on; until [ -e gate ]; do sleep 0.01; done\n"
        try box.write("tasks.txt", first + String(repeating: held, count: count))
        let driver = try box.start(["-s", "localhost:2", "-p", "run"] + arguments + ["tasks.txt"])
        try box.waitForFile("on")
        return driver
    }

    private func end(_ driver: RunningProgram, in box: Sandbox) throws -> ProgramResult {
        try box.write("gate", "")
        return try driver.wait(within: 30)
    }

    private func helper(_ box: Sandbox) -> LiveProcess? {
        box.processes().first { $0.commandLine.contains("disbatch-web") }
    }

    // MARK: Who gets it

    @Test func itsAddressIsItsOwnersAlone() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            let place = try Place(box)
            let mode = try FileManager.default.attributesOfItem(atPath: box.at("run_url"))[.posixPermissions]
            #expect(mode as? Int == 0o600)
            try box.wait(for: "the address on stderr") { driver.error.contains("the run's page: \(place.url)") }
            #expect(try end(driver, in: box).status == 0)
            #expect(!box.exists("run_url"), "there is no page any more")
            #expect(throws: HarnessError.self) { try RawHTTP(port: place.port) }
            #expect(try !box.text(of: "run_driver.log").contains(place.path), "others may read the log")
        }
    }

    @Test func onlyWhoKnowsTheTokenAndComesByOurNameSeesIt() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            let place = try Place(box)
            let page = try RawHTTP.get(place.path, port: place.port)
            #expect(page.hasPrefix("HTTP/1.1 200 OK\r\n") && page.contains("<title>disbatch</title>"))
            let nonce = try #require(page.firstMatch(of: /script-src 'nonce-([0-9a-f]{32})'/)).1
            #expect(page.contains("<script nonce=\"\(nonce)\">") && page.contains("<style nonce=\"\(nonce)\">"))
            #expect(page.contains("Content-Security-Policy: default-src 'none';"))
            #expect(try !RawHTTP.get(place.path, port: place.port).contains(nonce), "it is new each time")
            let wrong = String(place.path.dropLast(2)) + (place.path.hasSuffix("0/") ? "1/" : "0/")
            for path in ["/", "/favicon.ico", wrong, wrong + "events", place.path + "x", "/../etc/passwd", "*"] {
                #expect(try place.status(path) == "HTTP/1.1 404 Not Found", "\(path)")
            }
            for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "NONSENSE"] {
                #expect(try place.status(method: method) == "HTTP/1.1 405 Method Not Allowed", "\(method)")
            }
            #expect(try place.status(method: "HEAD") == "HTTP/1.1 200 OK")
            for host in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:80", "192.168.3.4"] {
                #expect(try place.status(host: host) == "HTTP/1.1 200 OK", "\(host)")
            }
            for host in ["evil.example", "evil.example:\(place.port)", "127.0.0.1.evil.example", "localhost.evil", ""] {
                #expect(try place.status(host: host).hasPrefix("HTTP/1.1 421 "), "\(host)")
            }
            #expect(try end(driver, in: box).status == 0)
        }
    }

    // MARK: What it tells

    @Test func eventsTellOfTheRunToItsEnd() throws {
        try Sandbox.with { box in
            let driver = try hold(3, in: box, first: "echo '</script>\u{1b}[31m&' >&2; exit 3\n")
            let place = try Place(box)
            let stream = try RawHTTP(port: place.port)
            stream.send("GET \(place.path)events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try stream.read { $0.contains(#""failed": 1,"#) && $0.contains(#""running": 2,"#) }
            #expect(stream.text.contains("Content-Type: text/event-stream\r\n"))
            #expect(stream.text.contains("retry: 2000\n\n"))
            #expect(
                stream.text.contains(#""error": "</script> [31m&", "command": "echo '</script> [31m&' >&2; exit 3""#))
            #expect(try end(driver, in: box).status == 0)
            try stream.read()
            let pictures = stream.text.split(separator: "event: picture\ndata: ").dropFirst()
            let last = try #require(pictures.last?.prefix { $0 != "\n" })
            let object = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
            #expect(object["isOver"] as? Bool == true && object["exitStatus"] as? Int == 0)
            #expect(object["done"] as? Int == 4 && object["running"] as? Int == 0)
            #expect((object["summary"] as? String)?.contains("4 tasks ended, 1 failed") == true)
        }
    }

    @Test func aShortRunHasNothingLeft() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("true\n", ["-w"])
            #expect(result.status == 0 && result.seconds < 10)
            #expect(!box.exists("run_url"))
            #expect(helper(box) == nil)
        }
    }

    // MARK: When things go wrong

    @Test func hostileRequestsDoNoHarm() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            let place = try Place(box)
            let long = String(repeating: "x", count: 200_000)
            let connections = try [
                "\r\n\r\n", "GET", "\u{0}\u{1}\u{2}\r\n\r\n", "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
                "GET /\(long) HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(long)\r\n\r\n",
                "POST \(place.path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n\(long)",
                "POST \(place.path) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
            ].map { request in
                let connection = try RawHTTP(port: place.port)
                connection.send(request)
                connection.endSending()
                return connection
            }
            // Some it leaves alone until they have been idle for too long.
            for connection in connections {
                try connection.read()
                #expect(!connection.text.contains(" 200 "))
            }
            #expect(try place.status() == "HTTP/1.1 200 OK")
            #expect(try end(driver, in: box).status == 0)
        }
    }

    @Test func aThousandConnectionsDoNoHarm() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            let place = try Place(box)
            let before = try residentKiB(try #require(helper(box)).pid)
            var connections: [RawHTTP] = []
            for number in 0..<1000 {
                // Beyond its limit the server leaves them to the kernel, whose queue ends somewhere.
                guard let connection = try? RawHTTP(port: place.port, patienceMilliseconds: 10) else { continue }
                let path = number % 2 == 0 ? place.path + "events" : place.path
                connection.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n" + (number % 3 == 0 ? "" : "\r\n"))
                connections.append(connection)
            }
            #expect(connections.count > 256)
            #expect(try residentKiB(try #require(helper(box)).pid) < before + 40_000)
            connections = []
            #expect(try place.status() == "HTTP/1.1 200 OK")
            #expect(try end(driver, in: box).status == 0)
        }
    }

    @Test func manyRequestsTakeNoMemory() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            let place = try Place(box)
            let pid = try #require(helper(box)).pid
            for _ in 0..<200 { _ = try place.status() }
            let before = try residentKiB(pid)
            for _ in 0..<1000 { _ = try place.status() }
            #expect(try residentKiB(pid) < before + 2000)
            #expect(try end(driver, in: box).status == 0)
        }
    }

    private func residentKiB(_ pid: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        return try #require(text.firstMatch(of: /VmRSS:\s+(\d+)/).flatMap { Int($0.1) })
    }

    @Test func itsDeathIsAWarning() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            _ = try Place(box)
            kill(try #require(helper(box)).pid, SIGKILL)
            let words = "disbatch-web is gone (SIGKILL); the run does without it"
            try box.wait(for: "the warning") { driver.error.contains(words) }
            #expect(try end(driver, in: box).status == 0)
            #expect(try box.text(of: "run_driver.log").contains(words))
        }
    }

    @Test func itEndsWithAKilledDriver() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            let place = try Place(box)
            let stream = try RawHTTP(port: place.port)
            stream.send("GET \(place.path)events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try stream.read { $0.contains("event: picture") }
            driver.signal(SIGKILL)
            try stream.read()
            #expect(stream.text.contains(#""trouble": "run: its driver has gone without a word"#))
            try box.wait(for: "its end") { helper(box) == nil }
            #expect(!box.exists("run_url"))
        }
    }

    // MARK: Before the run

    @Test(arguments: [
        (["-w", "--no-listen"], "--web needs the port that --no-listen does not open"),
        (["--web-address", "h:1:2"], "--web-address \"h:1:2\": not HOST or HOST:PORT"),
        (["--web-address", "127.0.0.1:%PORT%"], "listen at 127.0.0.1:%PORT%: Address already in use"),
    ])
    func whatCannotBeIsSaidBefore(options: [String], message: String) throws {
        try Sandbox.with { box in
            let taken = try box.start(["-c", Self.listenerScript], program: "/usr/bin/python3", input: .pipe)
            try box.wait(for: "a port") { taken.output.hasSuffix("\n") }
            let port = taken.output.trimmed
            try box.write("tasks.txt", "touch ran\n")
            let result = try box.run(
                options.map { $0.replacing("%PORT%", with: port) } + ["-s", "localhost:1", "-p", "run", "tasks.txt"])
            #expect(result.status == 2)
            #expect(result.error.contains(message.replacing("%PORT%", with: port)), "\(result.error)")
            #expect(try box.files() == ["tasks.txt"])
            taken.closeInput()
            try taken.wait()
        }
    }

    private static let listenerScript = """
        import socket, sys
        s = socket.create_server(("127.0.0.1", 0))
        print(s.getsockname()[1], flush=True)
        sys.stdin.read()
        """

    @Test(arguments: [
        ("", "/disbatch-web is not there; install disbatch with it, or leave --web away"),
        (
            "#!/bin/sh\necho \"$0: error while loading shared libraries: libmicrohttpd.so.12\" >&2\nexit 127\n",
            "Install what it needs (Debian: apt-get install libmicrohttpd12 libsodium23), or leave --web"
        ),
    ])
    func aHelperThatCannotBeStartedIsSaidBefore(script: String, message: String) throws {
        try Sandbox.with { box in
            try box.makeDirectory("programs")
            // By another process: what this one has open for writing can't be started while a child holds it too.
            for name in ["disbatch", "disbatch-engine"] {
                let copied = try box.run(
                    ["\(BuildDirectory.path)/\(name)", box.at("programs/\(name)")], program: "/bin/cp")
                #expect(copied.status == 0)
            }
            if !script.isEmpty { try box.writeProgram("programs/disbatch-web", script) }
            try box.write("tasks.txt", "touch ran\n")
            let result = try box.run(
                ["-s", "localhost:1", "-w", "-p", "run", "tasks.txt"], program: box.at("programs/disbatch"))
            #expect(result.status == 2)
            #expect(result.error.contains(message), "\(result.error)")
            #expect(!box.exists("ran") && !box.exists("run_status.txt"))
        }
    }
}
