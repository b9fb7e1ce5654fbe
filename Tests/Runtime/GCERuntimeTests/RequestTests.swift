import DisbatchCore
import Foundation
import TestSupport
import Testing

@testable import GCERuntime

/// Requests as they are sent: Tests/Golden/gce has them, and `DISBATCH_RECORD=1` writes them anew.
struct RequestTests {
    private static func plain() -> InstanceSettings {
        var settings = InstanceSettings(project: "p-1", machineType: "n2-standard-4")
        settings.longestLife = .seconds(86_400)
        return settings
    }

    private static func full() -> InstanceSettings {
        var settings = plain()
        settings.machineType = "n1-standard-8"
        settings.image = "projects/cos-cloud/global/images/family/cos-stable"
        settings.diskGigabytes = 100
        settings.diskType = "pd-ssd"
        settings.localSSDs = 2
        settings.gpus = [.init(type: "nvidia-tesla-t4", count: 2)]
        settings.network = "lab"
        settings.subnetwork = "lab-eu"
        settings.hasExternalAddress = false
        settings.serviceAccount = "runner@p-1.iam.gserviceaccount.com"
        settings.tags = ["batch", "lab"]
        settings.labels = ["team": "genomics", "cost": "1_2"]
        settings.longestLife = .seconds(7200)
        settings.lifeWithoutEngine = .seconds(900)
        settings.container = "europe-west1-docker.pkg.dev/p-1/images/tools:1.2"
        settings.pool = "lab"
        return settings
    }

    private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYg"

    @Test(arguments: ["plain", "full"])
    func bodies(name: String) throws {
        let settings = name == "plain" ? Self.plain() : Self.full()
        #expect(settings.faults == [])
        let request = InstanceRequest(settings: settings, run: "My Run/1", publicKey: Self.key)
        let body = request.body(
            name: "disbatch-run-0001", zone: "europe-west1-b", model: name == "full" ? .spot : .standard)
        // The script is a file of its own.
        let text = body.text(isPretty: true).replacingOccurrences(
            of: JSONValue.string(StartupScript.text).text(), with: "\"STARTUP-SCRIPT\"")
        let path = ProjectFolder.root.appending(path: "Tests/Golden/gce/insert-\(name).json")
        if ProcessInfo.processInfo.environment["DISBATCH_RECORD"] == "1" {
            try Data((text + "\n").utf8).write(to: path)
        }
        #expect(try String(contentsOf: path, encoding: .utf8) == text + "\n")
    }

    @Test func severalAreAlike() {
        let request = InstanceRequest(settings: Self.full(), run: "r", publicKey: Self.key)
        let names = ["a", "b", "c"]
        let body = request.bulkBody(names: names, zone: "z-a", model: .spot)
        #expect(body["count"] == "3" && body["minCount"] == "1")
        #expect(body["perInstanceProperties"].members.map(\.key) == names)
        // The same as one alone has, but that types have no addresses and the instance no name.
        let one = request.body(name: "a", zone: "z-a", model: .spot).text()
        let bare = ["machineTypes", "diskTypes", "acceleratorTypes"].reduce(one) {
            $0.replacingOccurrences(of: "zones/z-a/\($1)/", with: "")
        }
        #expect(bare == "{\"name\":\"a\"," + body["instanceProperties"].text().dropFirst())
    }

    @Test func hashTellsMachinesApartAndNotRuns() {
        let hash = Self.full().hash
        #expect(hash.count == 16 && CloudNames.isLabelValue(hash))
        var other = Self.full()
        other.labels = [:]
        #expect(other.hash == hash)
        for change: (inout InstanceSettings) -> Void in [
            { $0.machineType = "n2-standard-8" }, { $0.container = nil }, { $0.user = "x" }, { $0.localSSDs = 1 },
            { $0.hasExternalAddress = true }, { $0.image = "debian-11" }, { $0.scopes = ["compute"] },
        ] {
            var changed = Self.full()
            change(&changed)
            #expect(changed.hash != hash)
        }
    }

    @Test func scopesAreTheLeast() throws {
        var settings = Self.plain()
        func scopes() -> [String?] {
            let body = InstanceRequest(settings: settings, run: "r", publicKey: Self.key)
                .body(name: "n", zone: "z-a", model: .spot)
            return body["serviceAccounts"].elements.first?["scopes"].elements.map(\.string) ?? []
        }
        #expect(scopes() == [])
        settings.serviceAccount = "a@b"
        #expect(scopes() == ["https://www.googleapis.com/auth/compute"])
        settings.scopes = ["cloud-platform", "https://www.googleapis.com/auth/drive"]
        #expect(
            scopes() == ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/drive"])
    }

    @Test func faultsAreNamed() {
        var settings = InstanceSettings(project: "", machineType: "N2")
        settings.localSSDs = 30
        settings.labels = ["Team": "x", "disbatch-run": "y"]
        settings.longestLife = .seconds(1)
        settings.container = "a; reboot"
        settings.diskGigabytes = 1
        #expect(
            settings.faults == [
                "no project is given: use `project` in section [gce], or gcloud config set project",
                "N2: no machine type", "a disk has 10 to 65536 GB", "an instance has at most 24 local SSDs",
                "an instance lives 30 seconds to 120 days",
                "label Team=x: small letters, digits, - and _, 63 at most, a letter first",
                "label disbatch-run=y: those that begin with disbatch- are the run's own",
                "a; reboot: no name of a container image",
            ])
    }

    @Test func containersHaveACommand() {
        #expect(Self.plain().containerCommand(home: "/home/disbatch") == [])
        let words = Self.full().containerCommand(home: "/home/disbatch")
        #expect(words.prefix(4) == ["docker", "run", "--rm", "-i"])
        #expect(words.suffix(3) == ["--gpus", "all", "europe-west1-docker.pkg.dev/p-1/images/tools:1.2"])
    }

    // MARK: Names

    @Test(arguments: [
        ("a", true), ("a-1", true), ("", false), ("A", false), ("1a", false), ("a-", false), ("a_b", false),
        (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false), ("é", false),
    ])
    func names(name: String, isValid: Bool) { #expect(CloudNames.isName(name) == isValid) }

    @Test(arguments: [
        ("Tasks_2026.txt", "disbatch-tasks-2026-txt-0a1b"), ("--", "disbatch-0a1b"), ("é/1", "disbatch-1-0a1b"),
        (String(repeating: "ab-", count: 40), "disbatch-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-0a1b"),
    ])
    func prefixes(run: String, expected: String) {
        let prefix = CloudNames.prefix(run: run, nonce: "0a1b")
        #expect(prefix == expected)
        #expect(CloudNames.isName(CloudNames.name(prefix: prefix, serial: 123_456)))
    }

    @Test func serialsHaveFourDigits() {
        #expect(CloudNames.name(prefix: "a", serial: 7) == "a-0007")
        #expect(CloudNames.name(prefix: "a", serial: 12345) == "a-12345")
    }

    @Test func labelValues() {
        #expect(CloudNames.labelValue("My Run/é.txt") == "my-run---txt")
        #expect(CloudNames.isLabelValue(CloudNames.labelValue(String(repeating: "É", count: 100))))
        #expect(CloudNames.isLabelKey("a_b-1") && !CloudNames.isLabelKey("1a") && !CloudNames.isLabelKey(""))
    }

    @Test(arguments: [
        ("a", true), ("p-1", true), ("domain.com:p", true), ("..", false), ("a/b", false), ("a b", false),
        ("a?b", false), ("", false), ("a%2f", false),
    ])
    func pathParts(text: String, isValid: Bool) { #expect(CloudNames.isPathPart(text) == isValid) }
}
