import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// A strict service like Google's, of one test's own, whose machines are real (`Tests/Support/fake-gce`).
final class GoogleCloud {
    private let service: TestService
    private let ready: [String: Any]

    /// Machines have addresses and files of their own.
    static let canRun = Rights.isRoot

    /// - Parameter settings: of the service, as its README.md has them.
    init(_ settings: [String: Any] = [:]) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("gce-\(UUID().uuidString).json")
        try JSONSerialization.data(withJSONObject: settings).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        service = try TestService("fake-gce/fake-gce", ["--config", file.path])
        let text = try Data(contentsOf: URL(fileURLWithPath: service.path + "/ready.json"))
        ready = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
    }

    func end() { service.end() }

    /// Gives a service to `body`, and ends it.
    static func with(_ settings: [String: Any] = [:], _ body: (GoogleCloud) throws -> Void) throws {
        let cloud = try GoogleCloud(settings)
        defer { cloud.end() }
        try body(cloud)
    }

    private func word(_ name: String) -> String { ready[name] as? String ?? "" }

    /// What programs need to find it.
    var environment: [String: String?] {
        ["DISBATCH_COMPUTE_ENDPOINT": word("compute"), "GCE_METADATA_HOST": word("metadataHost")]
    }

    /// The bearer token that holds from the start.
    var token: String { word("accessToken") }

    /// Tells the service what to do, or asks what it did.
    @discardableResult
    func control(_ path: String, _ body: [String: Any]? = nil) throws -> [String: Any] {
        var words = ["/usr/bin/curl", "-sf", "--noproxy", "*", word("control") + "/" + path]
        if let body {
            let text = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
            words += ["-X", "POST", "-H", "Content-Type: application/json", "-d", text]
        }
        let result = try Tool.run(words)
        guard result.status == 0 else { throw HarnessError("control \(path): curl ended with \(result.status)") }
        return try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any] ?? [:]
    }

    /// The machines that there are.
    func names() throws -> [String] { try control("summary")["names"] as? [String] ?? [] }
    func made() throws -> Int { try control("summary")["made"] as? Int ?? -1 }
    func calls(_ method: String) throws -> Int {
        (try control("summary")["calls"] as? [String: Any])?[method] as? Int ?? 0
    }
}

extension Sandbox {
    /// Waits until a first engine of the run is ready.
    func waitForEngine() throws {
        try wait(for: "an engine", within: 60) {
            (try? text(of: "run_driver.log"))?.contains(": ready, ") == true
        }
    }
}

extension RunningProgram {
    /// Kills a driver and its helper for Google's machines, neither of which can tidy up then.
    func killWithHelper() throws {
        let helper = LiveProcess.all().first { $0.parent == pid && $0.commandLine.contains("disbatch-gce") }
        kill(try #require(helper).pid, SIGKILL)
        signal(SIGKILL)
        _ = try? wait(within: 10)
    }
}
