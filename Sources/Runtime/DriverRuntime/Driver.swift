import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options
import RunRecord

/// The driver of one run: one thread that gathers what happened, lets ``DriverMachine`` decide, and does what it says.
///
/// A turn: wait; tell the machine each event, and the time when all are told; perform all actions; flush once, so that
/// each engine gets one write and the status file's writer one batch of rows.
final class Driver {
    enum Token: UInt64 {
        case signals = 1
        case source, writer, timer, staging, dialer, listener, commands, helpers
    }

    let parts: DriverParts
    let poll: EventPoll
    private var timer: WakeTimer
    private var ready: [ReadyEvent] = []
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private(set) var machine: DriverMachine
    private var actions = ActionList()
    private let source: TaskSourceReader
    let commands: CommandThread<CommandPurpose>
    private let host: EngineHost?
    private(set) lazy var engines = EngineConnections(self, host: host)
    private(set) lazy var relays = RelayHub(self)
    /// Nil where the run is not to be reached.
    private(set) lazy var control = parts.port.map { ControlServer(self, $0) }
    /// Nil where nothing is asked for about tasks' files.
    private(set) lazy var staging = parts.staging.map { StagingDesk(self, $0) }
    private(set) var ending: RunEnding?

    init(_ parts: DriverParts) throws(SystemError) {
        self.parts = parts
        machine = DriverMachine(parts.policy, parts.configuration.options.scheduler)
        poll = try EventPoll()
        timer = try WakeTimer()
        source = TaskSourceReader(parts.feed, poll)
        commands = try CommandThread()
        let poll = poll
        host = try parts.own.map { own throws(SystemError) in
            try EngineHost(
                own.starter, poll, patience: parts.configuration.greetingPatience,
                dialerToken: Token.dialer.rawValue)
        }
        try watch(timer.raw, .timer)
        try watch(parts.signals.raw, .signals)
        try watch(parts.ledger.writer.wakeup.raw, .writer)
        try watch(commands.wakeup.raw, .commands)
        if let port = parts.port { try watch(port.listener.raw, .listener) }
        if let staging = parts.staging { try watch(staging.thread.wakeup.raw, .staging) }
        for raw in parts.helpers?.descriptors ?? [] { try watch(raw, .helpers) }
    }

    private func watch(_ descriptor: Int32, _ token: Token) throws(SystemError) {
        try poll.add(descriptor, token: token.rawValue)
    }

    var configuration: RunConfiguration { parts.configuration }
    var files: RunPaths { parts.files }
    var startTime: Timestamp { parts.startTime }
    var reporter: Reporter { parts.reporter }
    var ledger: RunLedger { parts.ledger }
    var logs: LogWriter { parts.logs }
    var alive: GuardFile { parts.alive }

    /// Whether the source ended before there was any task; whether a line of it could not be understood.
    var hadNothingToDo: Bool { !source.hadItems && machine.scheduler.sourceEnd == .complete && !source.isBroken }
    var sourceBroke: Bool { source.isBroken }

    // MARK: The loop

    /// Runs to the end. How that was is in ``ending``.
    func run() throws(SystemError) {
        if let (plan, _) = parts.own {
            tell(.contextAdded(NewContext(plan: plan, policy: configuration.options.context.policy)))
        }
        if let tasks = parts.policy.totalTasks { ledger.append(.totalKnown(tasks)) }
        tell(.runBegan)
        performAll()
        // Closed whatever comes.
        let result = Result { () throws(SystemError) in while ending == nil { try turn() } }
        commands.close()
        parts.own?.starter.close()
        reporter.console.finishProgress()
        try result.get()
    }

    /// One turn of the loop.
    func turn() throws(SystemError) {
        let deadline = nextDeadline
        try wait(until: deadline)
        for event in ready { dispatch(event) }
        if source.readsNow { readSource() }
        let now = RunClock.now
        // All that came is told before anything is judged late.
        if now >= deadline {
            host?.timePassed(at: now)
            tell(.timePassed)
            control?.keepTime(at: now)
            ledger.keepTime(at: now, runningTasks: machine.scheduler.assignedCount)
            tellHold()
        }
        performAll()
    }

    private func wait(until deadline: Instant) throws(SystemError) {
        ready.removeAll(keepingCapacity: true)
        guard !source.readsNow else { return }
        if deadline != .distantFuture { timer.arm(at: deadline.nanoseconds) }
        try poll.wait(milliseconds: -1, into: &ready)
    }

