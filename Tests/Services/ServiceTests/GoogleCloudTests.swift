import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Runs on machines that disbatch makes itself, of a strict service like Google's.
@Suite(.blocking, .enabled(if: GoogleCloud.canRun, "machines have addresses and files of their own"))
struct GoogleCloudTests {
    private static let zone = ["--gce-set", "zones=us-central1-a"]

    private func start(
        _ text: String?, _ arguments: [String], in box: Sandbox, _ cloud: GoogleCloud
    ) throws -> RunningProgram {
        if let text { try box.write("tasks.txt", text) }
        return try box.start(["-p", "run"] + Self.zone + arguments + ["tasks.txt"], environment: cloud.environment)
    }

    private func run(
        _ text: String?, _ arguments: [String], in box: Sandbox, _ cloud: GoogleCloud
    ) throws -> ProgramResult {
        try start(text, arguments, in: box, cloud).wait(within: 120)
    }

    private func waitUntilEmpty(_ cloud: GoogleCloud, in box: Sandbox) throws {
        try box.wait(for: "the end of all machines", within: 60) { try cloud.names().isEmpty }
    }

    // MARK: A run

    @Test(arguments: SSHClient.allCases) func tasksRunOnMachinesThatAreMadeAndDeleted(client: SSHClient) throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let text = String(repeating: "hostname; pwd; id -un; sleep 0.2\n", count: 20)
                let result = try run(text, ["--gce", "2:n2-standard-2"] + client.options, in: box, cloud)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().countsByTask == [Int](repeating: 1, count: 20))
                for row in box.rows() { #expect(row.outSnippet.hasPrefix("'\(row.node)\\n"), "\(row)") }
                #expect(Set(box.rows().map(\.node)).count == 2)
                #expect(result.error.contains("machines: 2 instances: "))
                try waitUntilEmpty(cloud, in: box)
                #expect(try cloud.made() == 2)
            }
        }
    }

    @Test func noMoreMachinesThanTasksFill() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let result = try run("true\ntrue\ntrue\n", ["--gce", "10:n2-standard-2"], in: box, cloud)
                #expect(result.status == 0, "\(result.error)")
                let (made, log) = (try cloud.made(), try box.text(of: "run_driver.log"))
                #expect(made == 2, "\(log)")
            }
        }
    }

    @Test func ownCoresWorkWhileMachinesBoot() throws {
        try GoogleCloud.with(["boot": 3]) { cloud in
            try Sandbox.with { box in
                let text = String(repeating: "sleep 0.2\n", count: 200)
                let result = try run(
                    text, ["-s", "localhost:2", "--gce", "2:n2-standard-2"], in: box, cloud)
                #expect(result.status == 0, "\(result.error)")
                let nodes = Dictionary(grouping: box.rows(), by: \.node)
                #expect(nodes.count == 3, "\(nodes.mapValues(\.count))")
                #expect(box.rows().countsByTask == [Int](repeating: 1, count: 200))
                try waitUntilEmpty(cloud, in: box)
            }
        }
    }

    @Test func machinesAreAddedToARun() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                try box.write("tasks.txt", String(repeating: "sleep 0.1\n", count: 10))
                let driver = try box.startWithoutContext()
                let helper = try box.start(
                    ["--run", "run", "--gce", "2:n2-standard-2"] + Self.zone, program: "dbutil",
                    environment: cloud.environment)
                #expect(try driver.wait(within: 60).status == 0, "\(driver.error)")
                #expect(try helper.wait(within: 60).status == 0, "\(helper.error)")
                #expect(box.rows().countsByTask == [Int](repeating: 1, count: 10))
                try waitUntilEmpty(cloud, in: box)
            }
        }
    }

    // MARK: Losses

    @Test func preemptedMachinesAreReplaced() throws {
        try GoogleCloud.with(["preemptionNotice": 1]) { cloud in
            try Sandbox.with { box in
                let count = 2000
                let driver = try start(
                    String(repeating: "sleep 0.1\n", count: count),
                    ["--gce", "6:n2-standard-2", "--spot", "--lease", "4s"], in: box, cloud)
                for part in 1...3 {
                    try box.wait(for: "some tasks", within: 60) { box.rows().count > part * 200 || driver.hasEnded }
                    let used = Set(box.rows().suffix(100).map(\.node))
                    let name = try #require(try cloud.names().first { used.contains($0) })
                    // The last one dies without a word.
                    _ =
                        try part == 3
                        ? cloud.control("kill", ["name": name, "then": "DELETE"])
                        : cloud.control("preempt", ["name": name, "notice": 1])
                }
                let result = try driver.wait(within: 120)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().filter { !$0.flags.contains("Z") }.countsByTask == [Int](repeating: 1, count: count))
                #expect(try cloud.made() > 6)
                try waitUntilEmpty(cloud, in: box)
            }
        }
    }

    @Test func aMachineThatIsTakenBackEndsItsTasks() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let text = String(repeating: "sleep 4\n", count: 2) + String(repeating: "sleep 0.2\n", count: 6)
                let driver = try start(text, ["--gce", "1:n2-standard-2", "--spot"], in: box, cloud)
                try box.waitForEngine()
                let name = try #require(try cloud.names().first)
                try cloud.control("preempt", ["name": name, "notice": 8])
                let result = try driver.wait(within: 120)
                #expect(result.status == 0, "\(result.error)")
                let rows = box.rows()
                #expect(rows.countsByTask == [Int](repeating: 1, count: 8), "no task ran twice")
                // It ends what it has, and is given no more.
                #expect(rows.filter { $0.node == name }.map(\.id).sorted() == [0, 1], "\(rows)")
                #expect(result.error.contains("2 instances, 1 preempted: "), "\(result.error)")
            }
        }
    }

    @Test func aZoneWithoutRoomIsLeftForTheNext() throws {
        let fault = ["kind": "exhausted", "zone": "us-central1-a"]
        try GoogleCloud.with(["faults": [fault]]) { cloud in
            try Sandbox.with { box in
                let result = try run(
                    "true\ntrue\n", ["--gce", "1:n2-standard-2", "--gce-set", "zones=us-central1-a,us-central1-b"],
                    in: box, cloud)
                #expect(result.status == 0, "\(result.error)")
                let log = try box.text(of: "run_driver.log")
                #expect(log.contains(" in us-central1-a, ") && log.contains(" in us-central1-b, "), "\(log)")
            }
        }
    }

    @Test func whatIsWrongForGoodEndsTheRun() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let result = try run(
                    "true\n", ["--gce", "1:n2-standard-2", "--gce-set", "image=no-such-image"], in: box, cloud)
                #expect(result.status == 3, "\(result.error)")
                #expect(result.error.contains("no-such-image"), "\(result.error)")
                #expect(try cloud.names().isEmpty)
            }
        }
    }

    @Test func aMachineWithAnotherHostKeyIsNotLoggedInTo() throws {
        try GoogleCloud.with(["faults": [["kind": "wrongHostKey", "times": 1]]]) { cloud in
            try Sandbox.with { box in
                let result = try run("true\n", ["--gce", "1:n2-standard-2"], in: box, cloud)
                #expect(result.status == 0, "\(result.error)")
                #expect(try cloud.made() == 2, "the first one is replaced")
                try waitUntilEmpty(cloud, in: box)
            }
        }
    }

    @Test func trialsAndLostRepliesMakeNoMachineTwice() throws {
        let faults: [[String: Any]] = [
            ["kind": "status", "code": 503, "times": 2, "operation": "instances.insert"],
            ["kind": "loseReply", "times": 2, "operation": "instances.insert"],
        ]
        try GoogleCloud.with(["faults": faults]) { cloud in
            try Sandbox.with { box in
                let result = try run(
                    String(repeating: "sleep 0.1\n", count: 8), ["--gce", "2:n2-standard-2"], in: box, cloud)
                #expect(result.status == 0, "\(result.error)")
                #expect(try cloud.made() == 2)
                try waitUntilEmpty(cloud, in: box)
            }
        }
    }

    // MARK: Nothing left behind

    @Test(arguments: [SIGINT, SIGTERM]) func anInterruptDeletesMachines(number: Int32) throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let driver = try start(
                    String(repeating: "sleep 600\n", count: 4), ["--gce", "2:n2-standard-2"], in: box, cloud)
                try box.wait(for: "two engines", within: 60) {
                    (try? box.text(of: "run_driver.log"))?.components(separatedBy: ": ready, ").count == 3
                }
                driver.signal(number)
                #expect(try driver.wait(within: 60).status == 128 + number)
                try waitUntilEmpty(cloud, in: box)
            }
        }
    }

    @Test func aKilledDriversMachinesAreDeleted() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let driver = try start(
                    String(repeating: "sleep 0.2\n", count: 200), ["--gce", "2:n2-standard-2", "--lease", "2s"],
                    in: box, cloud)
                try box.wait(for: "some tasks", within: 60) { box.rows().count > 10 }
                driver.signal(SIGKILL)
                // The helper sees the end of its driver.
                try waitUntilEmpty(cloud, in: box)
                let again = try run(
                    nil, ["--gce", "2:n2-standard-2", "-r", "run_status.txt"], in: box, cloud)
                #expect(again.status == 0, "\(again.error)")
                #expect(box.rows().countsByTask == [Int](repeating: 1, count: 200))
            }
        }
    }

    @Test func whatADeadHelperLeftIsFoundByTheNextRun() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let driver = try start(
                    String(repeating: "sleep 0.2\n", count: 100), ["--gce", "2:n2-standard-2", "--lease", "2s"],
                    in: box, cloud)
                try box.wait(for: "some tasks", within: 60) { box.rows().count > 10 }
                let left = try cloud.names()
                try driver.killWithHelper()
                #expect(try cloud.names() == left && left.count == 2)
                let listed = try box.run(["--gce-list"], program: "dbutil", environment: cloud.environment)
                #expect(left.allSatisfy(listed.output.contains), "\(listed.output)\(listed.error)")
                let again = try run(nil, ["--gce", "1:n2-standard-2", "-r", "run_status.txt"], in: box, cloud)
                #expect(again.status == 0, "\(again.error)")
                #expect(box.rows().countsByTask == [Int](repeating: 1, count: 100))
                try waitUntilEmpty(cloud, in: box)
            }
        }
    }

    @Test(arguments: [true, false]) func machinesThatShutThemselvesDownAreDeleted(byHand: Bool) throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                // A machine without a service account can't delete itself.
                try box.write("tasks.txt", "sleep 600\n")
                var environment = cloud.environment
                environment["DISBATCH_GCE_GRACE"] = "2"
                let driver = try box.start(
                    ["-p", "run", "--gce", "1:n2-standard-2", "--lease", "2s"] + Self.zone + ["tasks.txt"],
                    environment: environment)
                try box.waitForEngine()
                try driver.killWithHelper()
                func left() throws -> Int? { try cloud.control("summary")["left"] as? Int }
                try box.wait(for: "the end of the machine", within: 60) { try cloud.names().isEmpty }
                #expect(try left() == 1, "it costs its disk")
                if byHand {
                    let listed = try box.run(["--gce-list"], program: "dbutil", environment: cloud.environment)
                    #expect(listed.output.contains(" TERMINATED "), "\(listed.output)\(listed.error)")
                    let cleaned = try box.run(["--gce-cleanup"], program: "dbutil", environment: cloud.environment)
                    #expect(cleaned.status == 0 && cleaned.output.contains("deleted "), "\(cleaned.error)")
                } else {
                    let again = try run("true\n", ["--gce", "1:n2-standard-2", "-r", "run_status.txt"], in: box, cloud)
                    #expect(again.status == 0, "\(again.error)")
                }
                try box.wait(for: "the end of its disk", within: 60) { try left() == 0 }
            }
        }
    }

    @Test func machinesAreCleanedUpByHand() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let driver = try start("sleep 600\n", ["--gce", "1:n2-standard-2"], in: box, cloud)
                try box.wait(for: "a machine", within: 60) { try cloud.names().count == 1 }
                let cleaned = try box.run(["--gce-cleanup"], program: "dbutil", environment: cloud.environment)
                #expect(cleaned.status == 0 && cleaned.output.contains("deleted "), "\(cleaned.error)")
                driver.signal(SIGTERM)
                _ = try driver.wait(within: 60)
                try waitUntilEmpty(cloud, in: box)
            }
        }
    }

    // MARK: Before a run

    @Test func whatWouldBeAskedIsShown() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                try box.write(".disbatch", "[gce]\nproject = test-project\n[gce-prices]\nn2-standard-2 = 0.10 0.03\n")
                let result = try run(
                    "true\ntrue\ntrue\n", ["--gce", "5:n2-standard-2", "--spot", "--gce-dry-run"], in: box, cloud)
                #expect(result.status == 0, "\(result.error)")
                #expect(result.output.contains("2 instances of n2-standard-2, spot, 2 slots each"), "\(result.output)")
                #expect(result.output.contains("cost per hour: 0.06 USD"))
                #expect(result.output.contains("\"provisioningModel\": \"SPOT\""))
                #expect(try cloud.calls("instances.insert") == 0)
                #expect(try box.files().filter { $0.hasPrefix("run_") }.isEmpty)
            }
        }
    }

    @Test func whatIsNeededIsLookedAt() throws {
        try GoogleCloud.with(["networks": ["default", "closed"]]) { cloud in
            try Sandbox.with { box in
                func check(_ settings: String...) throws -> ProgramResult {
                    try box.run(
                        ["--gce-check"] + Self.zone + settings.flatMap { ["--gce-set", $0] }, program: "dbutil",
                        environment: cloud.environment)
                }
                let good = try check("machine-type=n2-standard-2")
                #expect(good.status == 0, "\(good.output)\(good.error)")
                #expect(good.output.contains("good  credentials"))
                let bad = try check("machine-type=n2-standard-2", "image=no-such-image")
                #expect(bad.status == 1 && bad.output.contains("BAD   image"), "\(bad.output)")
                #expect(bad.output.contains("mend it: "))
                // As many as --gce says: more than the quota has.
                let many = try box.run(
                    ["--gce-check", "--gce", "5000:n2-standard-2", "--spot"] + Self.zone, program: "dbutil",
                    environment: cloud.environment)
                #expect(
                    many.status == 1 && many.output.contains("BAD   quota IN_USE_ADDRESSES"),
                    "\(many.output)\(many.error)")
                let closed = try check("machine-type=n2-standard-2", "network=closed")
                let command = "gcloud compute firewall-rules create closed-allow-ssh --network closed --allow tcp:22"
                #expect(closed.status == 1 && closed.output.contains("mend it: \(command)\n"), "\(closed.output)")
            }
        }
    }

    @Test(arguments: [
        (["--gce", "x"], "expected N or N:MACHINE"), (["--gce", "3"], "no type of machine is given"),
        (["--spot"], "--spot goes with --gce alone"), (["--gce", "1:n2-standard-2", "--no-listen"], "needs the port"),
        (["--gce", "1:n2-standard-2", "--gce-set", "colour=red"], "unknown key colour"),
    ]) func wrongOptionsRunNothing(options: [String], text: String) throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                try box.write("tasks.txt", "true\n")
                let zone = options.contains("--gce") ? Self.zone : []
                let result = try box.run(
                    ["-p", "run"] + options + zone + ["tasks.txt"], environment: cloud.environment)
                #expect(result.status == 2 && result.error.contains(text), "\(result.error)")
                #expect(!box.exists("run_status.txt"))
            }
        }
    }
}
