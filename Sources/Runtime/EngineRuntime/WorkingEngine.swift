import DisbatchCore
import Glibc
import LinuxSystem

/// The part of the engine that runs tasks: tells the machine what happens, and does what it decides.
final class WorkingEngine {
    let setup: EngineSetup
    let starter: TaskStarter
    let launcher: TaskLauncher
    /// Nil where no files go home.
    let stageOut: StageOut?
    let poll: EventPoll
    let channel: EngineChannel
    let killer: TaskKiller
    private let table: GroupTable
    private var starterThread: WorkerThread?
    var stageOutThread: WorkerThread?

    private(set) var machine: EngineMachine
    private var actions: [EngineAction] = []
    var cylinders: [CylinderState]
    /// Processes asked for and not heard of: until they are, the loop looks every few milliseconds.
    var startsPending = 0
    private var hasAskedShell = false
    /// Starts and ends that the driver has not been told of.
    var untoldStarts: [EngineFrame] = []
    private var untoldEnds = 0
    /// The time from which streams are watched that are not yet.
    var watchDeadline = Instant.distantFuture
    /// Number of coming tasks whose streams are watched from the start, because tasks wrote much of late.
    private var tasksToWatchAtOnce = 0
    var following = OutputFollowing()
    var meter = ProcessorMeter()
    /// Descriptors to close at the end of the turn.
    var retired: [RetiredDescriptor] = []
    /// The status to end with, once it is time to.
    private(set) var exitStatus: Int32?
    /// The status to end with once all files are sent.
    private(set) var exitStatusToCome: Int32?
    var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(
        _ setup: EngineSetup, _ parts: EngineParts, killer: TaskKiller, poll: EventPoll, channel: EngineChannel,
        greeted: Instant
    ) throws(SystemError) {
        self.setup = setup
        self.poll = poll
        self.channel = channel
        self.killer = killer
        table = parts.table
        let configuration = setup.configuration
        let captures = CapturePlace(configuration)
        launcher = try TaskLauncher(
            setup, captures, table: parts.table, usesProcessDescriptors: parts.usesProcessDescriptors)
        starter = try TaskStarter(launcher: launcher, poll: poll, setup: setup)
        stageOut = try Self.makeStageOut(configuration, captures)
        machine = EngineMachine(slots: setup.slots, settings: configuration.tasks, greeted: greeted)
        cylinders = Array(repeating: CylinderState(), count: setup.slots + 1)
        try poll.add(starter.wakeup.raw, token: EngineLoop.Token.starter.rawValue)
        if let stageOut { try poll.add(stageOut.wakeup.raw, token: EngineLoop.Token.stageOut.rawValue) }
    }

    /// Starts the threads that ``close(inOrder:)`` ends.
    func startThreads() throws(WorkerThread.StartError) {
        do throws(WorkerThread.StartError) {
            starterThread = try starter.run()
            stageOutThread = try stageOut?.run()
        } catch {
            close(inOrder: false)
            throw error
        }
    }

    /// Lets the threads end: that of files waits for what it was told to remove, if the engine leaves in order.
    func close(inOrder: Bool) {
        starter.close()
        starterThread.take()?.detach()
        endStageOut(inOrder: inOrder)
    }

    // MARK: Turns of the loop

    var nextDeadline: Instant {
        let deadline = min(machine.nextDeadline, watchDeadline)
        // Of a process that was started on another thread, and is quiet, nothing else tells.
        return startsPending > 0 ? min(deadline, Instant.now() + Self.startDelay) : deadline
    }

    var hasActions: Bool { !actions.isEmpty }

    /// Acts on the deadlines that passed.
    func passDeadlines() {
        if Instant.now() >= machine.nextDeadline { tell(.timePassed) }
        if watchDeadline != .distantFuture, Instant.now() >= watchDeadline { watchStreams() }
    }

    /// Does what nobody waits for.
    func endTurn() {
        closeRetired()
        if meter.isDue { tellProcessorUse() }
        if starter.startsInPlace { launcher.preparePipes() }
    }

    /// Closes what ended tasks leave, behind everything that somebody waits for. A process that is just being started
    /// may still have copies (it closes them only after the start has returned here), and as long as it does, their
    /// ends would be told of again and again: so they are no longer watched first.
    private func closeRetired() {
        for descriptor in retired {
            if descriptor.isWatched { poll.remove(descriptor.raw) }
            Glibc.close(descriptor.raw)
        }
        retired.removeAll(keepingCapacity: true)
    }

    // MARK: Events

    func tell(_ event: EngineEvent) {
        machine.handle(event, at: Instant.now(), into: &actions)
    }

    /// Handles a frame of the driver's.
    func handle(_ frame: DriverFrame) {
        switch frame {
        case .run(let assignment): tell(.assigned(assignment))
        case .recall(let count): tell(.recalled(count: count))
        case .lease(let sentAt, let lease): tell(.leaseRenewed(sentAt: sentAt, lease: lease))
        case .endTasks(let atOnce):
            if atOnce { stageOut?.cancel() }
            tell(.endTasksRequested(atOnce: atOnce))
        case .endTask(let id, let atOnce): endTask(id, atOnce: atOnce)
        case .follow(let id, let isWanted): follow(id, isWanted)
        case .outputTaken(let count): following.underWay -= count
        case .stageOutCredit(let count): stageOut?.grant(count)
        case .filesKept(let id, let areWhole): stageOut?.driverKept(id, areWhole: areWhole)
        case .placesGiven(let id, let taken): stageOut?.placesGiven(id, taken: taken)
        case .shutDown: tell(.shutDownRequested)
        // All files of --stage-in are in their places.
        case .configure, .stagedEntries, .stagedData, .stagingFailed: break
        }
    }

