import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Machines that are asked for in one request.
@Suite(.blocking, .enabled(if: GoogleCloud.canRun, "machines have addresses and files of their own"))
struct GoogleCloudBulkTests {
    private static let zone = "us-central1-a"
    private static let zones = ["--gce-set", "zones=us-central1-a,us-central1-b"]
    private static let text = String(repeating: "sleep 0.2\n", count: 60)

    private func start(
        _ machines: Int, in box: Sandbox, _ cloud: GoogleCloud, text: String = text
    ) throws -> RunningProgram {
        try box.write("tasks.txt", text)
        return try box.start(
            ["-p", "run", "--gce", "\(machines):n2-standard-2"] + Self.zones + ["tasks.txt"],
            environment: cloud.environment)
    }

    /// A run that has to end well, and to leave nothing; returns its log.
    private func run(_ machines: Int, in box: Sandbox, _ cloud: GoogleCloud) throws -> String {
        let result = try start(machines, in: box, cloud).wait(within: 120)
        #expect(result.status == 0, "\(result.error)")
        #expect(box.rows().countsByTask == [Int](repeating: 1, count: 60))
        try box.wait(for: "the end of all machines", within: 60) { try cloud.control("summary")["left"] as? Int == 0 }
        return try box.text(of: "run_driver.log")
    }

    @Test func aRequestMakesAll() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let log = try run(4, in: box, cloud)
                #expect(try cloud.made() == 4, "\(log)")
                #expect(try cloud.calls("instances.bulkInsert") == 1)
                #expect(try cloud.calls("instances.insert") == 0)
                #expect(Set(box.rows().map(\.node)).count == 4)
            }
        }
    }

    @Test func whatThereIsNoRoomForIsAskedForElsewhere() throws {
        let fault: [String: Any] = ["kind": "exhausted", "zone": Self.zone, "after": 2]
        try GoogleCloud.with(["faults": [fault]]) { cloud in
            try Sandbox.with { box in
                let log = try run(6, in: box, cloud)
                #expect(log.components(separatedBy: " in us-central1-b, ").count == 5, "\(log)")
                #expect(try cloud.calls("instances.bulkInsert") == 2)
                // Two of the first six, and four others.
                #expect(try cloud.control("summary")["everRunning"] as? Int == 6, "\(log)")
            }
        }
    }

    @Test(arguments: [404, 405, 501]) func whereItIsNotOfferedOneIsMadeAfterTheOther(code: Int) throws {
        let fault: [String: Any] = ["kind": "status", "code": code, "operation": "instances.bulkInsert"]
        try GoogleCloud.with(["faults": [fault]]) { cloud in
            try Sandbox.with { box in
                let log = try run(4, in: box, cloud)
                #expect(try cloud.made() == 4 && cloud.calls("instances.insert") == 4, "\(log)")
                #expect(log.components(separatedBy: "are made one by one").count == 2, "\(log)")
            }
        }
    }

    @Test func quotasAreFilled() throws {
        let settings: [String: Any] = ["quotaRefusedAtOnce": true, "quotas": ["us-central1": ["N2_CPUS": 6]]]
        try GoogleCloud.with(settings) { cloud in
            try Sandbox.with { box in
                let log = try run(8, in: box, cloud)
                #expect(try cloud.made() == 3, "\(log)")
            }
        }
    }

    @Test func lostRepliesMakeNoMachineTwice() throws {
        let faults: [[String: Any]] = [
            ["kind": "status", "code": 503, "times": 1, "operation": "instances.bulkInsert"],
            ["kind": "loseReply", "times": 2, "operation": "instances.bulkInsert"],
        ]
        try GoogleCloud.with(["faults": faults]) { cloud in
            try Sandbox.with { box in
                let log = try run(4, in: box, cloud)
                #expect(try cloud.made() == 4, "\(log)")
            }
        }
    }

    @Test func theEndOfTheRunDeletesWhatIsInTheMaking() throws {
        // The operation runs for so long that nothing is there when the end comes.
        try GoogleCloud.with(["operationRunning": 2]) { cloud in
            try Sandbox.with { box in
                let driver = try start(4, in: box, cloud, text: String(repeating: "sleep 600\n", count: 8))
                try box.wait(for: "the request", within: 60) { try cloud.calls("instances.bulkInsert") == 1 }
                #expect(try cloud.made() == 0)
                driver.signal(SIGTERM)
                #expect(try driver.wait(within: 100).status == 128 + SIGTERM)
                #expect(try cloud.control("summary")["left"] as? Int == 0)
                #expect(try cloud.calls("zoneOperations.get") > 0)
            }
        }
    }
}
