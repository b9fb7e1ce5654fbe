import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// The engine proper: one thread that waits for whatever happens, tells the machine, and does what it decides.
final class EngineLoop {
    /// What there is once the engine is configured.
    struct Work {
        var machine: EngineMachine
        let starter: TaskStarter
        let launcher: TaskLauncher
        let setup: EngineSetup
        /// Nil without `--stage-out`.
        var stageOut: StageOut?
        var cylinders: [CylinderState]
        /// Processes asked for and not heard of: until they are, the loop looks every few milliseconds.
        var startsPending = 0
        var hasAskedShell = false
    }

    enum Token: UInt64 {
        case channel = 1
        case channelOutput, signals, guardProcess, starter, timer, stageOut
    }

    /// The descriptor of a stream that outlived its task: read on, so that who writes there isn't ended by it.
    static let leftoverKind: UInt64 = 8

    let poll: EventPoll
    private var timer: WakeTimer
    let channel: EngineChannel
    let signals: SignalSource
    let table: GroupTable
    let executioner: Executioner
    let guardName: String
    let usesProcessDescriptors: Bool
    let version: String

    var work: Work?
    var thread: WorkerThread?
    var stageOutThread: WorkerThread?
    /// What was configured, while the files come that are to be there first.
    var awaitingFiles: (configuration: EngineConfiguration, receiver: StageInReceiver)?
    private var ready: [ReadyEvent] = []
    var actions: [EngineAction] = []
    /// Starts and ends that the driver has not been told of.
    var untoldStarts: [EngineFrame] = []
    private var untoldEnds = 0
    /// When streams that are not watched yet will be.
    var watchDeadline = Instant.distantFuture
    /// So many more tasks have their streams watched from the start: of late they wrote much.
    private var tasksToWatchAtOnce = 0
    var following = OutputFollowing()
    var meter = ProcessorMeter()
    /// Descriptors to close at the end of the turn.
    var retired: [RetiredDescriptor] = []
    private var isWatchingOutput = false
    private var isOrphaned = false
    private let guardPipe: Int32
    private var guardIsGone = false
    /// When what was written for the driver is sent at the latest.
    var unsentDeadline = Instant.distantFuture
    var exitStatus: Int32?
    /// With which status to leave once all files are sent.
    var exitStatusToCome: Int32?
    var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(_ parts: EngineParts, channel: consuming EngineChannel) throws(SystemError) {
        poll = try EventPoll()
        timer = try WakeTimer()
        self.channel = channel
        signals = parts.signals
        table = parts.table
        guardName = parts.guardName
        version = parts.version
        usesProcessDescriptors = parts.usesProcessDescriptors
        executioner = Executioner(guardPid: parts.guardPid, guardMark: TaskVariables.guardMark(guardName))
        try poll.add(channel.input, token: Token.channel.rawValue)
        try poll.add(signals.raw, token: Token.signals.rawValue)
        try poll.add(timer.raw, token: Token.timer.rawValue)
        guardPipe = parts.guardPipe
        try poll.add(guardPipe, token: Token.guardProcess.rawValue)
    }

    /// Works until told to leave, or orphaned. Returns the exit status.
    func run() throws(SystemError) -> Int32 {
        greet()
        defer {
            work?.starter.close()
            thread.take()?.detach()
            endStageOut()
        }
        while exitStatus == nil { try turn() }
        if guardIsGone { executioner.killMarked() }
        channel.finish()
        table.leftInOrder = exitStatus == 0
        return exitStatus ?? 1
    }

    private func greet() {
        send(
            .hello(
                EngineHello(
                    version: version, protocolVersion: EngineProtocol.version, pid: getpid(), host: OwnHost.name,
                    cores: ProcessorSet.current().members.count, guardName: guardName)))
        flush()
    }

    private func turn() throws(SystemError) {
        ready.removeAll(keepingCapacity: true)
        let deadline = nextDeadline
        if deadline != .distantFuture { timer.ring(at: deadline.nanoseconds) }
        try poll.wait(milliseconds: -1, into: &ready)
        takeStartResults()
        for event in ready { dispatch(event) }
        if let deadline = work?.machine.nextDeadline, now() >= deadline { tell(.timePassed) }
        if watchDeadline != .distantFuture, now() >= watchDeadline { watchStreams() }
        // A write that fails asks for more, and nothing may ever come to wake another turn.
        repeat {
            perform()
            flush()
        } while !actions.isEmpty
        closeRetired()
        if meter.isDue { tellProcessorUse() }
        if work?.starter.startsInPlace == true { work?.launcher.preparePipes() }
    }

