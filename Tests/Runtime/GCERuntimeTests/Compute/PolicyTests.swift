import DisbatchCore
import Foundation
import Testing

@testable import GCERuntime
@testable import GoogleAPI

struct PolicyTests {
    @Test func delaysGrowAndEnd() {
        var policy = RetryPolicy()
        policy.random = { 0 }
        #expect(
            (1...8).map { policy.delay(attempts: $0, retryAfter: nil, elapsed: .zero) }
                == [0.5, 1, 2, 4, 8, 16, 16, 16].map { .seconds($0) })
        policy.random = { 0.999_999 }
        let last = policy.delay(attempts: 100, retryAfter: nil, elapsed: .zero) ?? .zero
        #expect(last > .seconds(31) && last < .seconds(32))
        #expect(policy.delay(attempts: 1, retryAfter: .seconds(20), elapsed: .zero) == .seconds(20))
        #expect(policy.delay(attempts: 1, retryAfter: .seconds(20), elapsed: .seconds(290)) == nil)
        #expect(policy.delay(attempts: 1, retryAfter: nil, elapsed: .seconds(300)) == nil)
    }

    @Test(
        arguments: [
            ("120", 120), ("0", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 37), ("Sun, 06 Nov 1994 08:48:37 GMT", 0),
            ("soon", nil), ("-1", nil), ("Sun, 06 Foo 1994 08:49:37 GMT", nil), ("99999999999999999999", nil),
        ] as [(String, Int?)])
    func retryAfter(text: String, seconds: Int?) {
        // date -d "1994-11-06 08:49:00 UTC" +%s
        let now = Timestamp(microseconds: 784_111_740_000_000)
        #expect(RetryPolicy.retryAfter(text, now: now) == seconds.map { .seconds($0) })
    }

    @Test func bucketsFillAgain() {
        var bucket = TokenBucket(perSecond: 10, burst: 3)
        let start = Instant(nanoseconds: 0)
        let waits = (0..<5).map { _ in bucket.take(at: start) }
        #expect(waits == [0, 0, 0, 100, 200].map { .milliseconds($0) })
        #expect(bucket.take(at: start + .seconds(1)) == .zero)
        #expect((0..<3).map { _ in bucket.take(at: start + .seconds(1)) } == [0, 0, 100].map { .milliseconds($0) })
    }

    @Test(arguments: [
        ("https://compute.googleapis.com/x", true), ("http://127.0.0.1:80/x", true), ("http://localhost/x", true),
        ("http://[::1]:80/", true), ("http://127.0.0.1", true), ("http://10.0.0.1/", false),
        ("http://127.0.0.1.evil/", false),
        ("http://localhost.evil/", false), ("http://localhost@evil/", false), ("https://a@evil/", false),
        ("ftp://a", false),
        ("http://evil\\@127.0.0.1/", false), ("file:///etc/passwd", false), ("http://127.evil.a.b/", false),
        ("", false),
    ])
    func addresses(address: String, isAllowed: Bool) { #expect(HTTPClient.isAllowed(address) == isAllowed) }

    @Test(
        arguments: [
            (nil, "https://compute.googleapis.com/compute/v1"), ("http://127.0.0.1:8", "http://127.0.0.1:8/compute/v1"),
            ("http://127.0.0.1:8/", "http://127.0.0.1:8/compute/v1"), ("https://a/b/v2/", "https://a/b/v2"),
        ] as [(String?, String)])
    func endpoints(text: String?, expected: String) throws {
        #expect(
            try CloudEnvironment(variables: ["DISBATCH_COMPUTE_ENDPOINT": text ?? ""]).computeEndpoint() == expected)
    }

    @Test func endpointsInTheClearAreRefused() {
        let environment = CloudEnvironment(variables: ["DISBATCH_COMPUTE_ENDPOINT": "http://192.0.2.1"])
        #expect(throws: CloudError.self) { try environment.computeEndpoint() }
    }

    @Test func base64HasNoPadding() {
        for (text, expected) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            #expect(Base64.addressText(Array(text.utf8)) == expected)
        }
        #expect(Base64.addressText([0xFB, 0xFF, 0xFE]) == "-__-")
    }

    // MARK: Defaults

    @Test func defaultsComeFromGcloud() throws {
        let room = try Room([:])
        _ = try room.write("active_config", "lab\n")
        _ = try room.write(
            "configurations/config_lab", "[core]\nproject = lab-1\naccount = a@b\n[compute]\nzone = z-a\nregion = z\n")
        _ = try room.write("configurations/config_default", "[core]\nproject = other\n")
        let environment = room.environment(["CLOUDSDK_CONFIG": room.directory])
        var expected = CloudDefaults()
        (expected.project, expected.zone, expected.region) = ("lab-1", "z-a", "z")
        #expect(CloudDefaults(environment: environment) == expected)
        let variables = ["CLOUDSDK_ACTIVE_CONFIG_NAME": "default", "CLOUDSDK_COMPUTE_ZONE": "y-b"]
        let changed = CloudDefaults(
            environment: room.environment(variables.merging(["CLOUDSDK_CONFIG": room.directory]) { $1 }))
        #expect(changed.project == "other" && changed.zone == "y-b")
        let named = room.environment(["CLOUDSDK_CONFIG": room.directory, "GOOGLE_CLOUD_PROJECT": "env"])
        #expect(CloudDefaults(environment: named).project == "env")
    }

    @Test func defaultsComeFromTheMachine() throws {
        let flavor = ["Metadata-Flavor": "Google"]
        let room = try Room([
            "GET /computeMetadata/v1/project/project-id": [["headers": flavor, "body": "meta-1"]],
            "GET /computeMetadata/v1/instance/zone": [["headers": flavor, "body": "projects/12/zones/z-c"]],
        ])
        let environment = room.environment(["GCE_METADATA_HOST": room.place])
        let defaults = CloudDefaults(environment: environment, http: HTTPClient(environment: environment))
        #expect(defaults.project == "meta-1" && defaults.zone == "z-c")
        #expect(CloudDefaults(environment: environment) == CloudDefaults())
    }
}
