import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import GCERuntime
@testable import GoogleAPI

/// The client against replies of every kind.
@Suite(.blocking) struct ComputeClientTests {
    private static var operation: [String: Any] { ["name": "op-1", "status": "RUNNING", "zone": "z-a"] }
    private static let body: JSONValue = ["name": "vm-1"]
    private static let insertLine = "POST /compute/v1/projects/p-1/zones/z-a/instances"

    private func room(_ line: String, _ replies: [[String: Any]]) throws -> Room {
        try Room([line: replies, Room.metadataLine: [Room.token()]])
    }

    private func error(_ room: Room, _ call: (ComputeClient) throws -> Void) throws -> CloudError {
        let client = try room.client()
        let error = #expect(throws: CloudError.self) { try call(client) }
        return try #require(error)
    }

    private static func refusal(_ status: Int, _ reason: String, _ message: String = "no") -> [String: Any] {
        [
            "status": status,
            "body": [
                "error": ["code": status, "message": message, "errors": [["reason": reason, "message": message]]]
            ],
        ]
    }

    // MARK: Requests

    @Test func insertIsWhatTheServiceWants() throws {
        let room = try room(Self.insertLine, [["body": Self.operation]])
        let id = RequestID()
        let operation = try room.client().insert(Self.body, zone: "z-a", requestID: id)
        #expect(operation == (try CloudOperation(["name": "op-1", "status": "RUNNING"], zone: "z-a", "")))
        let asked = try #require(room.asked.last)
        #expect(asked.query == ["requestId": id.text])
        #expect(asked.headers["authorization"] == "Bearer ya29.metadata")
        #expect(asked.headers["content-type"] == "application/json")
        #expect(asked.body == #"{"name":"vm-1"}"#)
    }

    @Test func requestIDsAreUUIDs() throws {
        let ids = (0..<100).map { _ in RequestID().text }
        #expect(Set(ids).count == 100)
        for id in ids {
            #expect(UUID(uuidString: id) != nil && id == id.lowercased())
            #expect(Array(id)[14] == "4" && "89ab".contains(Array(id)[19]))
        }
    }

    @Test func retriesKeepTheirID() throws {
        let room = try room(
            Self.insertLine,
            [
                ["status": 503], ["drop": true], Self.refusal(403, "rateLimitExceeded"), ["status": 429],
                ["body": Self.operation],
            ])
        #expect(try room.client().insert(Self.body, zone: "z-a").name == "op-1")
        let asked = room.asked.filter { $0.line == Self.insertLine }
        #expect(asked.count == 5)
        #expect(Set(asked.map { $0.query["requestId"] }).count == 1)
        #expect(Set(asked.map(\.body)).count == 1)
    }

    @Test func retriesEnd() throws {
        let room = try room(Self.insertLine, [["status": 500, "body": "<html>"]])
        var retry = Room.quick
        retry.totalLimit = .seconds(1)
        let client = try room.client(retry: retry)
        let error = #expect(throws: CloudError.self) { _ = try client.insert(Self.body, zone: "z-a") }
        #expect(error?.kind == .server)
        #expect(error?.description == "make instance vm-1 in z-a: the service gave no reason (HTTP 500)")
        #expect(room.asked.count > 2)
    }

    @Test func retryAfterIsHonoured() throws {
        let room = try room(
            Self.insertLine, [["status": 503, "headers": ["Retry-After": "7200"]], ["body": Self.operation]])
        // Two hours are more than the retries may take together.
        let error = try error(room) { _ = try $0.insert(Self.body, zone: "z-a") }
        #expect(error.retryAfter == .seconds(7200) && room.asked.filter { $0.line == Self.insertLine }.count == 1)
    }

