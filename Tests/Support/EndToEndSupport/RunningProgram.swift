import Foundation

/// How a program ended, and what it wrote.
struct ProgramResult {
    /// The exit status; minus the signal's number where one ended it.
    var status: Int32
    var output: String
    var error: String
    var seconds: Double

    /// The lines on standard error.
    var errorLines: [String] { error.split(separator: "\n").map(String.init) }
}

/// A program that a test started.
final class RunningProgram {
    let pid: pid_t
    private let outputBase: String
    private let started = ContinuousClock.now
    private var input: Int32
    private var result: ProgramResult?

    init(_ launch: ProgramLaunch) throws {
        (pid, input) = try launch.start()
        outputBase = launch.outputBase
    }

    // MARK: While it runs

    /// What it wrote so far.
    var output: String { read(".out") }
    var error: String { read(".err") }

    func signal(_ number: Int32) { kill(pid, number) }

    /// Writes to its standard input, a pipe.
    func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
            guard count > 0 else { throw HarnessError("it reads no more of its standard input") }
            rest = rest.dropFirst(count)
        }
    }

    /// Ends its standard input.
    func closeInput() {
        guard input >= 0 else { return }
        close(input)
        input = -1
    }

    // MARK: Its end

    /// Whether it ended.
    var hasEnded: Bool { reap() != nil }

    /// Waits for its end. One that takes too long is killed, and the test fails.
    @discardableResult
    func wait(within seconds: Double = 60) throws -> ProgramResult {
        var deadline = Deadline(seconds: seconds)
        while true {
            if let result = reap() { return result }
            guard !deadline.hasPassed else {
                kill(pid, SIGKILL)
                throw HarnessError("not ended after \(seconds) s; it wrote:\n\(output)\n\(error)")
            }
            deadline.pause()
        }
    }

    /// Takes the end of a program that was killed.
    func reapNow() {
        closeInput()
        guard result == nil else { return }
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    private func reap() -> ProgramResult? {
        if let result { return result }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        let signal = status & 0x7f
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        result = ProgramResult(
            status: signal == 0 ? (status >> 8) & 0xff : -signal, output: output, error: error, seconds: seconds)
        return result
    }

    private func read(_ suffix: String) -> String {
        let data = try? Data(contentsOf: URL(fileURLWithPath: outputBase + suffix))
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
