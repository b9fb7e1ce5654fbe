import Foundation
import TestSupport
import Testing

@testable import LinuxSystem

@Suite(.blocking) struct ChildProcessTests {
    /// A program that runs, and what it writes.
    private struct Started {
        let child: ChildProcess
        let output: Int32

        /// Waits for its end; all that it wrote.
        func finish() -> (end: ProcessEnd, output: String) {
            defer {
                child.close()
                close(output)
            }
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while case .bytes(let count) = chunk.withUnsafeMutableBytes({ LinuxSystem.read(output, into: $0) }) {
                bytes += chunk[..<count]
            }
            return (child.waitForEnd().end, String(decoding: bytes, as: UTF8.self))
        }
    }

    private static func start(
        _ words: [String], wantsDescriptor: Bool = true, _ change: (inout SpawnRequest) -> Void = { _ in }
    ) throws -> Started {
        let pipe = try DescriptorPair.pipe()
        let null = try Descriptor.open("/dev/null", O_RDWR)
        var arguments = words.map { strdup($0) } + [nil]
        var environment = [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for string in arguments + environment { free(string) } }
        let child = try arguments.withUnsafeMutableBufferPointer { arguments in
            try environment.withUnsafeMutableBufferPointer { environment in
                var request = SpawnRequest(
                    path: UnsafePointer(arguments[0]!), arguments: UnsafePointer(arguments.baseAddress!),
                    environment: UnsafePointer(environment.baseAddress!), input: null.raw, output: pipe.second.raw,
                    error: null.raw)
                change(&request)
                return try ChildProcess.start(request, wantsDescriptor: wantsDescriptor)
            }
        }
        return Started(child: child, output: pipe.takeFirst().release())
    }

    private static func shell(_ script: String, wantsDescriptor: Bool = true) throws -> Started {
        try start(["/bin/sh", "-c", script], wantsDescriptor: wantsDescriptor)
    }

    @Test(arguments: [true, false])
    func endsAreTold(wantsDescriptor: Bool) throws {
        let exited = try Self.shell("echo out; exit 7", wantsDescriptor: wantsDescriptor)
        #expect((exited.child.pidfd >= 0) == wantsDescriptor)
        #expect(exited.finish() == (.exited(status: 7), "out\n"))
        let killed = try Self.shell("kill -9 $$", wantsDescriptor: wantsDescriptor).finish()
        #expect(killed.end == .signalled(9))
    }

    @Test func aProcessThatRunsIsNotReaped() throws {
        let started = try Self.shell("exec sleep 1000")
        #expect(started.child.reap() == nil)
        kill(started.child.pid, SIGKILL)
        var wait = pollfd(fd: started.child.pidfd, events: Int16(POLLIN), revents: 0)
        #expect(poll(&wait, 1, 60_000) == 1)
        #expect(started.child.reap()?.end == .signalled(9))
        #expect(started.child.reap() == nil)
        started.child.close()
        close(started.output)
    }

    /// A session of its own, all signals as a login has them, whatever is blocked or ignored here.
    @Test func aNewProcessIsAtItsDefaults() throws {
        let ignored = [SIGINT, SIGHUP, SIGPIPE, SIGXFSZ, SIGQUIT, SIGTTOU, SIGTTIN, SIGTSTP]
        var before = sigset_t()
        var blocked = sigset_t()
        sigemptyset(&blocked)
        for number in [SIGUSR1, SIGTERM, SIGCHLD] { sigaddset(&blocked, number) }
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        SignalSource.ignore(ignored)
        defer {
            pthread_sigmask(SIG_SETMASK, &before, nil)
            for number in ignored where number != SIGPIPE { signal(number, SIG_DFL) }
        }
        let started = try Self.shell("ps -o sid= -p $$ | tr -d ' '; grep -E '^Sig(Blk|Ign)' /proc/self/status")
        let lines = started.finish().output.split(separator: "\n").map(String.init)
        try #require(lines.count == 3)
        #expect(lines[0] == "\(started.child.pid)")
        #expect(lines[1] == "SigBlk:\t0000000000000000")
        // Those above 31 are as they were where the tests were started.
        #expect((UInt64(lines[2].suffix(16), radix: 16) ?? .max) & 0x7fff_ffff == 0, "\(lines[2])")
    }

    @Test func descriptorsAreClosed() throws {
        let secret = try Descriptor.open("/etc/passwd", O_RDONLY)
        let output = try Self.start(["/bin/ls", "-l", "/proc/self/fd"]).finish().output
        // Others here come from tests at the same time, by means that do not close theirs.
        #expect(output.contains("0 -> /dev/null") && output.contains("1 -> pipe:"), "\(output)")
        #expect(!output.contains("/etc/passwd"))
        _ = consume secret
    }

    @Test func aFurtherDescriptor() throws {
        let file = try Descriptor.open("/etc/hostname", O_RDONLY)
        let started = try Self.start(["/bin/cat", "/dev/fd/7"]) {
            $0.extra = file.raw
            $0.extraTarget = 7
        }
        #expect(started.finish() == (.exited(status: 0), TextFile.read("/etc/hostname") ?? "?"))
    }

    @Test func processors() throws {
        let one = try #require(CPUSet.current().members.last)
        let started = try Self.start(["/bin/grep", "Cpus_allowed_list", "/proc/self/status"]) {
            $0.processors = CPUSet([one])
        }
        #expect(started.finish().output == "Cpus_allowed_list:\t\(one)\n")
    }

    @Test func theLimitOfFilesIsTheOneWeHad() throws {
        let own = try Self.shell("ulimit -Sn").finish().output
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #expect(own == "\(limit.rlim_cur)\n")
    }

    @Test(arguments: [
        ("/no/such/program", ENOENT), ("/etc/passwd", EACCES), ("/etc", EACCES), ("/etc/passwd/x", ENOTDIR),
    ])
    func whatCantBeExecuted(path: String, code: Int32) {
        #expect(throws: SystemError("start \(path)", code: code)) { try Self.start([path]) }
    }

    @Test func aFileThatIsNoProgram() throws {
        let path = NSTemporaryDirectory() + "no-program-\(UUID().uuidString)"
        defer { unlink(path) }
        try Tool.writeProgram(path, "echo")
        #expect(throws: SystemError("start \(path)", code: ENOEXEC)) { try Self.start([path]) }
    }

    @Test func anArgumentThatIsTooLong() throws {
        let longest = String(repeating: "x", count: 128 * 1024 - 1)
        #expect(try Self.start(["/bin/echo", longest]).finish().output == longest + "\n")
        #expect(throws: SystemError("start /bin/echo", code: E2BIG)) {
            try Self.start(["/bin/echo", longest + "x"])
        }
    }

    @Test func whatAProcessUsed() throws {
        let started = try Self.shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
        let (end, usage) = started.child.waitForEnd()
        started.child.close()
        close(started.output)
        #expect(end == .exited(status: 0))
        #expect(usage.userMicroseconds > 10_000 && usage.peakResidentKiB > 500)
    }

    @Test(
        arguments: [
            (0, .exited(status: 0)), (0x100, .exited(status: 1)), (0xff00, .exited(status: 255)),
            (9, .signalled(9)), (0x8b, .signalled(11)),
        ] as [(Int32, ProcessEnd)])
    func waitStatus(status: Int32, end: ProcessEnd) {
        #expect(ProcessEnd(waitStatus: status) == end)
    }
}
