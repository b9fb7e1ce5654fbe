import Foundation
import Testing

@testable import LinuxSystem

/// Programs that are run to their end for what they print.
@Suite struct ProgramOutputTests {
    private func output(
        _ script: String, streams: ChildProcess.ReadStreams = .both, within time: Duration = .seconds(60),
        size: Int = 1 << 20, abort: Int32 = -1
    ) throws -> ProgramOutput {
        try ChildProcess.output(
            of: ["/bin/sh", "-c", script], streams: streams, within: time, size: size, abort: abort)
    }

    @Test func theStreamsThatAreReadAreTold() throws {
        let both = try output("echo a; echo b >&2; exit 3")
        #expect(both.text == "a\nb\n" && both.end == .exited(status: 3) && !both.isGood)
        let error = try output("echo a; echo b >&2", streams: .error)
        #expect(error.text == "b\n" && error.isGood)
        #expect(try output("cat; echo a", streams: .output).text == "a\n")
    }

    /// It is killed with all that it started, whether or not it has closed its streams.
    @Test(arguments: ["", "exec >/dev/null 2>&1; ", "sleep 1000 & "])
    func whatDoesNotEndIsKilled(start: String) throws {
        let begin = MonotonicTime.now
        let result = try output("echo $$; \(start)exec sleep 1000", within: .seconds(1))
        #expect(result.end == nil && !result.isGood && MonotonicTime.now < begin + .seconds(20))
        let pid = try #require(Int32(result.text.trimmingCharacters(in: .newlines)))
        #expect(kill(pid, 0) == -1, "it is reaped")
    }

    @Test func nobodyMayWantItAnyMore() throws {
        let abort = try EventFlag()
        abort.signal()
        let begin = MonotonicTime.now
        #expect(try output("exec sleep 1000", abort: abort.raw).end == nil)
        #expect(MonotonicTime.now < begin + .seconds(20))
    }

    @Test func whatIsTooMuchIsDropped() throws {
        let result = try output("yes | head -c 1000000", size: 100_001)
        #expect(result.bytes.count == 100_001 && result.isGood)
    }

    @Test func whatCannotBeStartedIsAnError() {
        #expect(throws: SystemError.self) { try ChildProcess.output(of: ["/none/program"]) }
    }

    /// Where the kernel tells of a process's end by no descriptor.
    @Test func endsAreAwaitedWithoutDescriptor() throws {
        let null = try Descriptor.open("/dev/null", O_RDWR)
        func start(_ script: String) throws -> ChildProcess {
            try ChildProcess.start(["/bin/sh", "-c", script], input: null.raw, output: null.raw, error: null.raw)
        }
        #expect(try start("exit 4").waitForEnd(until: .now + .seconds(60)) == .exited(status: 4))
        let child = try start("exec sleep 1000")
        #expect(child.waitForEnd(until: .now + .milliseconds(50)) == nil)
        kill(child.pid, SIGKILL)
        #expect(child.waitForEnd(until: .now + .seconds(60)) == .signalled(SIGKILL))
    }
}