    /// Closes what ended tasks leave, behind everything that somebody waits for. A process that is just being started
    /// may still have copies (it closes them only after the start has returned here), and as long as it does, their
    /// ends would be told of again and again: so they are no longer watched first.
    private func closeRetired() {
        for descriptor in retired {
            if descriptor.isWatched { poll.remove(descriptor.raw) }
            close(descriptor.raw)
        }
        retired.removeAll(keepingCapacity: true)
    }

    private var nextDeadline: Instant {
        guard let work else { return .distantFuture }
        let deadline = min(work.machine.nextDeadline, unsentDeadline, watchDeadline)
        // Of a process that was started on another thread, and is quiet, nothing else tells.
        return work.startsPending > 0 ? min(deadline, now() + Self.startDelay) : deadline
    }

    func now() -> Instant { Instant(nanoseconds: SystemClock.bootNanoseconds()) }

    func tell(_ event: EngineEvent) {
        work?.machine.handle(event, at: now(), into: &actions)
    }

    /// How long the start of a task, and its end while other tasks wait here, may go untold: what happens within it
    /// is told in one message, which spares both sides most of their wake-ups when tasks are short.
    static let startDelay = Duration.milliseconds(20)
    static let endDelay = Duration.milliseconds(10)

    /// Sends a frame in this turn. An orphan says no more: a driver that heard of the tasks that it killed would give
    /// it others.
    func send(_ frame: EngineFrame) {
        guard !isOrphaned else { return }
        unsentDeadline = Instant(nanoseconds: 0)
        frame.encode(into: &channel.writer)
    }

    /// Sends a frame by the time that `delay` allows.
    func send(_ frame: EngineFrame, within delay: Duration) {
        guard !isOrphaned else { return }
        unsentDeadline = min(unsentDeadline, now() + delay)
        frame.encode(into: &channel.writer)
    }

    private func flush() {
        guard !isOrphaned, unsentDeadline != .distantFuture,
            unsentDeadline.nanoseconds == 0 || now() >= unsentDeadline
        else { return }
        unsentDeadline = .distantFuture
        untoldEnds = 0
        for start in untoldStarts { start.encode(into: &channel.writer) }
        untoldStarts.removeAll(keepingCapacity: true)
        guard !channel.writer.isEmpty else { return }
        guard channel.flush() else { return orphan() }
        guard channel.isWriteBlocked != isWatchingOutput else { return }
        isWatchingOutput = channel.isWriteBlocked
        watchOutput(isWatchingOutput)
    }

    /// Watches for room to write. A socket is one descriptor for both ways, a pair of pipes two.
    private func watchOutput(_ watch: Bool) {
        if channel.input == channel.output {
            try? poll.change(channel.input, token: Token.channel.rawValue, watch ? [.reading, .writing] : .reading)
        } else if watch {
            try? poll.add(channel.output, token: Token.channelOutput.rawValue, .writing)
        } else {
            poll.remove(channel.output)
        }
    }

    private func dispatch(_ event: ReadyEvent) {
        if let (kind, cylinder, generation) = CylinderTokens.parse(event.token) {
            return cylinderEvent(kind, cylinder, generation, event)
        }
        if event.token >> 56 == Self.leftoverKind { return readLeftover(Int32(event.token & 0xffff_ffff)) }
        switch Token(rawValue: event.token) {
        case .channel:
            if event.isReadable || event.isHungUp { receive() }
            if event.isWritable { unsentDeadline = Instant(nanoseconds: 0) }
        case .channelOutput: unsentDeadline = Instant(nanoseconds: 0)
        case nil: break
        case .signals: while let number = signals.next() { signalled(number) }
        case .guardProcess:
            guardIsGone = true
            poll.remove(guardPipe)
            orphan()
            // Now, not once all has ended: should the engine die too, nobody here would know of what is left. What is
            // known by its parents goes first.
            perform()
            executioner.killMarked()
        case .starter: work?.starter.attention.lower()
        case .stageOut: sendStaged()
        case .timer: timer.rang()
        }
    }

