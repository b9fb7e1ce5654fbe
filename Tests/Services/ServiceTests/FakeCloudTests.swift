import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import GCERuntime
@testable import GoogleAPI

/// The client against a strict service (`Tests/Support/fake-gce`), whose instances run the start-up script.
@Suite(.blocking, .enabled(if: getuid() == 0, "machines have address and files of their own"))
struct FakeCloudTests {
    /// The service, and what it says of itself.
    private struct Cloud {
        private static let service = Result { try TestService("fake-gce/fake-gce", []) }

        let ready: JSONValue
        let environment: CloudEnvironment
        let credentials: Credentials

        init() throws {
            let path = try Self.service.get().path
            ready = try #require(JSONValue(parsing: try String(contentsOfFile: path + "/ready.json", encoding: .utf8)))
            environment = CloudEnvironment(variables: [
                "HOME": path + "/home", "PATH": "/nowhere", "GCE_METADATA_HOST": ready["metadataHost"].string ?? "",
                "DISBATCH_COMPUTE_ENDPOINT": ready["compute"].string ?? "",
            ])
            credentials = Credentials(environment: environment, retry: FakeCloudTests.retry)
        }

        func client() throws -> ComputeClient {
            try ComputeClient(
                project: "test-project", environment: environment, credentials: credentials, limiter: RateLimiter(),
                retry: FakeCloudTests.retry)
        }

        /// Tells the service what to do.
        @discardableResult
        func control(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> JSONValue {
            var request = HTTPRequest(method, (ready["control"].string ?? "") + "/" + path)
            request.body = body.map { Secret($0.text()) }
            let reply = try HTTPClient(environment: environment).perform(request, "control", Cancellation())
            #expect(reply.status == 200, "\(path): \(String(decoding: reply.body, as: UTF8.self))")
            return JSONValue(parsing: reply.body) ?? .null
        }

        func wait(_ name: String, _ status: String) throws {
            try control("POST", "wait", ["name": .string(name), "status": .string(status)])
        }

        func settings() -> InstanceSettings {
            var settings = InstanceSettings(project: "test-project", machineType: "n2-standard-4")
            settings.endpoint = ready["compute"].string
            return settings
        }
    }

    private static let retry: RetryPolicy = {
        var policy = RetryPolicy()
        policy.firstDelay = .milliseconds(1)
        policy.longestDelay = .milliseconds(2)
        policy.totalLimit = .seconds(20)
        return policy
    }()
    private static let zone = "us-central1-a"
    private static let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHRoaXMgaXMgbm8ga2V5IG9mIGFueWJvZHkhISEh"

