import Foundation
import LinuxSystem

/// A service that a script of `Tests/Support` brings up, and ends when its standard input ends: so it ends with the
/// tests, however they end.
///
/// The script is given a directory of its own first. It prints "ready" on a line of its own when the service is.
package final class TestService: @unchecked Sendable {
    /// Where everything of it lies.
    package let path: String
    private let pid: Int32
    private let input: Int32
    private var hasEnded = false

    // What is to be ended when the tests end; guarded by the lock.
    private static let lock = NSLock()
    nonisolated(unsafe) private static var services: [TestService] = []

    /// Starts it, and returns when it is ready.
    ///
    /// - Throws: ``Tool/Failure`` with what it printed where it can't be brought up.
    package init(_ script: String, _ arguments: [String], within seconds: Double = 60) throws {
        let parent = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        // Short: sockets stand in it, whose paths have 107 bytes at most.
        path = parent + "/\(script.prefix(5))-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // Closed on exec: no other child may keep the service alive.
        let pipe = try DescriptorPair.pipe().release()
        let output = open(path + "/up.log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer {
            close(pipe.first)
            close(output)
        }
        input = pipe.second
        pid = try Tool.start(
            [Self.script(script), path] + arguments, streams: [pipe.first, output, output])
        try wait(for: script, within: seconds)
        Self.lock.withLock {
            if Self.services.isEmpty { atexit { TestService.endAll() } }
            Self.services.append(self)
        }
    }

    /// The path of a script of `Tests/Support`.
    package static func script(_ name: String) -> String {
        ProjectFolder.path("Tests/Support/\(name)")
    }

    private var log: String { (try? String(contentsOfFile: path + "/up.log", encoding: .utf8)) ?? "" }

    private func wait(for script: String, within seconds: Double) throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !log.split(separator: "\n").contains("ready") {
            var status: Int32 = 0
            let hasEnded = waitpid(pid, &status, WNOHANG) == pid
            guard !hasEnded, ContinuousClock.now < deadline else {
                let text = log
                if !hasEnded { end() }
                throw Tool.Failure(description: "Tests/Support/\(script) brought nothing up: \(text)")
            }
            usleep(10_000)
        }
    }

    /// Ends the service, and waits for that.
    package func end() {
        let isFirst = Self.lock.withLock {
            defer { hasEnded = true }
            return !hasEnded
        }
        guard isFirst else { return }
        close(input)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        try? FileManager.default.removeItem(atPath: path)
    }

    private static func endAll() {
        let all = lock.withLock { services }
        for service in all { service.end() }
    }
}