    private func receive() {
        guard case .frames = channel.receive() else { return orphan() }
        do {
            while exitStatus == nil, let frame = try channel.nextFrame() { handle(frame) }
        } catch {
            send(.log(.critical, "the driver sent \(error)"))
            orphan()
        }
    }

    /// The driver or the guard is gone: everything ends.
    private func orphan() {
        guard !isOrphaned else { return }
        isOrphaned = true
        poll.remove(channel.input)
        if channel.output != channel.input { poll.remove(channel.output) }
        // The machine may have left already, and only files were still on their way.
        guard work != nil, exitStatusToCome == nil else {
            exitStatus = 1
            return
        }
        work?.stageOut?.cancel()
        tell(.orphaned)
    }

    private func signalled(_ number: Int32) {
        if number == SIGCHLD {
            for cylinder in work?.cylinders.indices ?? 0..<0 { reap(cylinder) }
        } else {
            send(.signal(number))
        }
    }

    private func handle(_ frame: DriverFrame) {
        switch frame {
        case .configure(let configuration): configure(configuration)
        case .run(let assignment): tell(.assigned(assignment))
        case .recall(let count): tell(.recalled(count: count))
        case .lease(let sentAt, let lease):
            work == nil ? send(.leaseAcknowledged(sentAt: sentAt)) : tell(.leaseRenewed(sentAt: sentAt, lease: lease))
        case .endTasks(let atOnce):
            if atOnce { work?.stageOut?.cancel() }
            tell(.endTasksRequested(atOnce: atOnce))
        case .endTask(let id, let atOnce): endTask(id, atOnce: atOnce)
        case .follow(let id, let isWanted): follow(id, isWanted)
        case .outputTaken(let count): following.underWay -= count
        case .stagedEntries(let entries, let isLast): takeStaged(entries, isLast: isLast)
        case .stagedData(let bytes): receiveStaged(bytes)
        case .stagingFailed(let reason): refuse("--stage-in: \(reason)")
        case .stageOutCredit(let count): work?.stageOut?.grant(count)
        case .filesKept(let id, let areWhole): work?.stageOut?.driverKept(id, areWhole: areWhole)
        case .placesGiven(let id, let taken): work?.stageOut?.placesGiven(id, taken: taken)
        case .shutDown: work == nil ? (exitStatus = 0) : tell(.shutDownRequested)
        }
    }

    // MARK: Actions

    private func perform() {
        guard !actions.isEmpty else { return }
        var starts: [StartRequest] = []
        var doomed: [TaskProcesses] = []
        // Carrying actions out tells the machine nothing, so none is added on the way.
        for action in actions {
            switch action {
            case .start(let cylinder, let assignment): starts.append(prepareStart(cylinder, assignment))
            case .terminate(let cylinder): terminate(cylinder)
            case .kill(let cylinder): doomed.append(contentsOf: processes(of: cylinder))
            case .stopReading(let cylinder): leaveStreams(of: cylinder)
            case .finish(let cylinder, let assignment, let code, let ending):
                // Whoever is to be killed with the task is killed before its end is told of.
                executioner.kill(doomed)
                doomed.removeAll()
                report(cylinder, assignment, returnCode: code, ending)
            case .giveBack(let assignments): send(.returned(assignments))
            case .withdraw(let assignment): send(.withdrawn(assignment))
            case .acknowledgeLease(let sentAt):
                send(.leaseAcknowledged(sentAt: sentAt))
                meter.isDue = true
            case .exit(let status): leave(with: status)
            }
        }
        actions.removeAll(keepingCapacity: true)
        executioner.kill(doomed)
        guard let starter = work?.starter, !starts.isEmpty else { return }
        work?.startsPending += starts.count
        starter.start(starts, watchesStreams: tasksToWatchAtOnce > 0)
        if starter.startsInPlace {
            takeStartResults()
            // A start that failed ends a task, which may let the next one start.
            perform()
        }
    }

