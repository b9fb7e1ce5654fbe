import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// What nobody may see of a run on machines of Google's.
@Suite(.blocking, .enabled(if: GoogleCloud.canRun, "machines have addresses and files of their own"))
struct GoogleCloudSecretsTests {
    @Test func noSecretIsSeenAnywhere() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let temporary = box.at("private")
                try box.makeDirectory("private")
                let text = String(repeating: "sleep 0.3\n", count: 12)
                try box.write("tasks.txt", text)
                var environment = cloud.environment
                environment["TMPDIR"] = temporary
                // A service account's key, and a token that is refused meanwhile: errors tell of it, without it.
                let account = try cloud.control("serviceAccount", [:])
                let file = try #require(account["private_key"] as? String)
                try box.write(
                    "private/account.json",
                    String(
                        decoding: JSONSerialization.data(withJSONObject: account), as: UTF8.self))
                environment["GOOGLE_APPLICATION_CREDENTIALS"] = temporary + "/account.json"
                let driver = try box.start(
                    ["-p", "run", "--gce", "2:n2-standard-2", "--loglevel", "DEBUG"] + [
                        "--gce-set", "zones=us-central1-a",
                    ] + ["tasks.txt"],
                    environment: environment)
                try box.wait(for: "some tasks", within: 60) { box.rows().count > 2 || driver.hasEnded }
                let folder = try #require(
                    try FileManager.default.contentsOfDirectory(atPath: temporary).first {
                        $0.hasPrefix("disbatch-gce.")
                    })
                let key = try String(contentsOfFile: "\(temporary)/\(folder)/key", encoding: .utf8)
                let lines = key.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("-----") }
                let ownLines = file.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("-----") }
                try cloud.control("revoke", [:])
                let secrets = lines + ownLines + [cloud.token, "Bearer ", "ya29."]
                let attributes = try FileManager.default.attributesOfItem(atPath: "\(temporary)/\(folder)")
                #expect(attributes[.posixPermissions] as? Int == 0o700)
                for process in box.processes() {
                    #expect(secrets.allSatisfy { !process.commandLine.contains($0) }, "\(process)")
                }
                let result = try driver.wait(within: 60)
                #expect(result.status == 0, "\(result.error)")
                #expect(secrets.allSatisfy { !result.error.contains($0) && !result.output.contains($0) })
                for file in try box.files() where !file.hasPrefix("private") {
                    let bytes = String(decoding: try box.bytes(of: file), as: UTF8.self)
                    #expect(secrets.allSatisfy { !bytes.contains($0) }, "\(file)")
                }
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: temporary) == ["account.json"],
                    "the key is gone")
            }
        }
    }
}
