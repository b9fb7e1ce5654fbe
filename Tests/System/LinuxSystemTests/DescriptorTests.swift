import Foundation
import TestSupport
import Testing

@testable import LinuxSystem

@Suite(.blocking) struct DescriptorTests {
    private static func isOpen(_ raw: Int32) -> Bool { fcntl(raw, F_GETFD) >= 0 }

    @Test func newDescriptorsAreNotInherited() throws {
        let file = try Descriptor.open("/dev/null", O_RDONLY)
        let pipe = try DescriptorPair.pipe()
        let sockets = try DescriptorPair.sockets()
        for raw in [file.raw, pipe.first.raw, pipe.second.raw, sockets.first.raw, sockets.second.raw] {
            #expect(fcntl(raw, F_GETFD) & FD_CLOEXEC != 0)
        }
    }

    @Test func errorsSayWhat() {
        #expect(throws: SystemError("open /no/such/file", code: ENOENT)) {
            _ = try Descriptor.open("/no/such/file", O_RDONLY)
        }
        #expect("\(SystemError("open /no/such/file", code: ENOENT))" == "open /no/such/file: No such file or directory")
    }

    /// The end that is not kept is closed: the one that is sees the end of file.
    @Test func takingOneEndClosesTheOther() throws {
        let end = try DescriptorPair.pipe().takeFirst()
        var byte: UInt8 = 0
        #expect(eventually { withUnsafeMutableBytes(of: &byte) { end.read(into: $0) } == .ended })
    }

    @Test func readingAndWritingWithoutWaiting() throws {
        SignalSource.ignore([SIGPIPE])
        let sockets = try DescriptorPair.sockets()
        try sockets.first.setNonBlocking()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var result = buffer.withUnsafeMutableBytes { sockets.first.read(into: $0) }
        #expect(result == .wouldBlock)
        try sockets.second.writeAll([1, 2, 3])
        result = buffer.withUnsafeMutableBytes { sockets.first.read(into: $0) }
        #expect(result == .bytes(3) && buffer[..<3] == [1, 2, 3])
        var written = 0
        while case .bytes(let count) = buffer.withUnsafeBytes({ sockets.first.write($0) }) { written += count }
        #expect(written > 0)
        #expect(buffer.withUnsafeBytes { sockets.first.write($0) } == .wouldBlock)
        let first = sockets.takeFirst()
        #expect(eventually { buffer.withUnsafeBytes { first.write($0) } == .ended })
    }

    @Test func writingAllWaitsForTheReader() throws {
        let pipe = try DescriptorPair.pipe()
        let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let reader = dup(pipe.first.raw)
        let read = Guarded([UInt8]())
        let thread = try WorkerThread(name: "reader") {
            var chunk = [UInt8](repeating: 0, count: 5000)
            var all: [UInt8] = []
            while all.count < 1 << 20,
                case .bytes(let count) = chunk.withUnsafeMutableBytes({ LinuxSystem.read(reader, into: $0) })
            {
                all += chunk[..<count]
            }
            let result = all
            read.withLock { $0 = result }
        }
        try pipe.second.writeAll(bytes)
        thread.join()
        close(reader)
        let isSame = read.withLock { $0 == bytes }
        #expect(isSame)
    }

    @Test func filesAreReadWhole() throws {
        let path = NSTemporaryDirectory() + "text-\(UUID().uuidString)"
        defer { unlink(path) }
        let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
        try Data(bytes).write(to: URL(filePath: path))
        #expect(TextFile.readBytes(path) == bytes)
        #expect(TextFile.read("/no/such/file") == nil)
        #expect(TextFile.readBytes("/tmp") == nil)
    }

    /// Who has the old file open reads it on, since the new one was whole before it came there.
    @Test func replacedFilesAreWhole() throws {
        let parent = FileManager.default.temporaryDirectory.path + "/whole-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let path = parent + "/script"
        try TextFile.replacePrivate(path, with: Array("old".utf8))
        let old = try Descriptor.open(path, O_RDONLY)
        try TextFile.replacePrivate(path, with: Array("#!/bin/sh\nexit 3\n".utf8), isProgram: true)
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(bytes.withUnsafeMutableBytes { old.read(into: $0) } == .bytes(3))
        #expect(TextFile.read(path) == "#!/bin/sh\nexit 3\n" && access(path, X_OK) == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == ["script"])
    }
}

