import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options
import SecureChannels

@testable import DriverRuntime

/// A driver, and others who have the run's key and say anything: as watchers, as relays, and as engines of relays.
/// The driver lives, its scheduler's state is sound, and it keeps no more of what it is sent than it must.
enum SessionFuzz {
    static let version = "fuzz"
    private static let place = makePlace()

    static func run(_ input: inout FuzzInput) {
        guard let session = try? Session(place) else { return expect(false, "a session can be made") }
        for _ in 0..<300 where !input.isAtEnd && session.driver.ending == nil {
            session.take(&input)
            session.turn()
            let wrong = session.driver.machine.scheduler.checkInvariants()
            expect(wrong == nil, wrong ?? "")
            session.checkNames()
        }
        session.end()
    }

    /// A directory in memory, with a task file.
    private static func makePlace() -> String {
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        let path = "\(parent)/disbatch-fuzz.\(getpid())"
        mkdir(path, 0o700)
        let lines = (1...8).map { "echo \($0)" } + ["#DISBATCH BARRIER CHECK", "#DISBATCH REPEAT 300 start 1 echo"]
        let text =
            "#DISBATCH PERENGINE START true\n#DISBATCH PERENGINE STOP true\n" + lines.joined(separator: "\n") + "\n"
        let file = try? Descriptor.open("\(path)/tasks", O_WRONLY | O_CREAT | O_TRUNC)
        try? file?.writeAll(Array(text.utf8))
        // Not by what Swift does at exit: libFuzzer leaves without it.
        atexit { SessionFuzz.removePlace() }
        // What the driver tells its user.
        return path
    }

    private static func removePlace() {
        for name in ["tasks", "run_run.json"] { unlink("\(place)/\(name)") }
        rmdir(place)
    }
}

/// One run's driver and those who are connected to it.
private final class Session {
    let driver: Driver
    private let port: ControlPort
    private var peers: [Peer] = []
    private var current = 0

    init(_ place: String) throws {
        var options = DriverOptions(taskSource: .file("\(place)/tasks"))
        options.policy.waitsForContexts = true
        options.progress = .never
        options.logLevel = .debug
        options.prefix = "\(place)/run"
        options.scheduler.retries = 1
        options.scheduler.lease = .seconds(60)
        let configuration = RunConfiguration(
            options, version: SessionFuzz.version, commandLine: ["disbatch", "tasks"], enginePath: "/nowhere",
            utilityPath: "/nowhere")
        let files = RunPaths(prefix: "\(place)/run")
        let resume = try ResumeFiles([])
        let feed = try TaskFeed(configuration, resume: resume)
        let survey = try feed.survey()
        let status = try Descriptor.inMemory()
        let logs = LogWriter()
        let writer = try StatusWriter(status: status, path: files.status)
        let start = Timestamp(microseconds: SystemClock.wallMicroseconds())
        let text = RunFileText(
            name: files.jobID, version: SessionFuzz.version, host: "h", pid: 1, start: start, workingDirectory: "/")
        port = try ControlPort(path: files.runFile, text: text, ports: 0...0, announced: nil)
        let reporter = Reporter(
            console: Console(.never, at: Instant(nanoseconds: SystemClock.bootNanoseconds())),
            log: RunLog(files.driverLog, level: .debug, writer: logs))
        driver = try Driver(
            DriverParts(
                configuration: configuration,
                policy: DriverPolicy(configuration, totalTasks: survey.tasks, earlierGuards: [:]), own: nil,
                files: files, feed: feed, ledger: RunLedger(writer: writer, record: nil, reporter: reporter),
                reporter: reporter, logs: logs, signals: try SignalSource([]),
                alive: GuardFile(-1, path: "/nowhere", others: []), startTime: start, staging: nil, port: port,
                helpers: nil))
        driver.tell(.runBegan)
        connect()
        turn()
    }

    /// Lets the driver take what there is, and decide.
    func turn() {
        driver.ledger.writer.wakeup.signal()
        expect((try? driver.turn()) != nil, "a turn")
        for peer in peers { peer.hear() }
    }