    private var nextDeadline: Instant {
        var deadline = min(machine.nextDeadline, host?.nextDeadline ?? .distantFuture)
        if let control { deadline = min(deadline, control.nextDeadline) }
        deadline = min(deadline, ledger.nextDeadline)
        if let progress = reporter.console.nextUpdate { deadline = min(deadline, progress) }
        return deadline
    }

    func tell(_ event: DriverEvent) { machine.handle(event, at: RunClock.now, into: &actions) }

    // MARK: Events

    func dispatch(_ event: ReadyEvent) {
        switch event.token & ~0xffff_ffff {
        case EngineHost.channelKind, EngineHost.childKind: host?.handle(event, &buffer)
        case ControlServer.peerKind: control?.handle(event, &buffer)
        default:
            switch Token(rawValue: event.token) {
            case .signals: while let number = parts.signals.next() { signalled(number) }
            case .source: readSource()
            case .writer: writerReported()
            case .timer: timer.fired()
            case .staging: staging?.takeResults()
            case .dialer: host?.takeDialled(&buffer)
            case .listener: control?.accept()
            case .commands: takeCommandOutcomes()
            case .helpers: takeHelperWords()
            case nil: break
            }
        }
    }

    /// Whether the machine was told that no task is to be started.
    private var isHolding = false

    private func tellHold() {
        guard ledger.isHolding != isHolding else { return }
        isHolding = ledger.isHolding
        tell(.tasks(.startingHeld(isHolding)))
    }

    private func signalled(_ number: Int32) {
        guard number == SIGCHLD else {
            if isHolding, machine.wasSignalled, SignalSource.endingNumbers.contains(number) { giveRowsUp() }
            return tell(.signalled(number))
        }
        host?.reapChildren()
        takeHelperWords()
    }

    /// Lets the run end without rows that can't be written.
    private func giveRowsUp() {
        ledger.giveUp()
        tell(.tasks(.stopRequested(.recordBroken)))
        tell(.tasks(.rowsWritten))
    }

    private func writerReported() {
        let report = ledger.writerReported(runningTasks: machine.scheduler.assignedCount)
        tellHold()
        switch report {
        case .nothing: break
        case .synced: tell(.tasks(.rowsWritten))
        case .failed(let isAwaited):
            tell(.tasks(.stopRequested(.recordBroken)))
            if isAwaited { tell(.tasks(.rowsWritten)) }
        }
    }

    private func takeCommandOutcomes() {
        for (purpose, outcome) in commands.takeOutcomes() {
            let answer = ManagerAnswer(status: outcome.end?.commandStatus, text: outcome.text)
            tell(.commandEnded(purpose, answer, wallClock: RunClock.wall))
        }
    }

    private func readSource() {
        guard let batch = source.read() else { return }
        ledger.append(rows: batch.rows)
        for range in batch.skipped {
            ledger.append(.skipped(first: range.first, last: range.last, failed: range.failed))
        }
        // No engine is started where there is nothing for it: an empty stream, a resume of what is all done.
        if batch.items.contains(where: \.needsEngine) { tell(.engineNeeded) }
        if !batch.items.isEmpty { tell(.tasks(.itemsRead(batch.items))) }
        guard let end = batch.end else { return }
        if let error = batch.error {
            reporter.show(.error, "\(error)\nWhat came before it is finished; what comes after it is not read.")
            reporter.log(.error, error)
        }
        tell(.tasks(.sourceEnded(end)))
        control?.dismissFollowersOfNothing()
    }

    // MARK: Actions

    /// Does all that is to be done, and sends and writes it at once.
    func performAll() {
        // Performing may tell the machine more (a failed launch), which appends.
        while !actions.isEmpty { perform(actions.removeFirst()) }
        ledger.flush()
        engines.flush()
        relays.flush()
        reporter.console.update(
            at: RunClock.now, totals: machine.scheduler.totals, total: machine.policy.totalTasks
        ) { machine.scheduler.runningCount }
    }

