import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Hosts that are lost in the midst of a run: each a real sshd with a home of its own.
@Suite(.blocking) struct SSHLossTests {
    /// Six tasks that are held, on two hosts with one slot each; `after` is done as soon as two of them run.
    private func loseOne(
        _ client: SSHClient, _ hosts: SSHHosts, in box: Sandbox, _ arguments: [String] = [],
        _ after: (RunningProgram) throws -> Void
    ) throws -> ProgramResult {
        try box.writeHeldTasks(6, withDaemons: false)
        let driver = try box.start(["-s", "nodeA:1,nodeB:1", "--lease", "2s"] + arguments, client, hosts)
        try box.wait(for: "two held tasks") { box.attempts() == 2 }
        try after(driver)
        return try driver.wait(within: 90)
    }

    @Test(arguments: SSHClient.allCases) func aHostThatDies(client: SSHClient) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                let result = try loseOne(client, hosts, in: box, ["--reconnect", "0"]) { _ in
                    try hosts.kill("nodeA")
                    try box.open()
                }
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().countsByTask == [1, 1, 1, 1, 1, 1])
                #expect(!box.exists("overlaps"), "no two attempts may live at once")
                #expect(box.attempts() == 7)
            }
        }
    }

    @Test(arguments: SSHClient.allCases) func aHostThatStandsStillForLongerThanTheLease(client: SSHClient) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                try box.writeHeldTasks(6, withDaemons: false)
                let driver = try box.start(
                    ["-s", "nodeA:1,nodeB:1", "--lease", "2s", "--reconnect", "0"], client, hosts)
                try box.wait(for: "two held tasks") { box.attempts() == 2 }
                try hosts.freeze("nodeA")
                try box.wait(for: "the frozen host to be given up", within: 60) {
                    driver.error.contains("on nodeA is lost")
                }
                // Its task is over before it can do anything: the engine's time was up.
                try hosts.thaw("nodeA")
                try waitForNoTask(on: "nodeA", hosts, in: box)
                try box.open()
                let result = try driver.wait(within: 90)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().filter { !$0.flags.contains("Z") }.countsByTask == [1, 1, 1, 1, 1, 1])
            }
        }
    }

    @Test func aClientThatIsKilled() throws {
        let client = SSHClient.openssh
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                let result = try loseOne(client, hosts, in: box) { driver in
                    let client = LiveProcess.all().first { $0.parent == driver.pid && $0.commandLine.contains("nodeA") }
                    kill(try #require(client).pid, SIGKILL)
                    try waitForNoTask(on: "nodeA", hosts, in: box)
                    try box.open()
                }
                #expect(result.status == 0, "\(result.error)")
                #expect(result.error.contains("on nodeA: killed by SIGKILL; trying again in 1 s"))
                #expect(box.rows().countsByTask == [1, 1, 1, 1, 1, 1])
                #expect(!box.exists("overlaps"))
            }
        }
    }

    /// A run whose tasks have daemons, one held on each host, and what runs on nodeA.
    private func holdOnBoth(
        _ hosts: SSHHosts, in box: Sandbox
    ) throws -> (driver: RunningProgram, there: [LiveProcess]) {
        try box.writeHeldTasks(6)
        let driver = try box.start(["-s", "nodeA:1,nodeB:1", "--lease", "2s"], .openssh, hosts)
        try box.waitForLines(2, in: "daemons")
        return (driver, try hosts.host("nodeA").processes().compactMap(LiveProcess.of))
    }

    @Test("guard and engine killed at one moment: the next engine there ends what they left")
    func guardAndEngineKilled() throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                let (driver, there) = try holdOnBoth(hosts, in: box)
                let left = there.filter { $0.commandLine.contains("held") || $0.commandLine.contains(">>daemons") }
                #expect(left.count >= 2, "a task and its daemon: \(there)")
                for process in there where process.commandLine.contains("disbatch-engine") {
                    kill(process.pid, SIGKILL)
                }
                try box.wait(for: "the end of what was left on nodeA", within: 60) {
                    left.allSatisfy { LiveProcess.of($0.pid)?.commandLine != $0.commandLine }
                }
                // An attempt begins, with a daemon, where that was.
                try box.waitForLines(3, in: "daemons")
                #expect(!box.exists("overlaps"))
                endDaemons(in: box)
                try box.open()
                let result = try driver.wait(within: 90)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().countsByTask == [1, 1, 1, 1, 1, 1])
                #expect(!box.exists("overlaps"), "no two attempts may live at once")
            }
        }
    }

    /// Nobody is left then who knows of them but `<prefix>_alive`. A run in between that never reaches the host hands
    /// it on.
    @Test(
        "driver, guard and engine killed at one moment: the next run there ends what they left",
        arguments: [false, true])
    func driverGuardAndEngineKilled(hasRunBetween: Bool) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                let (driver, there) = try holdOnBoth(hosts, in: box)
                // Not what it has just forked.
                let left = there.filter { $0.commandLine.contains(">>daemons") && $0.session == $0.pid }
                #expect(!left.isEmpty, "a task's daemon: \(there)")
                let engines = there.filter { $0.commandLine.contains("disbatch-engine") }
                for pid in [driver.pid] + engines.map(\.pid) { kill(pid, SIGSTOP) }
                for pid in [driver.pid] + engines.map(\.pid) { kill(pid, SIGKILL) }
                try driver.wait()
                var newest = "run"
                if hasRunBetween {
                    let between = try box.start(
                        ["-s", "nodeB:1", "-r", "run_status.txt"], .openssh, hosts, prefix: "between")
                    try box.waitForLines(3, in: "daemons", within: 60)
                    between.signal(SIGTERM)
                    #expect(try between.wait().status == 143)
                    newest = "between"
                }
                #expect(left.allSatisfy { LiveProcess.of($0.pid) != nil }, "nobody has ended them")
                let last = try box.start(
                    ["-s", "nodeB:1,nodeA:1", "-r", "\(newest)_status.txt"], .openssh, hosts, prefix: "last")
                try box.waitForLines(hasRunBetween ? 5 : 4, in: "daemons", within: 60)
                #expect(left.allSatisfy { LiveProcess.of($0.pid)?.commandLine != $0.commandLine })
                endDaemons(in: box)
                try box.open()
                let result = try last.wait(within: 90)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows("last").countsByTask == [1, 1, 1, 1, 1, 1])
                // On a host of which a run does not know it can't be helped.
                #expect(box.exists("overlaps") == false || hasRunBetween, "no two attempts may live at once")
                #expect(!box.exists("last_alive"))
            }
        }
    }

    /// A run that is killed, with a host that then dies, and the one that resumes it, held back on the other.
    private func resumeWithoutNodeA(_ hosts: SSHHosts, in box: Sandbox) throws -> RunningProgram {
        try box.writeHeldTasks(4, withDaemons: false)
        let driver = try box.start(["-s", "nodeA:1,nodeB:1", "--lease", "2s"], .openssh, hosts)
        try box.wait(for: "two held tasks") { box.attempts() == 2 }
        kill(driver.pid, SIGKILL)
        try driver.wait()
        try hosts.host("nodeA").kill()
        let again = try box.start(
            ["-s", "nodeB:1,nodeA:1", "--lease", "2s", "--no-wait", "-r", "run_status.txt"], .openssh, hosts,
            prefix: "again")
        try box.wait(for: "the engine that is held back") { heldLog(box).contains("engines get tasks when") }
        return again
    }

    private func heldLog(_ box: Sandbox) -> String { (try? box.text(of: "again_driver.log")) ?? "" }

    /// Others live through a wait that is longer than their lease, and then do all of it.
    @Test func aHostWhoseLeavingsCanNotBeEndedIsNotWaitedForLong() throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                let again = try resumeWithoutNodeA(hosts, in: box)
                #expect(box.attempts() == 2)
                try box.wait(for: "a task on nodeB") { box.attempts() == 3 }
                try box.open()
                let result = try again.wait(within: 90)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows("again").countsByTask == [1, 1, 1, 1])
                #expect(box.rows("again").allSatisfy { $0.node == "nodeB" })
                let log = heldLog(box)
                #expect(!log.contains("on nodeB is lost") && !log.contains("on nodeB: exit"), "\(log)")
            }
        }
    }

    @Test func aSignalEndsARunWhoseEnginesAreHeldBack() throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                let again = try resumeWithoutNodeA(hosts, in: box)
                again.signal(SIGTERM)
                let result = try again.wait(within: 30)
                #expect(result.status == 143, "\(result.error)")
                #expect(!heldLog(box).contains("on nodeB: killed"), "an engine that is given up is not replaced")
                #expect(box.attempts() == 2 && box.rows("again").isEmpty)
                #expect(try box.text(of: "again_alive").contains("nodeA"), "for the run that has the host again")
            }
        }
    }

    @Test(arguments: SSHClient.allCases) func aRunThatFailedInOrderLeavesNoGuardToAnother(client: SSHClient) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                let result = try box.run("false\n", ["-e", "-s", "nodeA:1,nodeB:1"], client, hosts)
                #expect(result.status == 1, "\(result.error)")
                #expect(!box.exists("run_alive"))
            }
        }
    }

    private func endDaemons(in box: Sandbox) {
        for daemon in LiveProcess.all() where daemon.commandLine.contains(">>daemons") && daemon.works(in: box.path) {
            kill(-daemon.session, SIGKILL)
        }
    }

    private func waitForNoTask(on name: String, _ hosts: SSHHosts, in box: Sandbox) throws {
        try box.wait(for: "the end of the tasks on \(name)") {
            try hosts.host(name).processes().allSatisfy { pid in
                LiveProcess.of(pid).map { !$0.commandLine.contains("held") } ?? true
            }
        }
    }

    @Test(arguments: SSHClient.allCases) func aDriverThatStandsStillForLongerThanTheLease(client: SSHClient) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                let result = try loseOne(client, hosts, in: box) { driver in
                    driver.signal(SIGSTOP)
                    for name in ["nodeA", "nodeB"] { try waitForNoTask(on: name, hosts, in: box) }
                    try box.open()
                    driver.signal(SIGCONT)
                }
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().countsByTask == [1, 1, 1, 1, 1, 1])
                #expect(!box.exists("overlaps"))
            }
        }
    }

    @Test(.enabled(if: SSHHosts.canCut), arguments: SSHClient.allCases)
    func aNetworkThatIsCutForLongerThanTheLease(client: SSHClient) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                try box.writeHeldTasks(6, withDaemons: false)
                let driver = try box.start(["-s", "nodeA:1,nodeB:1", "--lease", "2s"], client, hosts)
                try box.wait(for: "two held tasks") { box.attempts() == 2 }
                try hosts.cut("nodeA")
                // Nobody tells it to: the engine's time is up.
                try waitForNoTask(on: "nodeA", hosts, in: box)
                try box.wait(for: "the host to be given up", within: 60) { driver.error.contains("on nodeA is lost") }
                try hosts.heal("nodeA")
                try box.open()
                let result = try driver.wait(within: 90)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().filter { !$0.flags.contains("Z") }.countsByTask == [1, 1, 1, 1, 1, 1])
                #expect(!box.exists("overlaps"), "no two attempts may live at once")
            }
        }
    }

    @Test(.enabled(if: SSHHosts.canCut), arguments: SSHClient.allCases)
    func aNetworkThatIsCutForAMoment(client: SSHClient) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                let held = "touch on.$DISBATCH_TASKID; until [ -e gate ]; do sleep 0.01; done\n"
                try box.write("tasks.txt", held + held + String(repeating: "echo x\n", count: 200))
                let driver = try box.start(["-s", "nodeA:1,nodeB:1"], client, hosts)
                for task in 0...1 { try box.waitForFile("on.\(task)") }
                try hosts.cut("nodeA")
                try box.write("gate", "")
                try box.wait(for: "all that nodeB can do") { box.rows().filter { $0.node == "nodeB" }.count > 100 }
                try hosts.heal("nodeA")
                let result = try driver.wait(within: 90)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().countsByTask == Array(repeating: 1, count: 202))
                #expect(!result.error.contains("lost"), "it was never away for long enough")
            }
        }
    }

    @Test(.enabled(if: SSHHosts.canCut), arguments: SSHClient.allCases)
    func oneOfFourHostsIsCutOffAmongManyTasks(client: SSHClient) throws {
        let names = ["nodeA", "nodeB", "nodeC", "nodeD"]
        try SSHHosts.with(names) { hosts in
            try Sandbox.with { box in
                // Each attempt writes when it began and ended, a line each.
                try box.write(
                    "tasks.txt",
                    "#DISBATCH REPEAT 2000 f=times.$DISBATCH_TASKID; echo b $$ $EPOCHREALTIME >>$f; sleep 0.1; "
                        + "echo e $$ $EPOCHREALTIME >>$f\n")
                let driver = try box.start(
                    ["-s", names.map { $0 + ":4" }.joined(separator: ","), "--lease", "2s"], client, hosts)
                try box.waitForLines(100, in: "run_status.txt")
                try hosts.cut("nodeC")
                let result = try driver.wait(within: 120)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().countsByTask == Array(repeating: 1, count: 2000))
                #expect(box.rows().map(\.returnCode).allSatisfy { $0 == 0 })
                for task in 0..<2000 { try expectNoOverlap(box.lines(of: "times.\(task)"), task) }
            }
        }
    }

    /// An attempt that was cut off may have ended without anybody hearing of it, or have been killed; but it is over
    /// before the next begins.
    private func expectNoOverlap(_ lines: [String], _ task: Int) throws {
        let marks = lines.map { $0.split(separator: " ") }
        #expect(marks.last?[0] == "e", "task \(task): \(lines)")
        for (before, mark) in zip(marks, marks.dropFirst()) where mark[0] == "e" {
            #expect(before[0] == "b" && before[1] == mark[1], "task \(task): attempts overlap: \(lines)")
        }
    }
}
