import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import DriverRuntime

@Suite(.blocking) struct StatusWriterTests {
    /// A writer at work, on a status file that exists already.
    private final class Work {
        let directory: DriverTestDirectory
        let path: String
        let writer: StatusWriter
        private var thread: WorkerThread?

        init(_ start: String = "", at path: String? = nil, in directory: DriverTestDirectory? = nil) throws {
            let directory = directory ?? DriverTestDirectory()
            self.directory = directory
            self.path = try path ?? directory.write(start, to: "status")
            let file = try Descriptor.open(self.path, O_RDWR | O_APPEND)
            writer = try StatusWriter(status: file, path: self.path)
            thread = try writer.run()
        }

        /// Lets it write all, and waits for its end.
        func finish() {
            writer.close()
            thread.take()?.join()
        }

        deinit { finish() }

        /// Waits until the writer says that something is to be known.
        func waitForAttention() -> Bool {
            var wait = pollfd(fd: writer.wakeup.raw, events: Int16(POLLIN), revents: 0)
            return poll(&wait, 1, 60_000) == 1
        }
    }

    @Test func rowsAreAppendedInOrder() throws {
        let work = try Work("header\n")
        var expected = "header\n"
        for number in 0..<5000 {
            work.writer.append(Array("row \(number)\n".utf8))
            expected += "row \(number)\n"
        }
        work.finish()
        #expect(work.directory.text("status") == expected)
        #expect(work.writer.takeFailure() == nil)
    }

    @Test func aSyncTellsThatEarlierRowsAreWritten() throws {
        let work = try Work()
        work.writer.append(Array("a\n".utf8))
        let number = work.writer.requestSync()
        while work.writer.syncCount < number {
            #expect(work.waitForAttention())
            work.writer.wakeup.clear()
        }
        #expect(work.directory.text("status") == "a\n")
        #expect(work.writer.requestSync() == number + 1)
    }

    @Test func aFullDeviceIsToldAndCanBeGivenUp() throws {
        let work = try Work(at: "/dev/full")
        work.writer.append(Array("row\n".utf8))
        #expect(work.waitForAttention())
        work.writer.wakeup.clear()
        #expect(work.writer.fullness == SystemError("write /dev/full", code: ENOSPC))
        #expect(work.writer.takeFailure() == nil && work.writer.waiting.age != nil)
        work.writer.giveUp()
        #expect(work.waitForAttention())
        #expect(work.writer.takeFailure() == SystemError("write /dev/full", code: ENOSPC))
        #expect(work.writer.takeFailure() == nil, "told once")
        work.writer.append(Array("row\n".utf8))
        #expect(work.writer.requestSync() > 0)
        work.finish()
        #expect(work.writer.takeFailure() == nil)
    }

    /// On a disk that gets full within a row the file ends behind a whole one, and stays so.
    @Test(.enabled(if: getuid() == 0, "mounts a file system"))
    func rowsWaitForRoomOnAFullDisk() throws {
        let directory = DriverTestDirectory()
        let disk = try directory.make("disk")
        try #require(mount("tmpfs", disk, "tmpfs", 0, "size=64k") == 0)
        defer { umount2(disk, 2) }
        let row = [UInt8](repeating: 120, count: 999) + [10]
        let work = try Work(at: directory.write("first\n", to: "disk/status"))
        for _ in 0..<200 { work.writer.append(row) }
        #expect(work.waitForAttention())
        work.writer.wakeup.clear()
        #expect(work.writer.fullness == SystemError("write \(work.path)", code: ENOSPC))
        let text = try #require(directory.text("disk/status"))
        #expect(text.hasPrefix("first\n") && text.hasSuffix("x\n"))
        #expect((text.utf8.count - 6).isMultiple(of: 1000) && text.utf8.count > 30_000, "\(text.utf8.count) bytes")
        work.writer.append(Array("later\n".utf8))
        let number = work.writer.requestSync()
        #expect(mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=1m") == 0)
        while work.writer.syncCount < number {
            #expect(work.waitForAttention())
            work.writer.wakeup.clear()
        }
        #expect(work.writer.fullness == nil && work.writer.takeFailure() == nil)
        work.finish()
        let whole = try #require(directory.text("disk/status"))
        #expect(whole.utf8.count == 6 + 200 * 1000 + 6 && whole.hasSuffix("later\n"))
    }