    /// Makes an instance, and returns when it has said that it is prepared.
    private func make(_ name: String, _ settings: InstanceSettings, _ cloud: Cloud) throws {
        let client = try cloud.client()
        let body = InstanceRequest(settings: settings, run: name, publicKey: Self.key)
            .body(name: name, zone: Self.zone, model: .spot)
        try client.wait(for: client.insert(body, zone: Self.zone), until: MonotonicTime.now + .seconds(30))
        let limit = MonotonicTime.now + .seconds(30)
        while MonotonicTime.now < limit {
            let said = try client.guestAttributes(name, zone: Self.zone, namespace: StartupScript.namespace)
            if let said = said[StartupScript.attribute] { return #expect(said == StartupScript.isPrepared) }
            usleep(50_000)
        }
        Issue.record("\(name) was not prepared: \(try client.serialOutput(name, zone: Self.zone).text)")
    }

    @Test func instancesAreMadeFoundAndDeleted() throws {
        let cloud = try Cloud()
        let client = try cloud.client()
        let name = "a-0001"
        try make(name, cloud.settings(), cloud)
        let found = try client.instances(labels: [CloudLabel.run: name])
        #expect(found.map(\.name) == [name] && found[0].isRunning && found[0].model == .spot)
        #expect(found[0].zone == Self.zone && found[0].externalAddress?.hasPrefix("127.") == true)
        let keys = try client.hostKeys(name, zone: Self.zone)
        #expect(keys.contains { $0.hasPrefix("ssh-ed25519 AAAA") })
        #expect(try client.serialOutput(name, zone: Self.zone).text.contains("disbatch: prepared: yes"))
        let deletion = try #require(try client.delete(instance: name, zone: Self.zone))
        try client.wait(for: deletion, until: MonotonicTime.now + .seconds(30))
        #expect(try client.instance(name, zone: Self.zone) == nil)
        #expect(try client.delete(instance: name, zone: Self.zone) == nil)
        #expect(try client.instances(labels: [CloudLabel.run: name]) == [])
    }

    @Test func allSettingsAreTaken() throws {
        let cloud = try Cloud()
        var settings = cloud.settings()
        settings.machineType = "n1-standard-4"
        settings.gpus = [.init(type: "nvidia-tesla-t4", count: 1)]
        settings.localSSDs = 1
        settings.diskGigabytes = 50
        settings.labels = ["team": "x"]
        settings.tags = ["batch"]
        settings.hasExternalAddress = false
        settings.pool = "lab"
        let client = try cloud.client()
        let body = InstanceRequest(settings: settings, run: "b", publicKey: Self.key)
            .body(name: "b-0001", zone: Self.zone, model: .standard)
        try client.wait(for: client.insert(body, zone: Self.zone), until: MonotonicTime.now + .seconds(30))
        let found = try client.instances(labels: [CloudLabel.pool: "lab", CloudLabel.settings: settings.hash])
        #expect(found.map(\.name) == ["b-0001"])
        #expect(found.first?.externalAddress == nil && found.first?.internalAddress != nil)
        _ = try client.delete(instance: "b-0001", zone: Self.zone)
        let both = ["b-0002", "b-0003"]
        let bulk = InstanceRequest(settings: settings, run: "b", publicKey: Self.key)
            .bulkBody(names: both, zone: Self.zone, model: .standard)
        let operation = try client.bulkInsert(bulk, count: 2, zone: Self.zone)
        try client.wait(for: operation, until: MonotonicTime.now + .seconds(30))
        #expect(try client.instances(labels: ["team": "x"]).map(\.name).filter { both.contains($0) } == both)
        for name in both { _ = try client.delete(instance: name, zone: Self.zone) }
    }

    @Test func anInstanceOfAPoolIsOneRunsAtATime() throws {
        let cloud = try Cloud()
        let client = try cloud.client()
        var settings = cloud.settings()
        settings.pool = "crew"
        let (name, zone) = ("p-0001", Self.zone)
        try make(name, settings, cloud)
        let members = (0..<8).map { number in
            let run = number == 0 ? name : "run-\(number)"
            let key = number == 0 ? Self.key : "\(Self.key)\(number)"
            return PoolMember(InstanceRequest(settings: settings, run: run, publicKey: key), pool: "crew")
        }
        // The run that made it has it.
        #expect(try client.instances(leftTo: members[1]) == [])
        #expect(try client.claim(name, zone: zone, for: members[1]) == nil)
        try client.release(name, zone: zone, by: members[1])
        #expect(try client.instance(name, zone: zone)?.owner == name)
        try client.release(name, zone: zone, by: members[0])
        let left = try #require(try client.instances(leftTo: members[1]).first)
        #expect(left.name == name && left.labels[CloudLabel.run] == "pool-crew")
        // Of several at once one gets it.
        func claim(_ members: ArraySlice<PoolMember>) throws {
            guard let member = members.first else { return }
            let (environment, credentials) = (cloud.environment, cloud.credentials)
            let thread = try WorkerThread(name: "claim") {
                let own = try? ComputeClient(
                    project: "test-project", environment: environment, credentials: credentials,
                    limiter: RateLimiter(), retry: FakeCloudTests.retry)
                _ = try? own?.claim(name, zone: zone, for: member)
            }
            try claim(members.dropFirst())
            thread.join()
        }
        try claim(members.dropFirst())
        let own = try #require(try client.instance(name, zone: zone))
        let owner = try #require(members.first { $0.run == own.owner })
        #expect(own.labels[CloudLabel.run] == owner.run)
        let keys = own.metadata.first { $0.key == CloudMetadata.keys }?.value.string ?? ""
        #expect(keys == owner.keyLine)
        try client.release(name, zone: zone, by: owner)
        let metadata = try #require(try client.instance(name, zone: zone)).metadata
        #expect(!metadata.contains { $0.key == CloudMetadata.owner || $0.key == CloudMetadata.keys })
        #expect(metadata.contains { $0.key == CloudMetadata.grace && $0.value == "60" })
        _ = try client.delete(instance: name, zone: zone)
    }

    @Test func lostRepliesMakeOneInstance() throws {
        let cloud = try Cloud()
        try cloud.control(
            "POST", "faults",
            ["kind": "loseReply", "operation": "instances.insert", "times": 1, "name": "c-0001"])
        try make("c-0001", cloud.settings(), cloud)
        let client = try cloud.client()
        #expect(try client.instances(labels: [CloudLabel.run: "c-0001"]).count == 1)
        _ = try client.delete(instance: "c-0001", zone: Self.zone)
    }

    @Test func shortagesAreTold() throws {
        let cloud = try Cloud()
        let client = try cloud.client()
        let body = InstanceRequest(settings: cloud.settings(), run: "d", publicKey: Self.key)
            .body(name: "d-0001", zone: "europe-west4-b", model: .spot)
        try cloud.control("POST", "faults", ["kind": "exhausted", "zone": "europe-west4-b", "details": true])
        let error = #expect(throws: CloudError.self) {
            try client.wait(for: client.insert(body, zone: "europe-west4-b"), until: MonotonicTime.now + .seconds(30))
        }
        #expect(error?.kind == .resourcesExhausted, "\(error?.description ?? "")")
    }

