import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import DriverRuntime

@Suite(.blocking) struct LogWriterTests {
    private let directory = DriverTestDirectory()

    @Test func logsAreMadeWithTheirFirstLine() throws {
        let writer = LogWriter()
        let thread = try writer.run()
        let first = writer.add(directory.path + "/one.log")
        let second = writer.add(directory.path + "/two.log")
        let impossible = writer.add("/no/such/directory/x.log")
        writer.write(Array("a\n".utf8), to: first)
        writer.write(Array("b\n".utf8), to: impossible)
        writer.write(Array("c\n".utf8), to: first)
        writer.end(thread)
        #expect(second != first && directory.text("one.log") == "a\nc\n")
        #expect(directory.text("two.log") == nil)
    }

    /// A pipe that nobody empties takes 64 KiB; nobody waits for more.
    @Test func whatIsNotTakenIsDropped() throws {
        let path = directory.path + "/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let writer = LogWriter()
        let thread = try writer.run()
        let log = writer.add(path)
        for _ in 0..<100 { writer.write([UInt8](repeating: 120, count: 100_000), to: log) }
        let start = ContinuousClock.now
        writer.end(thread)
        #expect(ContinuousClock.now - start < .seconds(30))
    }
}