    /// What stands in file names and rows is a name.
    func checkNames() {
        for plan in driver.machine.contexts.map(\.plan) {
            for name in [plan.label] + plan.engines.map(\.node) {
                expect(!name.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "/") }, "a name: \(name)")
            }
        }
    }

    private func connect() {
        guard let ends = try? DescriptorPair.sockets().release(),
            let channel = try? SecureChannel(Descriptor(owning: ends.first), secret: port.secret, role: .client)
        else { return }
        try? driver.control?.add(Descriptor(owning: ends.second))
        peers.append(Peer(channel))
        current = peers.count - 1
        // The handshake, and what is said of oneself.
        turn()
        peer?.send(.hello(version: SessionFuzz.version, protocolVersion: LinkProtocol.version))
        turn()
    }

    private var peer: Peer? { peers.indices.contains(current) ? peers[current] : nil }

    // MARK: What is said

    /// One thing that somebody says or does.
    func take(_ input: inout FuzzInput) {
        switch input.byte() & 15 {
        case 0: peer?.send(raw: input.counted())
        case 1, 2:
            let kind = input.byte()
            frame(kind, input.counted()) { peer?.send(raw: $0) }
        case 3, 4, 5:
            let kind = input.byte()
            frame(kind, input.counted()) { peer?.send(.relayed($0)) }
        case 6, 7, 8: sayAsEngine(&input)
        case 9: becomeRelay(&input)
        case 10: offer(&input)
        case 11: bringEngine(EngineID(Int(input.byte())), slots: Int(input.byte()))
        case 12: finish(&input)
        case 13:
            if peers.count < 4 { connect() }
        case 14:
            peer?.channel.close()
            if peers.indices.contains(current) { peers.remove(at: current) }
            current = 0
        default: current = Int(input.byte() & 3)
        }
    }

    private func frame(_ kind: UInt8, _ body: [UInt8], _ send: ([UInt8]) -> Void) {
        var writer = FrameWriter()
        writer.frame(kind) { $0.append(body) }
        send(writer.take())
    }

    private func relay(_ frame: RelayFrame) {
        var writer = FrameWriter()
        frame.encode(into: &writer)
        peer?.send(.relayed(writer.take()))
    }

    private func engine(_ id: EngineID, _ frame: EngineFrame) {
        var writer = FrameWriter()
        frame.encode(into: &writer)
        relay(.said(id, writer.take()))
    }

    /// Any frame of an engine; in place of the number of an assignment stands one that there may be.
    private func sayAsEngine(_ input: inout FuzzInput) {
        let id = EngineID(Int(input.byte()))
        let kind = input.byte()
        frame(kind, input.counted()) { relay(.said(id, $0)) }
    }

    private func becomeRelay(_ input: inout FuzzInput) {
        let flags = input.byte()
        peer?.send(.relay(stream: UInt64(flags & 3), isNew: flags & 4 == 0, received: UInt64(flags >> 3)))
    }

    private func offer(_ input: inout FuzzInput) {
        let flags = input.byte()
        let engines = (0..<Int(flags & 3)).map { _ in
            EnginePlan(node: input.text(), slots: 1 + Int(input.byte()), coresPerTask: 1)
        }
        let kinds = ["ssh", "slurm", "sge", "gce"]
        var plan = ContextPlan(
            label: input.text(), kind: kinds[Int(flags >> 2 & 3)], engines: engines, bindsCores: false, notes: [])
        if flags & 16 != 0 { plan.job = "1" }
        if flags & 64 != 0 { plan.home = engines.first?.node }
        var policy = ContextPolicy()
        if flags & 128 != 0 { policy.retirement = .command("true") }
        var offer = ContextOffer(plan: plan, policy: policy, hasOwnLabel: flags & 8 == 0, origin: "fuzz")
        offer.isElastic = flags & 32 != 0
        relay(.offer(offer))
    }

    /// All that an engine says until it works.
    private func bringEngine(_ id: EngineID, slots: Int) {
        relay(.spoke(id))
        let hello = EngineHello(
            version: SessionFuzz.version, protocolVersion: EngineProtocol.version, pid: 1, host: "n", cores: 4)
        engine(id, .hello(hello))
        engine(id, .ready(slots: slots))
        turn()
    }

    /// The end of an assignment, of which nothing but its form is known.
    private func finish(_ input: inout FuzzInput) {
        let id = EngineID(Int(input.byte() & 15))
        let assignment = AssignmentID(UInt64(input.byte()))
        let time = SystemClock.wallMicroseconds()
        let outcome = TaskOutcome(
            pid: 1, returnCode: Int32(Int8(bitPattern: input.byte())), start: Timestamp(microseconds: time),
            finish: Timestamp(microseconds: time + 1000))
        engine(id, .finished(assignment, cylinder: 0, outcome))
    }

    // MARK: The end

    func end() {
        driver.control?.end(exitStatus: 0, summary: "over")
        driver.commands.close()
    }
}

/// Somebody with the run's key.
private final class Peer {
    let channel: SecureChannel
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var frames = FrameBuffer()

    init(_ channel: SecureChannel) { self.channel = channel }

    func send(_ frame: ClientFrame) {
        var writer = FrameWriter()
        frame.encode(into: &writer)
        send(raw: writer.take())
    }

    func send(raw bytes: [UInt8]) { bytes.withUnsafeBytes { _ = channel.write($0) } }

    /// What the driver says is always understood.
    func hear() {
        while case .bytes(let count) = buffer.withUnsafeMutableBytes({ channel.read(into: $0) }) {
            buffer.withUnsafeBytes { frames.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            do throws(WireError) {
                while try frames.next({ (kind, reader) throws(WireError) in
                    try ServerFrame.decode(kind: kind, &reader)
                }) != nil {}
            } catch {
                expect(false, "the driver sent \(error)")
            }
        }
    }
}
