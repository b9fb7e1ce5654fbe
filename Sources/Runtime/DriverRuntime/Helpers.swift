import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// A program beside the driver's own that watches the run for somebody: its page, its mail.
struct HelperRequest: Equatable, Sendable {
    /// The program's file name.
    var name: String
    /// The option that asks for it.
    var option: String
    var arguments: [String]
    /// The Debian packages that it needs, beside the C library.
    var packages: String
    /// How long it may go on when the run has ended.
    var patience: Duration
    /// Whether it brings engines: then the run waits for it, and goes to its end with it where there are no others.
    var bringsContext = false

    init(name: String, option: String, arguments: [String], packages: String, patience: Duration) {
        self.name = name
        self.option = option
        self.arguments = arguments
        self.packages = packages
        self.patience = patience
    }
}

/// The helper programs of a run. Each is a client of its port. Its standard input is a pipe whose end tells it that the
/// driver is gone; what it prints is for the run's user, and its errors are warnings. The run never waits for one.
final class Helpers {
    /// A helper that was started.
    private struct Running {
        let name: String
        let process: ChildProcess
        /// Our end of its standard input; -1 once that is closed.
        var input: Int32
        let output: LineReader
        let error: LineReader
        let patience: Duration
        let bringsContext: Bool
    }

    /// A message for the run's user, from a helper or about one.
    enum Word: Equatable {
        case note(String)
        case warning(String)
    }

    private var running: [Running] = []
    /// The descriptors that become readable when a helper has said something.
    private(set) var descriptors: [Int32] = []

    // MARK: Before the run

    /// How long a helper may take to find out whether it can do its work: at Google, requests are made again for 300 s.
    private static let trialLimit = Duration.seconds(600)