@Suite(.blocking) struct EventPollTests {
    @Test func readyDescriptorsAreTold() throws {
        let poll = try EventPoll()
        let one = try DescriptorPair.sockets()
        let two = try DescriptorPair.sockets()
        try poll.add(one.first.raw, token: 11)
        try poll.add(two.first.raw, token: .max)
        var ready: [ReadyEvent] = []
        try poll.wait(milliseconds: 0, into: &ready)
        #expect(ready.isEmpty)
        try two.second.writeAll([1])
        try poll.wait(milliseconds: 10_000, into: &ready)
        #expect(ready.map(\.token) == [.max])
        #expect(ready[0].isReadable && !ready[0].isWritable && !ready[0].isHungUp)
        // As long as it is not read, it is told again.
        try poll.wait(milliseconds: 10_000, into: &ready)
        #expect(ready.count == 2)
        poll.remove(two.first.raw)
        ready = []
        try poll.change(one.first.raw, token: 12, [.reading, .writing])
        try poll.wait(milliseconds: 10_000, into: &ready)
        #expect(ready.map(\.token) == [12] && ready[0].isWritable && !ready[0].isReadable)
    }

    @Test func aClosedOtherEndIsTold() throws {
        let poll = try EventPoll()
        let pipe = try DescriptorPair.pipe().takeFirst()
        try poll.add(pipe.raw, token: 1)
        var ready: [ReadyEvent] = []
        try poll.wait(milliseconds: 10_000, into: &ready)
        #expect(ready.map(\.isHungUp) == [true])
    }

    @Test func whatCantBeWatched() throws {
        let poll = try EventPoll()
        #expect(throws: SystemError("watch descriptor -1", code: EBADF)) { try poll.add(-1, token: 1) }
        let file = try Descriptor.open("/etc/passwd", O_RDONLY)
        #expect(throws: SystemError("watch descriptor \(file.raw)", code: EPERM)) { try poll.add(file.raw, token: 1) }
    }

    @Test func manyAtOnce() throws {
        let poll = try EventPoll()
        let flags = try (0..<300).map { _ in try EventFlag() }
        for (number, flag) in flags.enumerated() {
            try poll.add(flag.raw, token: UInt64(number))
            flag.signal()
        }
        var seen: Set<UInt64> = []
        while seen.count < 300 {
            var ready: [ReadyEvent] = []
            try poll.wait(milliseconds: 10_000, into: &ready)
            try #require(!ready.isEmpty)
            for event in ready {
                seen.insert(event.token)
                flags[Int(event.token)].clear()
            }
        }
        var rest: [ReadyEvent] = []
        try poll.wait(milliseconds: 0, into: &rest)
        #expect(rest.isEmpty, "a flag that was lowered is still up")
    }
}

@Suite(.blocking) struct WakeTimerTests {
    private static func now() -> Int64 { SystemClock.bootNanoseconds() }

    /// Waits for a timer's descriptor; true if it fired within `milliseconds`.
    private static func rings(_ raw: Int32, within milliseconds: Int32) -> Bool {
        var wait = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, milliseconds) == 1
    }

    @Test func itRingsAtTheSoonestTimeAskedFor() throws {
        var timer = try WakeTimer()
        let raw = timer.raw
        #expect(!Self.rings(raw, within: 0), "it was not set")
        let soon = Self.now() + 20_000_000
        timer.arm(at: Self.now() + 3_600_000_000_000)
        timer.arm(at: soon)
        timer.arm(at: Self.now() + 3_600_000_000_000)
        #expect(Self.rings(raw, within: 60_000) && Self.now() >= soon)
        timer.fired()
        #expect(!Self.rings(raw, within: 0), "it was heard")
    }

    @Test(arguments: [0, -5, 1])
    func aTimeInThePastRingsAtOnce(time: Int64) throws {
        var timer = try WakeTimer()
        timer.arm(at: time)
        let raw = timer.raw
        #expect(Self.rings(raw, within: 60_000))
    }
}

/// A signal of the whole process may be delivered to any thread: these send to their own only.
@Suite(.blocking) struct SignalSourceTests {
    @Test func signalsAreRead() throws {
        var before = sigset_t()
        pthread_sigmask(SIG_SETMASK, nil, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let source = try SignalSource([SIGUSR1, SIGUSR2])
        #expect(source.next() == nil)
        pthread_kill(pthread_self(), SIGUSR2)
        pthread_kill(pthread_self(), SIGUSR1)
        pthread_kill(pthread_self(), SIGUSR1)
        #expect(Set([source.next(), source.next()]) == [SIGUSR1, SIGUSR2])
        #expect(source.next() == nil)
    }
}