    // MARK: Others at the file

    /// Lets the writer look, after a row.
    private func rescues(of work: Work, after row: String) -> [StatusRescue] {
        work.writer.append(Array(row.utf8))
        let number = work.writer.requestSync()
        while work.writer.syncCount < number {
            #expect(work.waitForAttention())
            work.writer.wakeup.clear()
        }
        return work.writer.takeRescues()
    }

    private func start() throws -> Work {
        let directory = DriverTestDirectory()
        return try Work(at: try directory.write("old\n", to: "run_status.txt"), in: directory)
    }

    @Test func aRemovedFileIsThereAgain() throws {
        let work = try start()
        #expect(rescues(of: work, after: "a\n").isEmpty)
        unlink(work.path)
        #expect(
            rescues(of: work, after: "b\n") == [StatusRescue(damage: .removed, path: work.path, kept: work.path)])
        #expect(rescues(of: work, after: "c\n").isEmpty)
        work.finish()
        #expect(work.directory.text("run_status.txt") == "old\na\nb\nc\n")
        #expect(work.writer.path == work.path)
    }

    @Test func aMovedFileHasItsNameAgain() throws {
        let work = try start()
        #expect(rename(work.path, work.directory.path + "/elsewhere") == 0)
        #expect(rescues(of: work, after: "b\n").map(\.kept) == [work.path])
        work.finish()
        #expect(work.directory.text("run_status.txt") == "old\nb\n")
        #expect(work.directory.text("elsewhere") == "old\nb\n")
    }

    @Test func aRemovedDirectoryIsMadeAgain() throws {
        let work = try start()
        #expect(Array(work.directory.path.utf8).removeTree())
        #expect(rescues(of: work, after: "b\n").map(\.kept) == [work.path])
        work.finish()
        #expect(work.directory.text("run_status.txt") == "old\nb\n")
    }

    @Test func anotherFileAtThePathIsLeftAlone() throws {
        let work = try start()
        #expect(rescues(of: work, after: "a\n").isEmpty)
        _ = try work.directory.write("theirs\n", to: "new")
        #expect(rename(work.directory.path + "/new", work.path) == 0)
        let kept = work.directory.path + "/run_status.recovered.txt"
        #expect(rescues(of: work, after: "b\n") == [StatusRescue(damage: .replaced, path: work.path, kept: kept)])
        #expect(rescues(of: work, after: "c\n").isEmpty)
        work.finish()
        #expect(work.directory.text("run_status.txt") == "theirs\n")
        #expect(work.directory.text("run_status.recovered.txt") == "old\na\nb\nc\n")
        #expect(work.writer.path == kept)
    }

    @Test(arguments: ["", "theirs, and longer than ours\n"])
    func aFileThatSomebodyWroteIntoIsWrittenAnewBesideIt(theirs: String) throws {
        let work = try start()
        #expect(rescues(of: work, after: "a\n").isEmpty)
        _ = try work.directory.write(theirs, to: "run_status.txt")
        let kept = work.directory.path + "/run_status.recovered.txt"
        #expect(rescues(of: work, after: "b\n") == [StatusRescue(damage: .changed, path: work.path, kept: kept)])
        // That one is touched in turn.
        _ = try work.directory.write("", to: "run_status.recovered.txt")
        #expect(
            rescues(of: work, after: "c\n") == [
                StatusRescue(
                    damage: .changed, path: kept, kept: work.directory.path + "/run_status.recovered2.txt")
            ])
        work.finish()
        #expect(work.directory.text("run_status.recovered2.txt") == "old\na\nb\nc\n")
    }

    @Test func onlyTheLastRowsOfALongFileAreRemembered() {
        var memory = RowMemory(limit: 100)
        for number in 0..<50 { memory.append(Array("row \(number) of many\n".utf8)) }
        #expect(!memory.isComplete && memory.count <= 100)
        #expect(memory.removeLast(15) == Array("row 49 of many\n".utf8))
        #expect(String(decoding: memory.bytes, as: UTF8.self).hasSuffix("row 48 of many\n"))
    }
}