    @Test(arguments: [
        (400, "invalid", CloudErrorKind.invalid), (403, "forbidden", .permission), (403, "quotaExceeded", .quota),
        (404, "notFound", .notFound), (409, "alreadyExists", .conflict),
        (503, "ZONE_RESOURCE_POOL_EXHAUSTED", .resourcesExhausted),
    ])
    func refusalsAreNotTriedAgain(status: Int, reason: String, kind: CloudErrorKind) throws {
        let room = try room(Self.insertLine, [Self.refusal(status, reason, "the reason\nin two lines")])
        let error = try error(room) { _ = try $0.insert(Self.body, zone: "z-a") }
        #expect(error.kind == kind && error.status == status && error.codes == [reason])
        #expect(error.message == "the reason in two lines")
        #expect(room.asked.filter { $0.line == Self.insertLine }.count == 1)
    }

    @Test func refusedTokensAreReplacedOnce() throws {
        let room = try Room([
            Self.insertLine: [
                Self.refusal(401, "authError"), ["body": Self.operation], Self.refusal(401, "authError"),
            ],
            Room.metadataLine: [Room.token("ya29.first"), Room.token("ya29.second"), Room.token("ya29.third")],
        ])
        let client = try room.client()
        _ = try client.insert(Self.body, zone: "z-a")
        let error = #expect(throws: CloudError.self) { _ = try client.insert(Self.body, zone: "z-a") }
        #expect(error?.kind == .credentials)
        let tokens = room.asked.filter { $0.line == Self.insertLine }.map { $0.headers["authorization"] }
        #expect(tokens == ["first", "second", "second", "third"].map { "Bearer ya29." + $0 })
    }

    @Test func errorsHoldNoToken() throws {
        let echo = Self.refusal(403, "@AUTHORIZATION@", "you sent @AUTHORIZATION@")
        let room = try room(Self.insertLine, [echo])
        let error = try error(room) { _ = try $0.insert(Self.body, zone: "z-a") }
        var text = error.description
        dump(error, to: &text)
        #expect(!text.contains("ya29.metadata") && text.contains("(secret)"))
    }

    @Test func redirectsAreNotFollowed() throws {
        let other = try Room(["GET /": [["body": "{}"]]])
        let room = try room(Self.insertLine, [["status": 307, "headers": ["Location": "http://\(other.place)/"]]])
        let error = try error(room) { _ = try $0.insert(Self.body, zone: "z-a") }
        #expect(error.kind == .transport && other.asked.isEmpty)
    }

    @Test func namesAreNoWayOut() throws {
        let room = try room(Self.insertLine, [])
        for name in ["../x", "a/b", "", "a?b", "a b", "a%2f"] {
            let error = try error(room) { _ = try $0.delete(instance: name, zone: "z-a/..") }
            #expect(error.kind == .invalid)
        }
        #expect(room.asked.isEmpty)
    }

    // MARK: Deleting and waiting

    @Test func whatIsGoneIsDeleted() throws {
        let line = "DELETE /compute/v1/projects/p-1/zones/z-a/instances/vm-1"
        let room = try room(line, [["body": Self.operation], Self.refusal(404, "notFound")])
        let client = try room.client()
        #expect(try client.delete(instance: "vm-1", zone: "z-a")?.name == "op-1")
        #expect(try client.delete(instance: "vm-1", zone: "z-a") == nil)
    }

