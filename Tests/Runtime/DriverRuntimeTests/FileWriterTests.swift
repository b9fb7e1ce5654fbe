import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import DriverRuntime

@Suite(.blocking) struct FileWriterTests {
    /// A writer at work, on a status file that exists already.
    private final class Work {
        let directory = DriverTestDirectory()
        let path: String
        let writer: FileWriter
        private var thread: WorkerThread?

        init(_ start: String = "", at path: String? = nil) throws {
            self.path = try path ?? directory.write(start, to: "status")
            let file = try Descriptor.open(self.path, O_RDWR | O_APPEND)
            writer = try FileWriter(status: file, path: self.path)
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

    @Test func logsAreMadeWithTheirFirstLine() throws {
        let work = try Work()
        let first = work.writer.addLog(work.directory.path + "/one.log")
        let second = work.writer.addLog(work.directory.path + "/two.log")
        let impossible = work.writer.addLog("/no/such/directory/x.log")
        work.writer.log(Array("a\n".utf8), to: first)
        work.writer.log(Array("b\n".utf8), to: impossible)
        work.writer.log(Array("c\n".utf8), to: first)
        work.finish()
        #expect(second != first && work.directory.text("one.log") == "a\nc\n")
        #expect(work.directory.text("two.log") == nil)
        #expect(work.writer.takeFailure() == nil, "logs are no reason to stop")
    }

    @Test func aFullDeviceIsTold() throws {
        let work = try Work(at: "/dev/full")
        work.writer.append(Array("row\n".utf8))
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
    func aFullDiskLeavesWholeRows() throws {
        let directory = DriverTestDirectory()
        let disk = try directory.make("disk")
        try #require(mount("tmpfs", disk, "tmpfs", 0, "size=64k") == 0)
        defer { umount2(disk, 2) }
        let row = [UInt8](repeating: 120, count: 999) + [10]
        let work = try Work(at: directory.write("first\n", to: "disk/status"))
        for _ in 0..<200 { work.writer.append(row) }
        #expect(work.waitForAttention())
        #expect(work.writer.takeFailure() == SystemError("write \(work.path)", code: ENOSPC))
        work.writer.append(Array("later\n".utf8))
        work.finish()
        let text = try #require(directory.text("disk/status"))
        #expect(text.hasPrefix("first\n") && text.hasSuffix("x\n"))
        #expect((text.utf8.count - 6).isMultiple(of: 1000) && text.utf8.count > 30_000, "\(text.utf8.count) bytes")
    }
}