    /// Sees to it that the helpers can do what they are asked for.
    ///
    /// - Parameter enginePath: a program that stands beside them.
    /// - Throws: ``StartError`` where one is not there, or can't be started.
    static func check(_ requests: [HelperRequest], beside enginePath: String) throws(StartError) {
        for request in requests {
            let path = path(of: request, beside: enginePath)
            guard access(path, X_OK) == 0 else {
                throw StartError(
                    "\(request.option): \(path) is not there; install disbatch with it, or leave \(request.option) "
                        + "away. Nothing was run.")
            }
            let trial = try trial([path, "--check"] + request.arguments, request)
            guard !trial.isGood else { continue }
            guard trial.end != nil else {
                throw StartError("\(request.option): \(path) --check does not end. Nothing was run.")
            }
            let text = trial.text.hasSuffix("\n") ? String(trial.text.dropLast()) : trial.text
            let isMissing = text.contains("error while loading shared libraries")
            let advice =
                isMissing
                ? "Install what it needs (Debian: apt-get install \(request.packages)), or leave \(request.option) "
                    + "away. Nothing was run."
                : "Nothing was run."
            throw StartError("\(request.option): \(text.isEmpty ? "\(path) can't be run" : text)\n\(advice)")
        }
    }

    private static func trial(_ words: [String], _ request: HelperRequest) throws(StartError) -> ProgramOutput {
        do throws(SystemError) {
            return try ChildProcess.output(of: words, streams: .error, within: trialLimit)
        } catch {
            throw StartError("\(request.option): \(error)")
        }
    }

    private static func path(of request: HelperRequest, beside enginePath: String) -> String {
        enginePath[..<(enginePath.lastIndex(of: "/") ?? enginePath.startIndex)] + "/" + request.name
    }

    // MARK: During the run

    /// Those that live and watch.
    var watcherCount: Int { running.count { !$0.bringsContext } }

    /// Whether one lives that brings engines.
    var bringContext: Bool { running.contains(where: \.bringsContext) }

    /// Starts them.
    ///
    /// - Parameter runFile: tells them how the run is reached.
    init(_ requests: [HelperRequest], beside enginePath: String, runFile: String) throws(SystemError) {
        for request in requests {
            let words = [Self.path(of: request, beside: enginePath), runFile] + request.arguments
            let input = try DescriptorPair.pipe()
            let output = try DescriptorPair.pipe()
            let error = try DescriptorPair.pipe()
            let process = try ChildProcess.start(
                words, input: input.first.raw, output: output.second.raw, error: error.second.raw)
            try output.first.setNonBlocking()
            try error.first.setNonBlocking()
            let (reading, writing) = input.release()
            close(reading)
            let helper = Running(
                name: request.name, process: process, input: writing, output: LineReader(output.takeFirst()),
                error: LineReader(error.takeFirst()), patience: request.patience, bringsContext: request.bringsContext)
            descriptors += [helper.output.raw, helper.error.raw]
            running.append(helper)
        }
    }

    deinit {
        for index in running.indices { closeInput(of: index) }
    }

    private func closeInput(of index: Int) {
        if running[index].input >= 0 { close(running[index].input) }
        running[index].input = -1
    }

    /// News from the helpers since the last time, and of those that ended, as happens only at the end of the run.
    ///
    /// - Parameter forget: called before a descriptor is closed.
    func news(forget: (Int32) -> Void) -> [Word] {
        var words = running.indices.flatMap { said(by: $0, forget) }
        for index in running.indices.reversed() {
            guard let (end, _) = running[index].process.reap() else { continue }
            words += said(by: index, forget)
            if end != .exited(status: 0) {
                words.append(.warning("\(running[index].name) is gone (\(end.text)); the run does without it"))
            }
            remove(index, forget)
        }
        return words
    }

    private func said(by index: Int, _ forget: (Int32) -> Void) -> [Word] {
        let name = running[index].name
        let words =
            running[index].output.lines().map { Word.note($0) }
            + running[index].error.lines().map { Word.warning("\(name): \($0)") }
        for raw in [running[index].output, running[index].error].filter(\.isAtEnd).map(\.raw) { drop(raw, forget) }
        return words
    }

    private func drop(_ raw: Int32, _ forget: (Int32) -> Void) {
        guard let place = descriptors.firstIndex(of: raw) else { return }
        forget(raw)
        descriptors.remove(at: place)
    }

    private func remove(_ index: Int, _ forget: (Int32) -> Void) {
        closeInput(of: index)
        let helper = running.remove(at: index)
        drop(helper.output.raw, forget)
        drop(helper.error.raw, forget)
        helper.process.close()
    }

    /// Passes a word on to the run's user.
    func report(to reporter: Reporter) -> (Word) -> Void {
        { word in
            switch word {
            // The log may be read by others than the run's owner, and a page's address is a secret.
            case .note(let text): reporter.show(.info, text)
            case .warning(let text): reporter.report(.warning, text)
            }
        }
    }

    // MARK: After the run

    /// Lets them end: each may go on for a while; at its end, or at a signal, it is killed.
    func end(_ signals: SignalSource, say: ([Word]) -> Void) {
        for index in running.indices { closeInput(of: index) }
        let start = MonotonicTime.now
        while true {
            say(news { _ in })
            for helper in running where start + helper.patience <= MonotonicTime.now {
                say([.warning("\(helper.name) has not ended with the run, and is killed")])
                kill(helper.process.pid, SIGKILL)
                _ = helper.process.waitForEnd()
            }
            running.removeAll { start + $0.patience <= MonotonicTime.now }
            guard let next = running.map({ start + $0.patience }).min() else { return }
            var waits = (descriptors + [signals.raw]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            poll(&waits, nfds_t(waits.count), next.millisecondsFromNow)
            while let number = signals.next() {
                // What brings engines has machines to give back: it is told to make haste.
                if number != SIGCHLD {
                    for helper in running { _ = kill(helper.process.pid, helper.bringsContext ? SIGTERM : SIGKILL) }
                }
            }
        }
    }
}

/// Reads lines as they come.
private final class LineReader {
    private let descriptor: Descriptor
    private var rest: [UInt8] = []
    private(set) var isAtEnd = false
    private static let longest = 4096

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    var raw: Int32 { descriptor.raw }

    /// Reads the lines that are there now; with a descriptor that waits, at least one piece. A last line needs no end.
    func lines() -> [String] {
        var lines: [String] = []
        var chunk = [UInt8](repeating: 0, count: Self.longest)
        reading: while !isAtEnd {
            switch chunk.withUnsafeMutableBytes({ descriptor.read(into: $0) }) {
            case .bytes(let count): rest += chunk[..<count]
            case .wouldBlock: break reading
            case .ended, .failed: isAtEnd = true
            }
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                lines.append(String(decoding: rest[..<end], as: UTF8.self))
                rest.removeSubrange(...end)
            }
            if !rest.isEmpty, isAtEnd || rest.count > Self.longest {
                lines.append(String(decoding: rest, as: UTF8.self))
                rest = []
            }
        }
        return lines
    }
}

extension ProcessEnd {
    fileprivate var text: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let signal): SignalName.of(signal)
        }
    }
}