    /// Ends everything, because the driver or the guard is gone.
    func orphaned() {
        // The machine may have left already, and only files were still on their way.
        guard exitStatusToCome == nil else {
            exitStatus = 1
            return
        }
        stageOut?.cancel()
        tell(.orphaned)
    }

    // MARK: Actions

    /// Does what the machine decided.
    func perform() {
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
                killer.kill(doomed)
                doomed.removeAll()
                report(cylinder, assignment, returnCode: code, ending)
            case .giveBack(let assignments): channel.send(.returned(assignments))
            case .withdraw(let assignment): channel.send(.withdrawn(assignment))
            case .acknowledgeLease(let sentAt):
                channel.send(.leaseAcknowledged(sentAt: sentAt))
                killer.continueGuard()
                meter.isDue = true
            case .exit(let status): leave(with: status)
            }
        }
        actions.removeAll(keepingCapacity: true)
        killer.kill(doomed)
        guard !starts.isEmpty else { return }
        startsPending += starts.count
        starter.start(starts, watchesStreams: tasksToWatchAtOnce > 0)
        if starter.startsInPlace {
            takeStartResults()
            // A start that failed ends a task, which may let the next one start.
            perform()
        }
    }

    private func prepareStart(_ cylinder: Int, _ assignment: Assignment) -> StartRequest {
        var capture: (out: CaptureFile, err: CaptureFile)?
        if assignment.kind == .task {
            capture = launcher.captures?.files(of: assignment.spec.id, attempt: assignment.attempt)
            if launcher.captures?.isAway == true { channel.send(.captureBegan(assignment.id), within: Self.startDelay) }
        }
        cylinders[cylinder].reset(capture: capture)
        cylinders[cylinder].assignment = assignment.id
        if !following.wanted.isEmpty { prepareFollowing(assignment.id, in: cylinder) }
        cylinders[cylinder].marks = TaskProcesses.marks(assignment.spec.id, cylinder: rank(of: cylinder))
        askShellIfSimple(assignment.spec.command)
        return StartRequest(
            cylinder: cylinder, generation: cylinders[cylinder].generation, assignment: assignment)
    }

    /// The cylinder's number as the driver and the task see it: -1 for that of per-engine commands.
    func rank(of cylinder: Int) -> Int { cylinder < setup.slots ? cylinder : -1 }

    /// Finds out at the first simple line, on a thread of its own, what environment bash would give it. Until that is
    /// known, and for ever if it can't be, bash runs simple lines too.
    private func askShellIfSimple(_ command: [UInt8]) {
        guard !hasAskedShell, launcher.isSimple(command) else { return }
        hasAskedShell = true
        let (starter, environment) = (starter, setup.environment)
        let thread = try? WorkerThread(name: "shell probe") {
            if let direct = ShellProbe.run(environment) { starter.allowDirectStarts(in: direct) }
        }
        thread?.detach()
    }

    // MARK: The end of a task

    /// The time for which the start of a task, and its end while other tasks wait here, may go untold: all that happens
    /// within it is told in one message, which spares both sides most of their wake-ups when tasks are short.
    static let startDelay = Duration.milliseconds(20)
    static let endDelay = Duration.milliseconds(10)

    /// Adds the starts that are untold to what is sent next.
    func writeStarts() {
        untoldEnds = 0
        for start in untoldStarts { channel.write(start) }
        untoldStarts.removeAll(keepingCapacity: true)
    }

    private func report(_ cylinder: Int, _ assignment: Assignment, returnCode: Int32, _ ending: Ending) {
        let state = cylinders[cylinder]
        table[cylinder] = 0
        following.wanted.remove(assignment.id)
        let outcome = TaskOutcome(
            pid: state.child?.pid ?? -1, returnCode: returnCode, ending: ending, start: state.start,
            finish: state.finish, out: state.out.tally.summary, err: state.err.tally.summary,
            userMicroseconds: state.usage.userMicroseconds, systemMicroseconds: state.usage.systemMicroseconds,
            peakResidentKiB: state.usage.peakResidentKiB)
        // Its start need not be told of any more: the end tells all of it.
        let index = untoldStarts.firstIndex { if case .started(assignment.id, _, _, _) = $0 { true } else { false } }
        let start = index.map { untoldStarts.remove(at: $0) }
        let mostWritten = max(outcome.out.count, outcome.err.count)
        tasksToWatchAtOnce = mostWritten > Self.pipeRoom ? Self.watchedAfterFlood : max(0, tasksToWatchAtOnce - 1)
        defer { cylinders[cylinder].retireAll(to: &retired) }
        if stagesOut(cylinder, assignment, outcome) {
            // Its end is not told of soon.
            if let start { channel.send(start) }
            return channel.send(.filesFollow(assignment.id))
        }
        let frame = EngineFrame.finished(assignment.id, cylinder: rank(of: cylinder), outcome)
        untoldEnds += 1
        // Half of what was given ahead is gone: the driver is to know in time to give more.
        let isEarly = untoldEnds < machine.waitingCount
        if isEarly { channel.send(frame, within: Self.endDelay) } else { channel.send(frame) }
    }

    /// Leaves, but with files on their way home only when they are sent.
    func leave(with status: Int32) {
        if status == 0, let stageOut, !stageOut.isIdle {
            exitStatusToCome = status
        } else {
            exitStatus = status
        }
    }
}
