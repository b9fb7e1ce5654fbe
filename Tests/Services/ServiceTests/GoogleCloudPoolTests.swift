import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Machines that one run leaves to the next.
@Suite(.blocking, .enabled(if: GoogleCloud.canRun, "machines have addresses and files of their own"))
struct GoogleCloudPoolTests {
    private static let text = String(repeating: "hostname; sleep 0.4\n", count: 12)
    private static let pool = ["--pool", "crew", "--linger", "5m"]

    private func start(
        _ text: String, _ arguments: [String], in box: Sandbox, _ cloud: GoogleCloud, _ more: [String: String] = [:]
    ) throws -> RunningProgram {
        try box.write("tasks.txt", text)
        let options = ["-p", "run", "--gce-set", "zones=us-central1-a"] + arguments
        return try box.start(
            options + ["tasks.txt"], environment: cloud.environment.merging(more.mapValues { $0 }) { $1 })
    }

    /// A run that has to end well.
    @discardableResult
    private func run(
        _ arguments: [String], in box: Sandbox, _ cloud: GoogleCloud, _ more: [String: String] = [:]
    ) throws -> ProgramResult {
        let result = try start(Self.text, ["--gce", "2:n2-standard-2"] + arguments, in: box, cloud, more)
            .wait(within: 120)
        #expect(result.status == 0, "\(result.error)")
        #expect(box.rows().countsByTask == [Int](repeating: 1, count: 12))
        return result
    }

    private func words(after word: String, in box: Sandbox) throws -> Set<String> {
        let lines = try box.text(of: "run_driver.log").split(separator: "\n")
        return Set(
            lines.compactMap { line in
                line.range(of: word).map { String(line[$0.upperBound...].prefix { $0 != " " }) }
            })
    }

    @Test func theNextRunTakesMachinesOver() throws {
        // A changed key is late, so that logging in is tried again.
        try GoogleCloud.with(["agentDelay": 2]) { cloud in
            var names: [String] = []
            try Sandbox.with { box in
                let result = try run(Self.pool, in: box, cloud)
                #expect(result.error.contains("2 left to pool crew"), "\(result.error)")
                names = try cloud.names()
                #expect(names.count == 2)
            }
            try Sandbox.with { box in
                let result = try run(Self.pool, in: box, cloud)
                #expect(result.error.contains("2 instances, 2 taken over"), "\(result.error)")
                let made = try cloud.made()
                #expect(made == 2 && Set(box.rows().map(\.node)) == Set(names), "\(result.error)")
                let listed = try box.run(["--gce-list"], program: "dbutil", environment: cloud.environment)
                #expect(listed.output.components(separatedBy: "pool-crew ").count == 3, "\(listed.output)")
            }
            // The last one leaves nothing.
            try Sandbox.with { box in
                let result = try run(["--pool", "crew"], in: box, cloud)
                #expect(try cloud.made() == 2, "\(result.error)")
                try box.wait(for: "the end of all machines", within: 60) { try cloud.names().isEmpty }
            }
        }
    }

    @Test func otherPoolsAndSettingsHaveMachinesOfTheirOwn() throws {
        try GoogleCloud.with { cloud in
            let others = [
                Self.pool, ["--pool", "others", "--linger", "5m"], Self.pool + ["--gce-set", "disk=20"], [],
            ]
            for (index, options) in others.enumerated() {
                try Sandbox.with { box in
                    let result = try run(options, in: box, cloud)
                    #expect(try cloud.made() == 2 * (index + 1), "\(options): \(result.error)")
                }
            }
        }
    }

    @Test func noMoreMachinesAreTakenOverThanWanted() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in try run(Self.pool, in: box, cloud) }
            try Sandbox.with { box in
                let result = try run(Self.pool + ["--gce", "1:n2-standard-2"], in: box, cloud)
                #expect(result.error.contains("1 instance, 1 taken over"), "\(result.error)")
                #expect(try cloud.made() == 2)
                #expect(try cloud.names().count == 2)
            }
        }
    }

    @Test func runsAtTheSameTimeShareNoMachine() throws {
        // Changes take so long that each run asks before the other's are there.
        try GoogleCloud.with(["operationRunning": 0.5]) { cloud in
            try Sandbox.with { box in try run(Self.pool, in: box, cloud) }
            try Sandbox.with { one in
                try Sandbox.with { other in
                    let boxes = [one, other]
                    let drivers = try boxes.map { box in
                        try start(
                            String(repeating: "sleep 600\n", count: 4), Self.pool + ["--gce", "2:n2-standard-2"],
                            in: box, cloud)
                    }
                    for box in boxes {
                        try box.wait(for: "two engines", within: 60) {
                            (try? box.text(of: "run_driver.log"))?.components(separatedBy: ": ready, ").count == 3
                        }
                    }
                    let taken = try boxes.map { try words(after: "took over ", in: $0) }
                    let made = try boxes.map { try words(after: "making ", in: $0) }
                    #expect(taken[0].isDisjoint(with: taken[1]) && taken[0].count + taken[1].count == 2, "\(taken)")
                    #expect(made[0].count + made[1].count == 2 && taken.map(\.count) == made.map { 2 - $0.count })
                    for driver in drivers { driver.signal(SIGTERM) }
                    for driver in drivers { #expect(try driver.wait(within: 60).status == 128 + SIGTERM) }
                }
            }
        }
    }

    @Test(arguments: [true, false]) func machinesThatNobodyTakesEnd(canDelete: Bool) throws {
        try GoogleCloud.with { cloud in
            let account = canDelete ? ["--gce-set", "service-account=default"] : []
            let grace = ["DISBATCH_GCE_GRACE": "4"]
            try Sandbox.with { box in
                let result = try run(Self.pool + account, in: box, cloud, grace)
                #expect(result.error.contains("2 left to pool crew"), "\(result.error)")
                try box.wait(for: "the end of all machines", within: 60) {
                    try cloud.names().isEmpty
                }
                #expect(try cloud.control("summary")["left"] as? Int == (canDelete ? 0 : 2))
            }
            // Those that are shut down are deleted, and others made.
            try Sandbox.with { box in
                try run(["--pool", "crew"] + account, in: box, cloud, grace)
                #expect(try cloud.made() == 4)
                try box.wait(for: "the end of all machines", within: 60) {
                    try cloud.control("summary")["left"] as? Int == 0
                }
            }
        }
    }

    @Test func aDeadRunsMachinesAreNotTaken() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let driver = try start("sleep 600\n", Self.pool + ["--gce", "1:n2-standard-2"], in: box, cloud)
                try box.waitForEngine()
                try driver.killWithHelper()
                try Sandbox.with { box in try run(Self.pool, in: box, cloud) }
                #expect(try cloud.made() == 3)
            }
        }
    }
}
