import Foundation
import LinuxSystem
import TestSupport

@testable import EndToEndSupport

/// A real browser, spoken to by the DevTools protocol over two FIFOs.
final class Browser {
    private let program: RunningProgram
    private let requests: Descriptor
    private let answers: Descriptor
    private var buffer: [UInt8] = []
    private var lastID = 0
    private var session: String?

    /// Starts it, with a profile of its own, and an empty page.
    init(_ box: Sandbox) throws {
        guard let chromium = Tool.find("chromium") else {
            throw HarnessError("chromium is needed: apt-get install chromium")
        }
        for name in ["requests", "answers"] { try box.makeFIFO(name) }
        // Open at both ends, so that nobody waits for the other.
        requests = try Descriptor.open(box.at("requests"), O_RDWR)
        answers = try Descriptor.open(box.at("answers"), O_RDWR)
        let options = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-breakpad", "--disable-crash-reporter",
            "--remote-debugging-pipe", "--user-data-dir=\(box.at("profile"))", "about:blank",
        ]
        program = try box.start(
            ["-c", "exec \"$@\" 3<requests 4>answers", "bash", chromium] + options, program: "/bin/bash")
        let targets = try ask("Target.getTargets")["targetInfos"] as? [[String: Any]] ?? []
        guard let page = targets.first(where: { $0["type"] as? String == "page" })?["targetId"] as? String else {
            throw HarnessError("the browser has no page: \(targets)")
        }
        session = try ask("Target.attachToTarget", ["targetId": page, "flatten": true])["sessionId"] as? String
    }

    /// Ends it.
    func quit() throws {
        session = nil
        _ = try ask("Browser.close")
        try program.wait(within: 20)
    }

    // MARK: The page

    /// Goes to an address.
    func open(_ url: String) throws { _ = try ask("Page.navigate", ["url": url]) }

    /// The value of an expression, as text.
    func value(of expression: String) throws -> String {
        let answer = try ask("Runtime.evaluate", ["expression": "String(\(expression))", "returnByValue": true])
        return (answer["result"] as? [String: Any])?["value"] as? String ?? "\(answer)"
    }

    /// What an element shows.
    func text(of id: String) throws -> String {
        try value(of: "document.getElementById('\(id)')?.innerText")
    }

    /// Waits until an expression is true.
    func wait(for expression: String, within seconds: Double = 30) throws {
        var deadline = Deadline(seconds: seconds)
        while try value(of: expression) != "true" {
            guard !deadline.hasPassed else {
                throw HarnessError(
                    "\(expression) does not become true; the page:\n\(try value(of: "document.body.innerText"))")
            }
            deadline.pause()
        }
    }

    /// Makes the page as wide as a screen, and that dark or light.
    func show(width: Int, isDark: Bool) throws {
        _ = try ask(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false])
        let feature = ["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]
        _ = try ask("Emulation.setEmulatedMedia", ["features": [feature]])
    }

    // MARK: The protocol

    private func ask(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
        lastID += 1
        var message: [String: Any] = ["id": lastID, "method": method, "params": parameters]
        if let session { message["sessionId"] = session }
        let bytes = [UInt8](try JSONSerialization.data(withJSONObject: message)) + [0]
        try requests.writeAll(bytes)
        let deadline = Deadline(seconds: 60)
        while true {
            while let end = buffer.firstIndex(of: 0) {
                let object = try JSONSerialization.jsonObject(with: Data(buffer[..<end])) as? [String: Any] ?? [:]
                buffer.removeSubrange(...end)
                guard object["id"] as? Int == lastID else { continue }
                if let error = object["error"] { throw HarnessError("\(method): \(error)") }
                return object["result"] as? [String: Any] ?? [:]
            }
            guard !deadline.hasPassed, !program.hasEnded else {
                throw HarnessError("the browser does not answer \(method):\n\(program.error)")
            }
            try receive()
        }
    }

    private func receive() throws {
        var wait = pollfd(fd: answers.raw, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, 100) > 0 else { return }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        if case .bytes(let count) = chunk.withUnsafeMutableBytes({ answers.read(into: $0) }) {
            buffer += chunk[..<count]
        }
    }
}