    private func perform(_ action: DriverAction) {
        switch action {
        case .tasks(let action): perform(action)
        case .launch(let engine): engines.launch(engine)
        case .configure(let engine, let guards): engines.configure(engine, lostGuards: guards)
        case .renewLease(let engine, let lease):
            alive.touch()
            engines.sendAwaking(.lease(sentAt: RunClock.now, lease: lease), to: engine)
        case .shutDown(let engine): engines.sendAwaking(.shutDown, to: engine)
        case .close(let engine, let closing): engines.close(engine, closing)
        case .forget(let engine): engines.forget(engine)
        case .recordContext(let context): recordContext(context)
        case .recordEngine(let engine, let slots): recordEngine(engine, slots: slots)
        case .recordEngineEnd(let engine, let reason):
            ledger.append(.engineEnded(engine, time: RunClock.wall, reason: reason))
        case .noteLease: alive.note(lease: configuration.options.lease)
        case .noteGuard(let name, let node): alive.note(name, node: node)
        case .forgetGuard(let name): alive.noteEnd(of: name)
        case .run(let words, let purpose):
            if !relays.run(words, purpose) { commands.submit(words, for: purpose) }
        case .tellDemand(let context, let demand): relays.order(.demand(demand), context)
        case .release(let context, let text, let isGood):
            relays.order(.released(text: text, isGood: isGood), context)
        case .forgetRelay(let context): relays.forget(context)
        case .log(let level, let text): reporter.log(level, text)
        case .show(let level, let text): reporter.show(level, text)
        }
    }

    private func perform(_ action: SchedulerAction) {
        switch action {
        case .readItems: if source.want() { readSource() }
        case .assign(let engine, let assignment):
            control?.followAnew(assignment, on: engine)
            engines.send(.run(assignment), to: engine)
        case .recall(let engine, let count): engines.send(.recall(count: count), to: engine)
        case .endTasks(let engine, let atOnce): engines.sendAwaking(.endTasks(atOnce: atOnce), to: engine)
        case .endTask(let engine, let id, let atOnce): engines.send(.endTask(id, atOnce: atOnce), to: engine)
        case .record, .recordPerEngine, .keepAttempt, .recordLost, .keepLostAttempt, .recordBarrier:
            let isFailure = ledger.record(action)
            if let control, isFailure || !control.followers.isEmpty { control.taskEnded(action) }
        case .awaitRows:
            ledger.requestSync()
            if ledger.isGivenUp { tell(.tasks(.rowsWritten)) }
        case .warn(let warning): ledger.warn(warning)
        case .finish(let ending): self.ending = ending
        case .renewLease, .shutDown, .abandon: preconditionFailure("the machine decides on engines' lives")
        }
    }

    private func recordContext(_ id: ContextID) {
        let plan = machine.contexts[id.rawValue].plan
        ledger.append(.contextAdded(id, label: plan.label, kind: plan.kind))
    }

    private func recordEngine(_ id: EngineID, slots: Int) {
        let engine = machine.engines[id.rawValue]
        ledger.append(
            .engineJoined(
                JoinedEngine(
                    engine: id, context: engine.context, node: engine.node, pid: engine.pid, slots: slots,
                    coresPerTask: engine.plan.coresPerTask, time: RunClock.wall)))
    }

    /// Writes what a context is to be into the logs.
    func logStart(of plan: ContextPlan, notes: [String] = []) {
        reporter.log(.info, "context \(plan.label) (\(plan.kind)): \(plan.reason)")
        let file = logs.add(files.contextLog(label: plan.label))
        let engines = plan.engines.map { "\($0.node): \($0.slots) slots of \($0.coresPerTask) cores" }
        for note in plan.notes + notes + engines {
            logs.write(RunLog.line(.info, note, at: RunClock.wall), to: file)
        }
    }

    // MARK: Helpers

    /// Passes on what helpers said.
    private func takeHelperWords() {
        guard let helpers = parts.helpers else { return }
        let broughtContext = helpers.bringContext
        helpers.news { poll.remove($0) }.forEach(helpers.report(to: reporter))
        guard broughtContext, !helpers.bringContext, !configuration.options.policy.waitsForContexts else { return }
        // Nobody brings engines any more.
        tell(.tasks(.contextsExpected(false)))
    }

    /// Lets helpers that were only just started come to the port: a short run may be over before.
    func waitForHelpers() {
        guard let helpers = parts.helpers, let control else { return }
        let limit = MonotonicTime.now + .seconds(3)
        var ready: [ReadyEvent] = []
        while helpers.watcherCount > control.watcherCount, MonotonicTime.now < limit {
            ready.removeAll(keepingCapacity: true)
            guard (try? poll.wait(milliseconds: limit.millisecondsFromNow, into: &ready)) != nil else { return }
            for event in ready { dispatch(event) }
        }
    }
}

extension TaskItem {
    /// Whether an engine is of use for it.
    fileprivate var needsEngine: Bool {
        switch self {
        case .task, .barrier: true
        case .perEngine, .skipped: false
        }
    }
}

extension ProcessEnd {
    /// As ``ManagerAnswer/status`` has it.
    fileprivate var commandStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let signal): 128 + signal
        }
    }
}
