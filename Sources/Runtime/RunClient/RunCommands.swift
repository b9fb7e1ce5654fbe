package import DisbatchCore
import Glibc
import LinuxSystem

/// The commands of `dbutil` for a run that it can reach. Each returns an exit status.
package struct RunCommands {
    private let path: String
    private let version: String

    package init(path: String, version: String) {
        self.path = path
        self.version = version
    }

    /// `--status`: what the run is like now, or how it ended.
    package func status(asJSON: Bool) throws(RunClientError) -> Int32 {
        let file = try RunFile.read(path)
        let state = try file.exitStatus == nil ? current(file) : ended(file)
        StandardStream.output.write(asJSON ? StatusText.json(state, file) : text(of: state, file))
        return 0
    }

    private func text(of state: RunState, _ file: RunFileText) -> String {
        guard state.exitStatus != nil, state.snapshot.start.microseconds == 0 else {
            return StatusText.whole(state, file)
        }
        return "\(state.name): \(state.phaseText)\n" + (state.summary.map { "\($0)\n" } ?? "")
    }

    private func ended(_ file: RunFileText) -> RunState {
        var state = RunState(name: file.name)
        state.exitStatus = file.exitStatus
        state.summary = file.summary
        return state
    }

    private func current(_ file: RunFileText) throws(RunClientError) -> RunState {
        var state = RunState(name: file.name)
        let connection = try RunConnection(file, version: version)
        connection.send(.watch(every: .zero))
        let limit = MonotonicTime.now + .seconds(10)
        while let frame = try connection.receive(until: limit) {
            switch frame {
            case .snapshot(let snapshot):
                state.apply(snapshot)
                return state
            case .ended(let exitStatus, let summary):
                state.exitStatus = exitStatus
                state.summary = summary
                return state
            case .welcome, .running, .answer, .relay, .tail: break
            }
        }
        throw RunClientError("\(file.name): its driver does not answer")
    }

    /// `--watch`: a line whenever something changed, to the run's end. Its exit status.
    package func watch() throws(RunClientError) -> Int32 {
        let file = try RunFile.read(path)
        if file.exitStatus != nil { return try status(asJSON: false) }
        var state = RunState(name: file.name)
        var last = ""
        return try follow(file, every: .seconds(1)) { frame in
            if case .snapshot(let snapshot) = frame {
                state.apply(snapshot)
                for failure in snapshot.failures { StandardStream.output.line(StatusText.failure(failure)) }
            }
            let line = StatusText.line(state)
            // A rate or a time alone is no change.
            let change = "\(state.snapshot.done) \(state.snapshot.failed) \(state.snapshot.running) \(state.phaseText)"
            if change != last { StandardStream.output.line(line) }
            last = change
        }
    }

    /// `--wait`: until the run ends. Its exit status.
    package func wait() throws(RunClientError) -> Int32 {
        let file = try RunFile.read(path)
        if let exitStatus = file.exitStatus {
            StandardStream.output.line(file.summary ?? "ended")
            return exitStatus
        }
        return try follow(file, every: .zero) { _ in }
    }

    private func follow(
        _ file: RunFileText, every interval: Duration, _ body: (ServerFrame) -> Void
    ) throws(RunClientError) -> Int32 {
        do throws(RunClientError) { return try followByLink(file, every: interval, body) } catch {
            // It may have ended just now.
            guard let ended = try? RunFile.read(path), let exitStatus = ended.exitStatus else { throw error }
            StandardStream.output.line(ended.summary ?? "ended")
            return exitStatus
        }
    }

    private func followByLink(
        _ file: RunFileText, every interval: Duration, _ body: (ServerFrame) -> Void
    ) throws(RunClientError) -> Int32 {
        let connection = try RunConnection(file, version: version)
        connection.send(.watch(every: interval))
        while true {
            guard let frame = try connection.receive(until: nil) else { continue }
            body(frame)
            if case .ended(let exitStatus, let summary) = frame {
                StandardStream.output.line(summary)
                return exitStatus
            }
        }
    }

    /// `--tail`: what a task writes, to its end.
    package func tail(_ task: TaskID) throws(RunClientError) -> Int32 {
        let file = try RunFile.read(path)
        if let exitStatus = file.exitStatus {
            throw RunClientError(
                "\(file.name): the run has ended, with exit status \(exitStatus); "
                    + "--show \(task.rawValue) tells of the task")
        }
        let connection = try RunConnection(file, version: version)
        connection.send(.tail(task))
        var printer = TailPrinter(task)
        while true {
            guard let frame = try connection.receive(until: nil) else { continue }
            switch frame {
            case .tail(let news): if try printer.show(news) { return 0 }
            case .answer(_, let text): throw RunClientError("\(file.name): \(text)")
            case .ended(_, let summary):
                printer.note("the run ended, and task \(task.rawValue) had no end of its own: \(summary)")
                return 1
            default: break
            }
        }
    }

    /// Asks something of the run.
    package func control(_ control: RunControl) throws(RunClientError) -> Int32 {
        let file = try RunFile.read(path)
        if let exitStatus = file.exitStatus {
            throw RunClientError("\(file.name): the run has ended, with exit status \(exitStatus)")
        }
        let connection = try RunConnection(file, version: version)
        connection.send(.control(control))
        let limit = MonotonicTime.now + .seconds(10)
        while let frame = try connection.receive(until: limit) {
            guard case .answer(let isDone, let text) = frame else { continue }
            guard isDone else { throw RunClientError("\(file.name): \(text)") }
            StandardStream.output.line("\(file.name): \(text)")
            return 0
        }
        throw RunClientError("\(file.name): its driver does not answer")
    }
}