    private func prepareStart(_ cylinder: Int, _ assignment: Assignment) -> StartRequest {
        var capture: (out: CaptureFile, err: CaptureFile)?
        if assignment.kind == .task, let root = work?.setup.configuration.captureDirectory {
            let root = String(decoding: root, as: UTF8.self)
            let (task, attempt) = (assignment.spec.id, assignment.attempt)
            capture = (
                CaptureFile(root: root, task: task, attempt: attempt, stream: "out"),
                CaptureFile(root: root, task: task, attempt: attempt, stream: "err")
            )
        }
        work?.cylinders[cylinder].reset(capture: capture)
        work?.cylinders[cylinder].assignment = assignment.id
        if !following.wanted.isEmpty { prepareFollowing(assignment.id, in: cylinder) }
        let rank = cylinder == work?.setup.slots ? -1 : cylinder
        work?.cylinders[cylinder].marks = TaskProcesses.marks(assignment.spec.id, cylinder: rank)
        askShellIfSimple(assignment.spec.command)
        return StartRequest(
            cylinder: cylinder, generation: work?.cylinders[cylinder].generation ?? 0, assignment: assignment)
    }

    /// At the first simple line, finds out on a thread of its own what environment bash would give it. Until that is
    /// known, and for ever if it can't be, bash runs simple lines too.
    private func askShellIfSimple(_ command: [UInt8]) {
        guard let work, !work.hasAskedShell, work.launcher.isSimple(command) else { return }
        self.work?.hasAskedShell = true
        let (starter, environment) = (work.starter, work.setup.environment)
        let thread = try? WorkerThread(name: "shell probe") {
            if let direct = ShellProbe.run(environment) { starter.allowDirectStarts(in: direct) }
        }
        thread?.detach()
    }

    private func report(_ cylinder: Int, _ assignment: Assignment, returnCode: Int32, _ ending: Ending) {
        guard let state = work?.cylinders[cylinder], let slots = work?.setup.slots else { return }
        table[cylinder] = 0
        following.wanted.remove(assignment.id)
        let outcome = TaskOutcome(
            pid: state.child?.pid ?? -1, returnCode: returnCode, ending: ending, start: state.start,
            finish: state.finish, out: state.out.tally.summary, err: state.err.tally.summary,
            userMicroseconds: state.usage.userMicroseconds, systemMicroseconds: state.usage.systemMicroseconds,
            peakResidentKiB: state.usage.peakResidentKiB)
        // Its start need not be told of any more: the end tells all of it.
        let place = untoldStarts.firstIndex { if case .started(assignment.id, _, _, _) = $0 { true } else { false } }
        let start = place.map { untoldStarts.remove(at: $0) }
        let frame = EngineFrame.finished(assignment.id, cylinder: cylinder < slots ? cylinder : -1, outcome)
        let mostWritten = max(outcome.out.count, outcome.err.count)
        tasksToWatchAtOnce = mostWritten > Self.pipeRoom ? Self.watchedAfterFlood : max(0, tasksToWatchAtOnce - 1)
        if stagesOut(cylinder, assignment, outcome) {
            // Its end is not told of soon.
            if let start { send(start) }
            send(.filesFollow(assignment.id))
            work?.cylinders[cylinder].retireAll(to: &retired)
            return
        }
        untoldEnds += 1
        // Half of what it gave us ahead is gone: the driver is to know in time to give more.
        let isEarly = work.map { untoldEnds < $0.machine.waitingCount } ?? false
        if isEarly { send(frame, within: Self.endDelay) } else { send(frame) }
        work?.cylinders[cylinder].retireAll(to: &retired)
    }

    private func terminate(_ cylinder: Int) {
        guard let pid = work?.cylinders[cylinder].child?.pid else { return }
        work?.cylinders[cylinder].known = executioner.terminate(pid)
    }

    private func processes(of cylinder: Int) -> [TaskProcesses] {
        // Not by what the machine says of the cylinder: it may have decided on the next task already.
        guard let state = work?.cylinders[cylinder], let pid = state.child?.pid else { return [] }
        return [TaskProcesses(pid: pid, marks: state.marks, known: state.known)]
    }

    /// Leaves a task's open streams to be read and dropped.
    private func leaveStreams(of cylinder: Int) {
        for raw in [work?.cylinders[cylinder].out.descriptor, work?.cylinders[cylinder].err.descriptor] {
            guard let raw, raw >= 0 else { continue }
            try? poll.change(raw, token: Self.leftoverKind << 56 | UInt64(raw), .reading)
        }
        work?.cylinders[cylinder].out.descriptor = -1
        work?.cylinders[cylinder].err.descriptor = -1
    }

    private func readLeftover(_ raw: Int32) {
        switch buffer.withUnsafeMutableBytes({ read(raw, into: $0) }) {
        case .bytes, .wouldBlock: break
        case .ended, .failed:
            poll.remove(raw)
            close(raw)
        }
    }
}
