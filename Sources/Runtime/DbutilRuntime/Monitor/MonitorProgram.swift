import DisbatchCore
import Glibc
import LinuxSystem
import RunClient

/// `dbutil --mon`: a full-screen picture of a run, to its end and beyond.
enum MonitorProgram {
    /// How often the driver tells, and how often the screen is drawn at most.
    private static let interval = Duration.milliseconds(500)
    private static let drawMilliseconds: Int32 = 100

    /// Runs until the user quits. Returns the exit status.
    static func run(path: String, version: String) throws(RunClientError) -> Int32 {
        let file = try RunFile.read(path)
        if let exitStatus = file.exitStatus {
            throw RunClientError(
                "\(file.name): the run has ended, with exit status \(exitStatus); --status and --report tell of it")
        }
        let connection = try RunConnection(file, version: version)
        SignalSource.ignore([SIGPIPE])
        let signals: SignalSource
        do throws(SystemError) { signals = try SignalSource([SIGINT, SIGTERM, SIGHUP]) } catch {
            throw RunClientError("\(error)")
        }
        guard let terminal = Terminal() else {
            throw RunClientError("--mon needs a terminal that it knows (TERM); --status and --watch don't")
        }
        defer { terminal.close() }
        connection.send(.watch(every: interval))
        var model = MonitorModel(RunState(name: file.name))
        while signals.next() == nil {
            let (rows, columns) = terminal.size
            terminal.show(model.screen(rows: rows, columns: columns))
            wait(for: connection, signals, isOver: model.isOver)
            for key in terminal.keys() where perform(model.press(key), connection) { return 0 }
            take(from: connection, into: &model)
        }
        return 0
    }

    /// Waits for a key, a message or a signal.
    private static func wait(for connection: RunConnection, _ signals: SignalSource, isOver: Bool) {
        var waits = [
            pollfd(fd: 0, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isOver ? -1 : connection.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        // A window that changed its size tells by a signal that only interrupts; so it is looked at now and then.
        poll(&waits, 3, 500)
        // Bursts are drawn together.
        if waits[0].revents == 0, waits[2].revents != 0 { poll(&waits, 2, drawMilliseconds) }
    }

    private static func take(from connection: RunConnection, into model: inout MonitorModel) {
        guard !model.isOver else { return }
        do throws(RunClientError) {
            while !model.isOver, let frame = try connection.next() { _ = perform(model.take(frame), connection) }
        } catch {
            model.isOver = true
            model.message = error.description
        }
    }

    /// Does what the model asks for. True where it is to end.
    private static func perform(_ requests: [MonitorModel.Request], _ connection: RunConnection) -> Bool {
        for request in requests {
            switch request {
            case .send(let frame): connection.send(frame)
            case .quit: return true
            }
        }
        return false
    }
}
