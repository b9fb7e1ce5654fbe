import DisbatchCore
import EngineHosting
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import DriverRuntime

@Suite(.blocking) struct RunFilesTests {
    private static func choose(_ path: String, number: Int = 7) throws -> String {
        try RunFiles.choose(path, taskName: "Tasks", time: 0, number: number).prefix
    }

    @Test func aDirectoryGetsANameOfItsOwn() throws {
        let directory = DriverTestDirectory()
        let prefix = try Self.choose(directory.path)
        #expect(prefix.hasPrefix(directory.path + "/Tasks_disBatch_"))
        #expect(prefix.wholeMatch(of: /.*_disBatch_\d{12}_007/) != nil, "\(prefix)")
        #expect(try Self.choose(directory.path + "/", number: 1999).hasSuffix("_999"))
        #expect(try Self.choose("/", number: 0).wholeMatch(of: /\/Tasks_disBatch_\d{12}_000/) != nil)
        let stamp = DateFormatter()
        stamp.dateFormat = "yyMMddHHmmss"
        #expect(prefix.hasSuffix("_\(stamp.string(from: Date(timeIntervalSince1970: 0)))_007"))
    }

    @Test func anythingElseIsThePrefix() throws {
        let directory = DriverTestDirectory()
        #expect(try Self.choose(directory.path + "/run1") == directory.path + "/run1")
        try directory.write("", to: "file")
        #expect(try Self.choose(directory.path + "/file") == directory.path + "/file")
        #expect(try Self.choose("/no-such-run") == "/no-such-run")
        #expect(try Self.choose("run") == FileManager.default.currentDirectoryPath + "/run")
        #expect(try Self.choose("./run") == FileManager.default.currentDirectoryPath + "/run")
    }

    @Test func symbolicLinksAreResolved() throws {
        let directory = DriverTestDirectory()
        let real = try directory.make("real")
        symlink("real", directory.path + "/link")
        #expect(try Self.choose(directory.path + "/link/run") == real + "/run")
        #expect(try Self.choose(directory.path + "/link").hasPrefix(real + "/Tasks_"))
    }

    @Test func aDirectoryMustBeThere() {
        let directory = DriverTestDirectory()
        for end in ["/none/run", "/none/"] {
            let path = directory.path + end
            #expect(
                throws: StartError("-p \(path): directory \(directory.path)/none does not exist; make it first")
            ) { try Self.choose(path) }
        }
    }

    @Test func names() {
        let files = RunPaths(prefix: "/d/x")
        #expect(files.status == "/d/x_status.txt" && files.driverLog == "/d/x_driver.log")
        #expect(files.record == "/d/x_run.db" && files.alive == "/d/x_alive" && files.jobID == "x")
        #expect(files.contextLog(label: "SSH0") == "/d/x_SSH0.context.log")
        #expect(files.engineLog(label: "SSH0", node: "n", rank: 3) == "/d/x_SSH0_n_engine_3.log")
    }

    @Test func identity() throws {
        let directory = DriverTestDirectory()
        let path = try directory.write("abc", to: "a")
        link(path, directory.path + "/b")
        let identity = try #require(RunFiles.identity(of: path))
        #expect(identity.isRegular && !identity.isDirectory && identity.size == 3)
        #expect(RunFiles.identity(of: directory.path + "/b") == identity)
        #expect(RunFiles.identity(of: directory.path)?.isDirectory == true)
        #expect(RunFiles.identity(of: "/dev/null")?.isRegular == false)
        #expect(RunFiles.identity(of: directory.path + "/none") == nil)
    }
}

@Suite(.blocking) struct AliveLockTests {
    @Test func onlyOneHoldsIt() throws {
        let directory = DriverTestDirectory()
        let path = directory.path + "/x_alive"
        #expect(AliveLock.life(path) == .ended)
        let lock = try AliveLock.take(path)
        #expect(AliveLock.life(path) == .mayGoOn)
        #expect(throws: StartError.stillActive(path)) { _ = try AliveLock.take(path) }
        lock.remove()
        #expect(AliveLock.life(path) == .ended && directory.text("x_alive") == nil)
    }

    /// Whatever the clock of the file's server says.
    @Test(arguments: [0, 1_000_000, -1_000_000]) func theWaitIsBoundedByTheLease(seconds: Int) throws {
        let directory = DriverTestDirectory()
        let path = try directory.write("LEASE=60\n", to: "x_alive")
        var times = Array(repeating: timespec(tv_sec: time(nil) + seconds, tv_nsec: 0), count: 2)
        #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
        #expect((seconds < 0 ? 0...0 : 60...70).contains(AliveLock.secondsLeft(path)))
    }

    /// As long as anybody has the descriptor that it was given.
    @Test func whoInheritedItHoldsIt() throws {
        let path = DriverTestDirectory()
        let lock = path.path + "/x_alive"
        var copy: Int32 = -1
        do {
            let first = try AliveLock.take(lock)
            copy = dup(first.file.raw)
        }
        #expect(AliveLock.life(lock) == .mayGoOn)
        close(copy)
        // What another test is just starting may have a copy for a moment.
        let end = ContinuousClock.now + .seconds(20)
        while (try? AliveLock.take(lock)) == nil, ContinuousClock.now < end { sched_yield() }
        #expect(ContinuousClock.now < end, "nobody holds the lock any more")
    }
}