    @Test func operationsAreWaitedFor() throws {
        let line = "POST /compute/v1/projects/p-1/zones/z-a/operations/op-1/wait"
        let failed: [String: Any] = [
            "name": "op-1", "status": "DONE", "httpErrorStatusCode": 503, "httpErrorMessage": "SERVICE UNAVAILABLE",
            "error": [
                "errors": [["code": "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "message": "The zone is full."]]
            ],
        ]
        let room = try room(line, [["body": Self.operation], ["body": Self.operation], ["body": failed]])
        let client = try room.client()
        let operation = try CloudOperation(["name": "op-1", "status": "PENDING"], zone: "z-a", "")
        let error = #expect(throws: CloudError.self) {
            try client.wait(for: operation, until: MonotonicTime.now + .seconds(60))
        }
        #expect(error?.kind == .resourcesExhausted && error?.message == "The zone is full.")
        #expect(room.asked.filter { $0.line == line }.count == 3)
    }

    @Test func waitingHasADeadline() throws {
        let line = "POST /compute/v1/projects/p-1/zones/z-a/operations/op-1/wait"
        let room = try room(line, [["body": Self.operation]])
        let operation = try CloudOperation(["name": "op-1", "status": "PENDING"], zone: "z-a", "")
        let error = try error(room) { try $0.wait(for: operation, until: MonotonicTime.now + .milliseconds(200)) }
        #expect(error.kind == .transport && error.message == "it has not ended in time")
    }

    @Test func cancellingEndsARequest() throws {
        let room = try room(Self.insertLine, [["hold": true]])
        let cancellation = Cancellation()
        let client = try room.client(cancellation: cancellation)
        let thread = try WorkerThread(name: "cancel") {
            // As soon as the server holds the request.
            let limit = MonotonicTime.now + .seconds(20)
            while !room.asked.contains(where: { $0.line == Self.insertLine }), MonotonicTime.now < limit {
                usleep(2000)
            }
            cancellation.cancel()
        }
        let begin = MonotonicTime.now
        let error = #expect(throws: CloudError.self) { _ = try client.insert(Self.body, zone: "z-a") }
        thread.join()
        #expect(error?.kind == .cancelled)
        #expect(MonotonicTime.now < begin + .seconds(30))
        #expect(throws: CloudError.self) { _ = try client.insert(Self.body, zone: "z-a") }
        #expect(room.asked.filter { $0.line == Self.insertLine }.count == 1)
    }

    // MARK: Looking

    private static func instance(_ name: String, _ zone: String) -> [String: Any] {
        [
            "name": name, "zone": "https://c/projects/p-1/zones/\(zone)", "status": "RUNNING",
            "machineType": "https://c/zones/\(zone)/machineTypes/e2-small", "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": ["disbatch-run": "r"], "scheduling": ["provisioningModel": "SPOT"],
            "networkInterfaces": [["networkIP": "10.0.0.2", "accessConfigs": [["natIP": "192.0.2.7"]]]],
        ]
    }

    @Test func listsHavePages() throws {
        let line = "GET /compute/v1/projects/p-1/aggregated/instances"
        let room = try room(
            line,
            [
                [
                    "body": [
                        "nextPageToken": "t/1", "items": ["zones/z-a": ["instances": [Self.instance("b", "z-a")]]],
                    ]
                ],
                ["body": ["nextPageToken": "t2", "items": ["zones/z-b": ["warning": ["code": "NO_RESULTS_ON_PAGE"]]]]],
                ["body": ["items": ["zones/z-b": ["instances": [Self.instance("a", "z-b")]]]]],
            ])
        let found = try room.client().instances(labels: ["disbatch-run": "r", "disbatch-pool": nil])
        #expect(found.map(\.name) == ["a", "b"] && found.map(\.zone) == ["z-b", "z-a"])
        let first = try #require(found.first)
        #expect(first.isRunning && !first.isEnding && first.model == .spot && first.machineType == "e2-small")
        #expect(first.internalAddress == "10.0.0.2" && first.externalAddress == "192.0.2.7")
        let asked = room.asked.filter { $0.line == line }
        #expect(asked.map { $0.query["pageToken"] } == [nil, "t/1", "t2"])
        #expect(asked.allSatisfy { $0.query["filter"] == "labels.disbatch-pool:* AND labels.disbatch-run=r" })
    }

    @Test func zonesThatCannotBeReachedAreNoEmptyOnes() throws {
        let line = "GET /compute/v1/projects/p-1/aggregated/instances"
        let room = try room(
            line, [["body": ["items": ["zones/z-a": ["warning": ["code": "UNREACHABLE", "message": "down"]]]]]])
        let error = try error(room) { _ = try $0.instances(labels: ["disbatch-run": "r"]) }
        #expect(error.kind == .server && error.message == "zones/z-a: down")
    }

    @Test func oneZoneIsAsked() throws {
        let line = "GET /compute/v1/projects/p-1/zones/z-a/instances"
        let room = try room(line, [["body": ["items": [Self.instance("b", "z-a")]]]])
        #expect(try room.client().instances(labels: ["disbatch-run": "r"], zone: "z-a").map(\.name) == ["b"])
        let error = try error(room) { _ = try $0.instances(labels: ["a": "x OR y"]) }
        #expect(error.kind == .invalid)
    }

    @Test func hostKeysComeFromTheGuest() throws {
        let line = "GET /compute/v1/projects/p-1/zones/z-a/instances/vm-1/getGuestAttributes"
        let items = [
            ["namespace": "hostkeys", "key": "ssh-ed25519", "value": "AAAAC3"],
            ["namespace": "hostkeys", "key": "ecdsa-sha2-nistp256", "value": "AAAAE2\nx"],
        ]
        let room = try room(line, [Self.refusal(404, "notFound"), ["body": ["queryValue": ["items": items]]]])
        let client = try room.client()
        #expect(try client.hostKeys("vm-1", zone: "z-a") == [])
        #expect(try client.hostKeys("vm-1", zone: "z-a") == ["ssh-ed25519 AAAAC3"])
        #expect(room.asked.last?.query == ["queryPath": "hostkeys/"])
    }

    @Test func thingsAreLookedAt() throws {
        let base = "GET /compute/v1/projects"
        let room = try Room([
            Room.metadataLine: [Room.token()],
            "\(base)/p-1/zones/z-a/machineTypes/n2-standard-4": [
                ["body": ["name": "n2-standard-4", "guestCpus": 4, "memoryMb": 16384]]
            ],
            "\(base)/debian-cloud/global/images/family/debian-12": [
                ["body": ["name": "debian-12-v1", "family": "debian-12", "status": "READY", "diskSizeGb": "10"]]
            ],
            "\(base)/q/global/images/i": [["body": ["name": "i"]]],
            "\(base)/p-1": [
                ["body": ["name": "p-1", "quotas": [["metric": "SNAPSHOTS", "limit": 10, "usage": 1.5]]]]
            ],
            "\(base)/p-1/regions/z": [["body": ["quotas": [["metric": "CPUS", "limit": 24.0, "usage": 4.0]]]]],
            "\(base)/p-1/zones/z-a": [["body": ["status": "UP"]]],
            "\(base)/p-1/global/networks/default": [["body": ["name": "default"]]],
            "\(base)/p-1/zones/z-a/instances/vm-1/serialPort": [["body": ["contents": "boot\n", "next": "5"]]],
            "\(base)/p-1/zones/z-a/instances/vm-1": [
                ["body": Self.instance("vm-1", "z-a")], Self.refusal(404, "notFound"),
            ],
        ])
        let client = try room.client()
        let type = try client.machineType("n2-standard-4", zone: "z-a")
        #expect(type.cores == 4 && type.memoryMebibytes == 16384 && !type.isSharedCore)
        #expect(try client.image("debian-12").diskGigabytes == 10)
        #expect(try client.image("https://www.googleapis.com/compute/v1/projects/q/global/images/i").name == "i")
        #expect(try client.projectQuotas().map(\.usage) == [1.5])
        #expect(try client.quotas(region: "z").map(\.metric) == ["CPUS"])
        #expect(try client.isUp(zone: "z-a"))
        try client.checkNetwork("global/networks/default")
        #expect(try client.serialOutput("vm-1", zone: "z-a").next == 5)
        #expect(try client.instance("vm-1", zone: "z-a")?.name == "vm-1")
        #expect(try client.instance("vm-1", zone: "z-a") == nil)
        #expect(throws: CloudError.self) { try client.image("a/b") }
    }

    @Test(arguments: [
        (#""IPProtocol": "tcp", "ports": ["22"]"#, "", true),
        (#""IPProtocol": "tcp", "ports": ["80", "20-30"]"#, "", true), (#""IPProtocol": "all""#, "", true),
        (#""IPProtocol": "tcp", "ports": ["80", "220"]"#, "", false),
        (#""IPProtocol": "udp", "ports": ["22"]"#, "", false),
        (#""IPProtocol": "tcp""#, #""disabled": true"#, false),
        (#""IPProtocol": "tcp""#, #""direction": "EGRESS""#, false),
        (#""IPProtocol": "tcp""#, #""network": "global/networks/other""#, false),
        (#""IPProtocol": "tcp""#, #""targetTags": ["b"]"#, false),
        (#""IPProtocol": "tcp""#, #""targetTags": ["a", "b"]"#, true),
    ]) func rulesThatLetSSHIn(allowed: String, more: String, isOpen: Bool) throws {
        func object(_ text: String) throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data("{\(text)}".utf8)) as? [String: Any] ?? [:]
        }
        let rule = try ["direction": "INGRESS", "network": "https://x/global/networks/n", "allowed": [object(allowed)]]
            .merging(object(more)) { $1 }
        let room = try room("GET /compute/v1/projects/p-1/global/firewalls", [["body": ["items": [rule]]]])
        #expect(try room.client().letsLogInsIn(network: "n", tags: ["a"]) == isOpen)
    }

    // MARK: TLS

    @Test func certificatesAreVerified() throws {
        let room = try room(Self.insertLine, [["body": Self.operation]])
        let address = ["DISBATCH_COMPUTE_ENDPOINT": room.secureAddress + "/compute/v1"]
        var client = try room.client(address)
        let error = #expect(throws: CloudError.self) { _ = try client.insert(Self.body, zone: "z-a") }
        #expect(
            error?.kind == .transport && error?.mayPass == false && error?.advice?.contains("SSL_CERT_FILE") == true)
        #expect(!room.asked.contains { $0.line == Self.insertLine })
        client = try room.client(address.merging(["SSL_CERT_FILE": room.certificate]) { $1 })
        #expect(try client.insert(Self.body, zone: "z-a").name == "op-1")
        // The name counts too.
        let other = ["DISBATCH_COMPUTE_ENDPOINT": room.secureAddress.replacing("127.0.0.1", with: "localhost")]
        client = try room.client(other.merging(["SSL_CERT_FILE": room.certificate]) { $1 })
        #expect(throws: CloudError.self) { _ = try client.insert(Self.body, zone: "z-a") }
    }

    @Test func manyAreAskedForAtOnce() throws {
        let line = "POST /compute/v1/projects/p-1/zones/z-a/instances/bulkInsert"
        let room = try room(line, [["body": Self.operation]])
        var settings = InstanceSettings(project: "p-1", machineType: "n1-standard-1")
        settings.gpus = [.init(type: "nvidia-tesla-t4", count: 1)]
        settings.labels = ["name": "x"]
        let request = InstanceRequest(settings: settings, run: "r", publicKey: "k")
            .bulkBody(names: ["a-1", "a-2"], zone: "z-a", model: .spot)
        _ = try room.client().bulkInsert(request, count: 2, zone: "z-a")
        let body = try #require(JSONValue(parsing: room.asked.last?.body ?? ""))
        #expect(body["count"] == "2" && body["minCount"] == "1")
        #expect(body["perInstanceProperties"] == ["a-1": [:], "a-2": [:]])
        let sent = body["instanceProperties"]
        #expect(sent["name"] == .null && sent["machineType"] == "n1-standard-1" && sent["labels"]["name"] == "x")
        #expect(sent["guestAccelerators"].elements.first?["acceleratorType"] == "nvidia-tesla-t4")
        #expect(sent["disks"].elements.first?["initializeParams"]["diskType"] == "pd-balanced")
        #expect(sent["networkInterfaces"].elements.first?["accessConfigs"].elements.first?["name"] == "External NAT")
    }
}
