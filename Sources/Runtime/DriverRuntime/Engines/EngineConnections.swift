import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options
import RunRecord

/// All engines that there is a way to: starts them, takes what they say, sends what they are told.
final class EngineConnections {
    unowned let driver: Driver
    /// Launches the engines of the run's own context; nil where it has none.
    let host: EngineHost?
    private var connections: [EngineConnection?] = []
    private var unsent: [EngineConnection] = []

    init(_ driver: Driver, host: EngineHost?) {
        self.driver = driver
        self.host = host
        host?.delegate = self
    }

    subscript(id: EngineID) -> EngineConnection? {
        connections.indices.contains(id.rawValue) ? connections[id.rawValue] : nil
    }

    // MARK: Coming and going

    /// Starts what leads to an engine, or tells that it can't be.
    func launch(_ id: EngineID) {
        let engine = driver.machine.engines[id.rawValue]
        let context = driver.machine.contexts[engine.context.rawValue]
        let path = driver.files.engineLog(label: context.plan.label, node: engine.node, rank: id.rawValue)
        let step = driver.machine.stepName(of: id)
        do throws(SystemError) {
            if let relay = driver.relays[context.id] {
                guard relay.isConnected else { throw SystemError("reach the relay", code: ENOTCONN) }
                add(EngineConnection(engine, RelayedTransport(id, relay), log: driver.logs.add(path)))
                relay.order(.launch(id, place: engine.planIndex, errors: path, step: step))
                driver.relays.markUnsent(relay)
            } else if let host {
                let errors = try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND)
                let hosted = try host.launch(engine.plan, id: id, errors: errors, step: step)
                add(EngineConnection(engine, hosted, log: driver.logs.add(path)))
                if engine.plan.carrier == .none { driver.alive.note(mark: hosted.mark) }
            }
        } catch {
            driver.tell(.launchFailed(id, reason: "\(error)"))
        }
    }

    private func add(_ connection: EngineConnection) {
        while connections.count <= connection.id.rawValue { connections.append(nil) }
        connections[connection.id.rawValue] = connection
    }

    /// Forgets an engine of which nothing more comes.
    func forget(_ id: EngineID) {
        guard self[id] != nil else { return }
        connections[id.rawValue] = nil
        driver.staging?.drop(id)
    }

    func close(_ id: EngineID, _ closing: ChannelClosing) { self[id]?.transport.close(closing) }

    // MARK: What they are told

    func send(_ frame: DriverFrame, to engine: EngineID) {
        guard let connection = self[engine], connection.isOpen else { return }
        connection.send(frame)
        markUnsent(connection)
    }

    /// Sends what an engine is to hear even if somebody stopped it: on this machine, it is let go on.
    func sendAwaking(_ frame: DriverFrame, to engine: EngineID) {
        send(frame, to: engine)
        (self[engine]?.transport as? HostedEngine)?.awaken()
    }

    func markUnsent(_ connection: EngineConnection) {
        guard !connection.hasUnsent else { return }
        connection.hasUnsent = true
        unsent.append(connection)
    }

    /// Sends what is to be sent, to each engine at once.
    func flush() {
        for connection in unsent {
            connection.hasUnsent = false
            if let staging = driver.staging {
                repeat { connection.flush() } while staging.listFiles(for: connection)
                staging.readPiece(for: connection)
            } else {
                connection.flush()
            }
            if let relay = driver.relays[connection.context] { driver.relays.markUnsent(relay) }
        }
        unsent.removeAll(keepingCapacity: true)
    }

    /// Tells an engine what it is for.
    func configure(_ id: EngineID, lostGuards: [String]) {
        guard let connection = self[id] else { return }
        let engine = driver.machine.engines[id.rawValue]
        let context = driver.machine.contexts[engine.context.rawValue]
        var result = driver.configuration.engineConfiguration(
            of: engine, in: context, runName: driver.files.jobID)
        result.lostGuards = lostGuards
        if let staging = driver.staging { result.staging = staging.told(isShared: context.isLeased(engine.plan)) }
        send(.configure(result), to: id)
        driver.staging?.listFiles(for: connection)
    }

    // MARK: What they say

    /// Takes bytes from an engine, whoever brought them.
    func received(_ bytes: UnsafeRawBufferPointer, from connection: EngineConnection) {
        connection.heard = RunClock.now
        connection.take(bytes)
        do throws(WireError) {
            while connection.isOpen, let frame = try connection.nextFrame() { take(frame, from: connection) }
        } catch {
            driver.tell(.engineMisbehaved(connection.id, reason: "it sent \(error)"))
        }
        // Reading may have made room for what waits.
        if !connection.writer.isEmpty { markUnsent(connection) }
    }

    private func take(_ frame: EngineFrame, from connection: EngineConnection) {
        let id = connection.id
        switch frame {
        case .hello(let hello): driver.tell(.engineGreeted(id, hello))
        case .ready(let slots): driver.tell(.engineReady(id, slots: slots))
        case .refused(let reason): driver.tell(.engineRefused(id, reason: reason))
        case .started(let assignment, let cylinder, let pid, let start):
            driver.tell(.tasks(.taskStarted(id, assignment)))
            recordStart(of: assignment, connection, cylinder: cylinder, pid: pid, at: start)
        case .finished(let assignment, let cylinder, let outcome):
            let exit = TaskExit(engine: id, assignment: assignment, cylinder: cylinder, outcome: outcome)
            guard driver.staging?.awaitsFiles(exit, from: connection) != true else { break }
            driver.tell(.taskEnded(exit))
        case .returned(let assignments): driver.tell(.tasks(.assignmentsReturned(id, assignments)))
        case .withdrawn(let assignment): driver.tell(.tasks(.assignmentWithdrawn(id, assignment)))
        case .leaseAcknowledged(let sentAt): driver.tell(.tasks(.leaseAcknowledged(id, sentAt: sentAt)))
        case .filesFollow(let assignment): driver.tell(.tasks(.filesAwaited(id, assignment)))
        case .signal(let number): driver.tell(.engineSignalled(id, number))
        case .followed(let assignment, let out, let err):
            driver.control?.followingBegan(assignment, on: connection, out: out, err: err)
        case .output(let assignment, let piece): outputCame(piece, of: assignment, from: connection)
        case .cpuUsed(let microseconds, let time):
            let engine = driver.machine.engines[id.rawValue]
            let planned = engine.plan.coresPerTask * driver.machine.scheduler.slots(of: id)
            connection.processors.note(microseconds, at: time, cores: min(planned, engine.cores))
        case .log(let level, let text): logged(connection, level, text)
        case .placesWanted, .stagedEntriesWanted, .fileBegan, .fileData, .fileEnded, .captureBegan:
            guard let staging = driver.staging else { return misbehaved(connection, "files that nobody asked for") }
            staging.take(frame, from: connection)
        }
    }

    /// Has an engine cut off that sent what can't be.
    func misbehaved(_ connection: EngineConnection, _ what: String) {
        driver.tell(.engineMisbehaved(connection.id, reason: "it sent \(what)"))
    }

    private func recordStart(
        of assignment: AssignmentID, _ connection: EngineConnection, cylinder: Int, pid: Int32, at start: Timestamp
    ) {
        let driver = driver
        guard driver.ledger.keepsRecord, let (spec, attempt) = driver.machine.scheduler.task(of: assignment) else {
            return
        }
        driver.ledger.append(
            .taskStarted(
                StartedTask(
                    spec: spec, attempt: attempt, engine: connection.id, node: connection.node, cylinder: cylinder,
                    pid: pid, start: start)))
    }

    private func outputCame(_ piece: OutputPiece, of assignment: AssignmentID, from connection: EngineConnection) {
        send(.outputTaken(piece.bytes.count), to: connection.id)
        driver.control?.outputCame(piece, of: assignment, from: connection.id)
    }

    private func logged(_ connection: EngineConnection, _ level: LogLevel, _ text: String) {
        guard level >= driver.configuration.options.logLevel else { return }
        driver.logs.write(RunLog.line(level, text, at: RunClock.wall), to: connection.log)
        guard level >= .warning else { return }
        driver.reporter.show(.warning, "engine \(connection.id.rawValue) on \(connection.node): \(text)")
    }

    /// Tells of an engine's end, once all that is known of its tasks is told.
    func ended(_ id: EngineID, _ end: EngineEnd) {
        guard let connection = self[id] else { return }
        guard connection.files.held.isEmpty else {
            connection.end = end
            return
        }
        driver.tell(.engineEnded(id, end))
    }
}

extension EngineConnections: EngineHostDelegate {
    func engineSpoke(_ id: EngineID) { driver.tell(.engineSpoke(id)) }

    func engineSaid(_ id: EngineID, _ bytes: UnsafeRawBufferPointer) {
        if let connection = self[id] { received(bytes, from: connection) }
    }

    func engineNeedsFlush(_ id: EngineID) {
        if let connection = self[id] { markUnsent(connection) }
    }

    func engineEnded(_ id: EngineID, _ end: EngineEnd) { ended(id, end) }

    func engineNoted(_ engine: HostedEngine, _ text: String) {
        driver.reporter.log(.info, "engine \(engine.id.rawValue) on \(engine.plan.node): \(text)")
    }
}
