import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Which run may work with which files: locks, and what tells where there are none.
@Suite(.blocking) struct LockTests {
    private static let held = "echo $DISBATCH_TASKID >>ran; while [ ! -e open ]; do sleep 0.02; done\n"

    private func line(_ more: String...) -> [String] { ["-s", "localhost:2", "-p", "run"] + more + ["tasks.txt"] }

    @Test("a removed _alive does not let a second driver in")
    func removedAlive() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH REPEAT 4 \(Self.held)")
            let driver = try box.start(line())
            try box.waitForLines(2, in: "ran")
            try FileManager.default.removeItem(atPath: box.at("run_alive"))
            let refused = try box.run(line("--no-wait", "-r", "run_status.txt"))
            #expect(refused.status == 2 && refused.error.contains("is still active"), "\(refused.error)")
            let second = try box.start(line("-r", "run_status.txt"))
            try box.wait(for: "the second to wait") { second.error.contains("waiting for its end") }
            // Under another prefix it waits as well.
            let third = try box.start(["-s", "localhost:2", "-p", "third", "-r", "run_status.txt", "tasks.txt"])
            try box.wait(for: "the third to wait") { third.error.contains("waiting for its end") }
            try box.open()
            for run in [driver, second, third] {
                let result = try run.wait()
                #expect(result.status == 0, "\(result.error)")
            }
            #expect(try box.lines(of: "ran").sorted() == ["0", "1", "2", "3"])
            #expect(box.rows().countsByTask == [1, 1, 1, 1])
        }
    }

    @Test("a resume cuts nothing off a file that another run holds")
    func tornWhileHeld() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH REPEAT 2 \(Self.held)")
            // What a driver looks like that is about to write the rest of a row.
            try box.write("run_status.txt", "torn")
            let holder = try box.start(
                ["run_status.txt", "-c", "echo on >held; while [ ! -e open ]; do sleep 0.02; done"],
                program: "/usr/bin/flock")
            try box.waitForFile("held")
            let result = try box.run(line("--no-wait", "-r", "run_status.txt"))
            #expect(result.status == 2 && result.error.contains("is still active"), "\(result.error)")
            #expect(try box.text(of: "run_status.txt") == "torn")
            #expect(!box.exists("run_alive"), "what the refused run made is gone")
            try box.open()
            try holder.wait()
        }
    }

    // MARK: File systems without locks

    /// A library that takes flock(2) away, as Lustre before 2.13, NFS without lockd, and FUSE do.
    private func lockless(_ box: Sandbox, _ code: String) throws -> [String: String?] {
        try box.write("lockless.c", "#include <errno.h>\nint flock(int f, int o) { errno = \(code); return -1; }\n")
        let result = try box.run(
            ["-shared", "-fPIC", "-o", "lockless.so", "lockless.c"], program: "/usr/bin/cc")
        try #require(result.status == 0, "\(result.error)")
        return ["LD_PRELOAD": box.at("lockless.so")]
    }

    @Test(
        "without locks a run goes on, with one warning",
        .disabled(if: BuildDirectory.isSanitized, "a sanitizer must be loaded first"),
        arguments: ["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
    func noLocks(_ code: String) throws {
        try Sandbox.with { box in
            let environment = try lockless(box, code)
            try box.write("tasks.txt", "true\nfalse\n")
            let result = try box.run(line(), environment: environment)
            #expect(result.status == 0, "\(result.error)")
            #expect(result.errorLines.count { $0.contains("this file system has no locks") } == 1, "\(result.error)")
            #expect(box.rows().countsByTask == [1, 1])
            let again = try box.run(line("-R", "-r", "run_status.txt"), environment: environment)
            #expect(again.status == 0, "\(again.error)")
            #expect(box.rows().countsByTask == [1, 2])
        }
    }

    @Test(
        "without locks a living driver is known by its pid, and a dead one too",
        .disabled(if: BuildDirectory.isSanitized, "a sanitizer must be loaded first"))
    func driverWithoutLocks() throws {
        try Sandbox.with { box in
            let environment = try lockless(box, "ENOLCK")
            try box.write("tasks.txt", "#DISBATCH REPEAT 2 \(Self.held)")
            let driver = try box.start(line(), environment: environment)
            try box.waitForLines(2, in: "ran")
            let refused = try box.run(line("--no-wait", "-r", "run_status.txt"), environment: environment)
            #expect(refused.status == 2 && refused.error.contains("is still active"), "\(refused.error)")
            driver.signal(SIGKILL)
            try driver.wait()
            try box.open()
            let result = try box.run(line("-r", "run_status.txt"), environment: environment)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().countsByTask == [1, 1])
        }
    }

    @Test(
        "without locks a driver on another machine is asked about",
        .disabled(if: BuildDirectory.isSanitized, "a sanitizer must be loaded first"))
    func driverElsewhere() throws {
        try Sandbox.with { box in
            let environment = try lockless(box, "ENOLCK")
            try box.write("tasks.txt", "touch ran\n")
            try box.write("run_alive", "DRIVER=elsewhere 77 12345\n")
            try box.write("run_status.txt", "")
            let result = try box.run(line("-r", "run_status.txt"), environment: environment)
            #expect(result.status == 2)
            #expect(result.error.contains("pid 77 on elsewhere"), "\(result.error)")
            #expect(result.error.contains("remove run_alive and start again"), "\(result.error)")
            #expect(!box.exists("ran"))
        }
    }
}
