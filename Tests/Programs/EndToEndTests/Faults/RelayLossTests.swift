import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Relays, drivers and connections between them that are lost.
@Suite(.blocking) struct RelayLossTests {
    private static let lease = ["--lease", "2s", "--reconnect", "0"]

    private func hasNoTask(_ box: Sandbox) -> Bool {
        LiveProcess.all().allSatisfy { !$0.hasVariable(box.mark) || !$0.commandLine.contains("held") }
    }

    @Test func aRelayThatIsKilled() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(3)
            let driver = try box.startWithoutContext(Self.lease)
            let relay = try box.addContext(["-s", "localhost:2"], to: driver)
            try box.wait(for: "two held tasks") { box.attempts() == 2 }
            relay.signal(SIGKILL)
            try box.wait(for: "the end of its tasks") { hasNoTask(box) }
            try box.wait(for: "the relay to be given up", within: 60) {
                driver.error.contains("its relay did not come back")
            }
            try box.open()
            _ = try box.addContext(["-s", "localhost:2"], to: driver)
            let result = try driver.wait(within: 90)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().countsByTask == [1, 1, 1])
            #expect(!box.exists("overlaps"), "no two attempts may live at once")
        }
    }

    @Test func aRelayThatStandsStillForLongerThanTheLease() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(3, withDaemons: false)
            let driver = try box.startWithoutContext(Self.lease)
            let relay = try box.addContext(["-s", "localhost:2"], to: driver)
            try box.wait(for: "two held tasks") { box.attempts() == 2 }
            relay.signal(SIGSTOP)
            // Nobody tells them to: their engine's time is up.
            try box.wait(for: "the end of its tasks", within: 60) { hasNoTask(box) }
            try box.wait(for: "the relay to be given up", within: 60) {
                driver.error.contains("its relay did not come back")
            }
            relay.signal(SIGCONT)
            let ended = try relay.wait(within: 30)
            #expect(ended.status == 1, "\(ended.error)")
            try box.open()
            _ = try box.addContext(["-s", "localhost:2"], to: driver)
            #expect(try driver.wait(within: 90).status == 0)
            #expect(box.rows().filter { !$0.flags.contains("Z") }.countsByTask == [1, 1, 1])
            #expect(!box.exists("overlaps"))
        }
    }

    @Test func aDriverThatIsKilled() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(3)
            let driver = try box.startWithoutContext(Self.lease)
            let relay = try box.addContext(["-s", "localhost:2"], to: driver)
            try box.wait(for: "two held tasks") { box.attempts() == 2 }
            driver.signal(SIGKILL)
            let ended = try relay.wait(within: 30)
            #expect(ended.status == 1 && ended.error.contains("within the lease"), "\(ended.error)")
            #expect(hasNoTask(box))
            try box.open()
            let result = try box.run(
                ["-s", "localhost:2", "-p", "run", "-r", "run_status.txt", "tasks.txt"], within: 90)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().countsByTask == [1, 1, 1])
            #expect(!box.exists("overlaps"))
        }
    }

    /// A run whose run file leads to a proxy, before which `body` is done with its process.
    private func withProxy(
        _ box: Sandbox, _ driver: RunningProgram, _ body: (RunningProgram) throws -> Void
    ) throws {
        let run = try box.text(of: "run_run.json")
        let port = try #require(run.firstMatch(of: #/127\.0\.0\.1:(\d+)/#)).1
        let proxy = try box.start(
            [TestService.script("cutting-proxy.py"), String(port), box.at("ready")], program: "/usr/bin/python3",
            input: .pipe)
        try box.waitForFile("ready")
        let own = try box.text(of: "ready")
        try box.write("run_run.json", run.replacing(#/127\.0\.0\.1:\d+/#, with: "127.0.0.1:\(own)"))
        try body(proxy)
        proxy.closeInput()
    }

    @Test func connectionsThatAreCutAgainAndAgain() throws {
        try Sandbox.with { box in
            try box.write(
                "tasks.txt", String(repeating: "head -c 20000 /dev/zero | tr '\\0' x; sleep 0.02\n", count: 300))
            let driver = try box.startWithoutContext(["--capture", "kept"])
            try withProxy(box, driver) { proxy in
                let relay = try box.addContext(["-s", "localhost:2"], to: driver)
                var cuts = 0
                while !driver.hasEnded, cuts < 8 {
                    let done = box.rows().count
                    try box.wait(for: "some more tasks") { box.rows().count > done + 20 || driver.hasEnded }
                    proxy.signal(SIGUSR1)
                    cuts += 1
                }
                let result = try driver.wait(within: 90)
                #expect(result.status == 0, "\(result.error)")
                #expect(cuts == 8)
                #expect(try relay.wait().status == 0, "\(relay.error)")
                #expect(relay.error.contains("the driver is back"))
                #expect(box.rows().countsByTask == [Int](repeating: 1, count: 300))
            }
        }
    }

    @Test func aConnectionThatStaysCutForLongerThanTheLease() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(3, withDaemons: false)
            let driver = try box.startWithoutContext(Self.lease)
            try withProxy(box, driver) { proxy in
                let relay = try box.addContext(["-s", "localhost:2"], to: driver)
                try box.wait(for: "two held tasks") { box.attempts() == 2 }
                proxy.signal(SIGUSR2)
                let ended = try relay.wait(within: 60)
                #expect(ended.status == 1 && ended.error.contains("within the lease"), "\(ended.error)")
                #expect(hasNoTask(box))
                try box.wait(for: "the relay to be given up", within: 60) {
                    driver.error.contains("its relay did not come back")
                }
                proxy.signal(SIGUSR2)
                try box.open()
                _ = try box.addContext(["-s", "localhost:2"], to: driver)
                #expect(try driver.wait(within: 60).status == 0)
                #expect(box.rows().countsByTask == [1, 1, 1])
                #expect(!box.exists("overlaps"))
            }
        }
    }
}