    @Test func preemptionsAreTold() throws {
        let cloud = try Cloud()
        try make("g-0001", cloud.settings(), cloud)
        let client = try cloud.client()
        #expect(try !client.preemptedInstances(zone: Self.zone).contains("g-0001"))
        try cloud.control("POST", "preempt", ["name": "g-0001", "notice": .number(0.1)])
        try cloud.wait("g-0001", "GONE")
        #expect(try client.preemptedInstances(zone: Self.zone).contains("g-0001"))
    }

    @Test func questionsBeforeARun() throws {
        let client = try Cloud().client()
        #expect(try client.machineType("n2-standard-4", zone: Self.zone).cores == 4)
        #expect(try client.image("debian-12").family == "debian-12")
        #expect(try client.isUp(zone: Self.zone))
        #expect(try client.quotas(region: "us-central1").contains { $0.metric == "CPUS" })
        _ = try client.projectQuotas()
        try client.checkNetwork("default")
        let error = #expect(throws: CloudError.self) { try client.checkNetwork("other") }
        #expect(error?.kind == .notFound)
    }

    @Test func checksSayWhatIsWrong() throws {
        let cloud = try Cloud()
        var settings = cloud.settings()
        let good = CloudCheck.all(
            try cloud.client(), settings: settings, zones: [Self.zone], count: 2, model: .standard)
        #expect(good.filter { !$0.isGood } == [], "\(good)")
        let subjects = ["credentials", "project", "image", "network", "port", "zone", "machine", "quota"]
        #expect(Set(good.map { String($0.subject.split(separator: " ")[0]) }) == Set(subjects))

        settings.image = "debian-3"
        settings.network = "nowhere"
        settings.machineType = "n9-standard-4"
        let bad = CloudCheck.all(
            try cloud.client(), settings: settings, zones: [Self.zone, "us-central1-x"], count: 1_000_000,
            model: .standard)
        let wrong = bad.filter { !$0.isGood }
        #expect(
            wrong.map(\.subject).filter { !$0.hasPrefix("quota") } == [
                "image debian-3", "network nowhere", "machine type n9-standard-4 in us-central1-a",
                "zone us-central1-x",
            ])
        #expect(wrong.contains { $0.subject == "quota INSTANCES in us-central1" })
        #expect(wrong.allSatisfy { $0.remedy != nil && $0.finding != "" }, "\(wrong)")
    }

    @Test func checksWithoutCredentialsEndThere() throws {
        let environment = CloudEnvironment(variables: ["PATH": "/nowhere", "NO_GCE_CHECK": "true"])
        let client = try ComputeClient(
            project: "p", environment: environment, credentials: Credentials(environment: environment),
            limiter: RateLimiter())
        let settings = InstanceSettings(project: "p", machineType: "e2-small")
        #expect(
            CloudCheck.all(client, settings: settings, zones: ["z-a"], count: 1, model: .spot) == [
                CloudCheck(
                    subject: "credentials", finding: "there are none", isGood: false,
                    remedy: "gcloud auth application-default login")
            ])
    }

    @Test func deletesItselfWhenNoEngineIsThere() throws {
        let cloud = try Cloud()
        var settings = cloud.settings()
        settings.lifeWithoutEngine = .seconds(2)
        settings.serviceAccount = "default"
        try make("e-0001", settings, cloud)
        try cloud.wait("e-0001", "GONE")
    }

    @Test func shutsDownWhereItMayNotDeleteItself() throws {
        let cloud = try Cloud()
        var settings = cloud.settings()
        settings.lifeWithoutEngine = .seconds(2)
        try make("f-0001", settings, cloud)
        try cloud.wait("f-0001", "TERMINATED")
        let client = try cloud.client()
        #expect(try client.instance("f-0001", zone: Self.zone)?.isEnding == true)
        _ = try client.delete(instance: "f-0001", zone: Self.zone)
    }
}
