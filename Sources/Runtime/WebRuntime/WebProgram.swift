import DisbatchCore
import Glibc
import LinuxSystem
import RunClient

/// `disbatch-web`: shows a run on a page, as long as it goes on. The driver starts it, with a pipe as its standard
/// input whose end says that the driver is gone. What it prints is for the run's user; its errors are warnings there.
package enum WebProgram {
    /// How often the driver tells.
    private static let interval = Duration.seconds(1)
    /// How long, after the driver is gone, its last words are waited for; and then browsers, until they have them.
    private static let lastWords = Duration.seconds(2)
    private static let farewell = Duration.seconds(2)

    /// Runs the program, and ends the process.
    ///
    /// Its arguments are the run file, a host and a port; `--check` instead of the run file only looks whether these
    /// can be had.
    package static func main(version: String) -> Never {
        Descriptor.fillStandardStreams()
        ProcessFiles.require(for: "disbatch-web")
        SignalSource.ignore([SIGPIPE])
        let words = Array(CommandLine.arguments.dropFirst())
        guard words.count == 3, let port = UInt16(words[2]) else {
            StandardStream.error.line("disbatch-web \(version) is started by disbatch --web")
            exit(2)
        }
        do {
            let signals = try SignalSource([SIGTERM, SIGINT, SIGHUP])
            let listener = try WebListener(WebAddress(host: words[1], port: port))
            if words[0] != "--check" {
                let address = WebAddress(host: words[1], port: listener.port)
                try run(words[0], address, listener, signals, version)
            }
        } catch {
            StandardStream.error.line("\(error)")
            exit(1)
        }
        exit(0)
    }

    private static func run(
        _ path: String, _ address: WebAddress, _ listener: consuming WebListener, _ signals: SignalSource,
        _ version: String
    ) throws {
        let file = try RunFile.read(path)
        let gate = WebGate(token: RandomToken.make(), names: [OwnHost.name, address.host])
        let server = try HTTPServer(listener, gate: gate)
        let place = try PagePlace(address, gate, runFile: path)
        defer { place.remove() }
        for line in place.announcement { StandardStream.output.line(line) }
        var show = WebShow(file, server)
        let connection: RunConnection
        do throws(RunClientError) { connection = try RunConnection(file, version: version) } catch {
            // A run that is over already has nothing to show.
            var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            guard poll(&input, 1, 5000) > 0 else { throw error }
            return
        }
        connection.send(.watch(every: interval))
        var deadline: MonotonicTime?
        while show.isOpen, signals.next() == nil {
            if let deadline, MonotonicTime.now >= deadline { break }
            let driverIsGone = wait(for: connection.descriptor, server, signals, watchesInput: deadline == nil)
            if driverIsGone, deadline == nil { deadline = .now + lastWords }
            server.run()
            show.take(from: connection)
        }
        let limit = MonotonicTime.now + farewell
        while !server.close(), MonotonicTime.now < limit {
            var ready = pollfd(fd: server.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&ready, 1, limit.millisecondsFromNow)
        }
    }

    /// Waits for something to do. True where standard input has ended.
    private static func wait(
        for connection: Int32, _ server: HTTPServer, _ signals: SignalSource, watchesInput: Bool
    ) -> Bool {
        var waits = [watchesInput ? 0 : -1, connection, server.descriptor, signals.raw].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        let most: Int32 = 1000
        poll(&waits, nfds_t(waits.count), server.timeout < 0 ? most : min(server.timeout, most))
        // Nothing is ever sent there.
        return waits[0].revents != 0
    }
}

/// The run as browsers see it.
private struct WebShow {
    private let file: RunFileText
    private let server: HTTPServer
    private var state: RunState
    private var history = PageHistory()
    /// Whether the driver may tell more.
    private(set) var isOpen = true

    init(_ file: RunFileText, _ server: HTTPServer) {
        self.file = file
        self.server = server
        state = RunState(name: file.name)
    }

    mutating func take(from connection: RunConnection) {
        do throws(RunClientError) {
            while isOpen, let frame = try connection.next() { take(frame) }
        } catch {
            isOpen = false
            publish(trouble: error.description)
        }
    }

    private mutating func take(_ frame: ServerFrame) {
        switch frame {
        case .snapshot(let snapshot):
            state.apply(snapshot)
            history.note(sample)
            publish()
        case .ended(let exitStatus, let summary):
            state.exitStatus = exitStatus
            state.summary = summary
            history.close(with: sample)
            isOpen = false
            publish()
        case .welcome, .running, .answer, .tail, .relay: break
        }
    }

    private var sample: PageHistory.Sample {
        PageHistory.Sample(
            time: state.elapsed, done: state.snapshot.done, running: state.snapshot.running,
            failed: state.snapshot.failed)
    }

    private func publish(trouble: String? = nil) {
        server.publish(PagePicture.event(PagePicture.json(state, file, history, trouble: trouble)))
    }
}
