import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import RunRecord
import SSHTransport

/// The driver of one run: one thread that gathers what happened, lets the scheduler decide, and does what it says.
///
/// A turn: wait; tell the scheduler each event; perform all actions; flush once, so that each engine gets one write
/// and the status file's writer one batch of rows.
final class Driver {
    enum Token: UInt64 {
        case signals = 1
        case source, writer, timer, staging, dialer, listener, commands, helpers
    }

    static let channelKind: UInt64 = 1 << 56
    static let childKind: UInt64 = 2 << 56

    let configuration: RunConfiguration
    let files: RunPaths
    let feed: TaskFeed
    let writer: FileWriter
    let record: RunRecordWriter?
    let log: RunLog
    let poll: EventPoll
    private var timer: WakeTimer
    let signals: SignalSource
    let console: Console
    let aliveDescriptor: Int32
    var lostGuards: LostGuards
    var heldBack = HeldEngines()
    let usesProcessDescriptors = ChildProcess.kernelHasProcessDescriptors
    let startTime: Timestamp

    var scheduler: Scheduler
    var links: [EngineLink?] = []
    var rows: [UInt8] = []
    var entries: [RunRecordEntry] = []
    private var actions: [SchedulerAction] = []
    private var ready: [ReadyEvent] = []
    var unsent: [EngineLink] = []
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var sourceIsWanted = false
    private var sourceIsWatched = false
    /// Whether the source can be read at any time: a regular file, and whatever else epoll can't watch.
    private var sourceIsAlwaysReady: Bool
    var syncAwaited: Int?
    private(set) var ending: RunEnding?
    var sourceBroke = false
    /// Whether there has been anything to do.
    private var hadItems = false
    /// In the order in which they came; the first is the run's own, unless it waits for contexts.
    var contexts: [RunContext] = []
    /// Those that were opened.
    var contextIsOpen = false
    var launches = EngineLaunches()
    var unsentRelays: [RelaySession] = []
    let staging: Staging?
    /// Nil where the run is not to be reached.
    let link: RunLink?
    /// Programs that watch the run for others.
    let helpers: Helpers?
    /// Tasks' ends that may be a resource manager's doing, in the order in which they came.
    var unaskedEnds: [UnaskedEnd] = []
    /// Whether this process was told to end.
    var wasSignalled = false
    let commands: CommandThread<CommandPurpose>
    /// How many more engines may take the place of lost ones before any task ends again.
    var replacementsLeft = Driver.replacementLimit
    static let replacementLimit = 3
    var totalTasks: Int?
    var recordFailed = false
    /// When the first of the engines that have not said what they are will be given up.
    var greetingDeadline = Instant.distantFuture

    init(_ parts: DriverParts) throws(SystemError) {
        configuration = parts.configuration
        files = parts.files
        feed = parts.feed
        writer = parts.writer
        record = parts.record
        log = parts.log
        signals = parts.signals
        console = parts.console
        aliveDescriptor = parts.aliveDescriptor
        lostGuards = LostGuards(
            notingIn: parts.aliveDescriptor, path: parts.files.alive,
            others: parts.configuration.resumeFrom.compactMap { RunPaths(.status, at: $0)?.alive })
        startTime = parts.startTime
        totalTasks = parts.totalTasks
        staging = parts.staging
        link = parts.link
        helpers = parts.helpers
        sourceIsAlwaysReady = parts.feed.isRegular
        scheduler = Scheduler(configuration: parts.schedulerConfiguration)
        poll = try EventPoll()
        timer = try WakeTimer()
        try poll.add(timer.raw, token: Token.timer.rawValue)
        try poll.add(signals.raw, token: Token.signals.rawValue)
        try poll.add(writer.attention.raw, token: Token.writer.rawValue)
        if let (plan, starter) = parts.own {
            contexts = [
                RunContext(id: ContextID(0), plan: plan, terms: configuration.terms, launching: .own(starter))
            ]
            if let dialer = starter.dialer { try poll.add(dialer.attention.raw, token: Token.dialer.rawValue) }
        }
        if let link { try poll.add(link.listener.raw, token: Token.listener.rawValue) }
        for raw in helpers?.descriptors ?? [] { try poll.add(raw, token: Token.helpers.rawValue) }
        commands = try CommandThread()
        try poll.add(commands.attention.raw, token: Token.commands.rawValue)
        if let staging { try poll.add(staging.thread.attention.raw, token: Token.staging.rawValue) }
    }

    /// Runs to the end. How that was is in ``ending``.
    func run() throws(SystemError) {
        if let context = contexts.first { tell(.contextOpened(context.id, taskLimit: context.terms.taskLimit)) }
        if configuration.waitsForContexts || configuration.helperBringsContext { tell(.contextsExpected(true)) }
        if let totalTasks { entries.append(.totalKnown(totalTasks)) }
        perform()
        contexts.first.map(watchAllocation)
        // Closed whatever comes.
        let result = Result { () throws(SystemError) in while ending == nil { try turn() } }
        commands.close()
        contexts.first?.starter?.dialer?.close()
        console.finishProgress()
        try result.get()
    }

    func turn() throws(SystemError) {
        ready.removeAll(keepingCapacity: true)
        let readsNow = sourceIsWanted && sourceIsAlwaysReady
        let linkDeadline = nextLinkDeadline
        if !readsNow {
            let deadline = min(nextDeadline, linkDeadline)
            if deadline != .distantFuture { timer.ring(at: deadline.nanoseconds) }
            try poll.wait(milliseconds: -1, into: &ready)
        }
        for event in ready { dispatch(event) }
        if readsNow { readSource() }
        let time = now()
        if time >= scheduler.nextDeadline { tell(.timePassed) }
        if time >= greetingDeadline { endSilentEngines() }
        if time >= nextUnaskedEnd { tellUnclaimedEnds() }
        if time >= heldBack.due { serveHeldEngines() }
        for context in contexts where time >= context.deadline {
            if time >= context.times.deadline { keepTimes(of: context) }
            if time >= context.retired.nextRun { giveNodesBack(of: context) }
            askOfSteps(in: context)
            if time >= context.nextDemand { tellDemand(to: context) }
        }
        if !launches.pending.isEmpty { launchDue() }
        if time >= linkDeadline { serveLink() }
        perform()
    }

    /// When something is due, but for what the link has to do.
    private var nextDeadline: Instant {
        var deadline = min(scheduler.nextDeadline, greetingDeadline, nextLaunch, nextUnaskedEnd, heldBack.due)
        for context in contexts { deadline = min(deadline, context.deadline) }
        if let progress = console.nextUpdate { deadline = min(deadline, progress) }
        return deadline
    }

    /// Whether the source ended before there was any task.
    var hadNothingToDo: Bool {
        !hadItems && scheduler.sourceEnd == .complete && !sourceBroke
    }

    func now() -> Instant { Instant(nanoseconds: SystemClock.bootNanoseconds()) }

    func wallNow() -> Timestamp { Timestamp(microseconds: SystemClock.wallMicroseconds()) }

    /// The wall clock's time of an instant.
    func wall(_ instant: Instant) -> Timestamp {
        let ago = (SystemClock.bootNanoseconds() - instant.nanoseconds) / 1000
        return Timestamp(microseconds: SystemClock.wallMicroseconds() - ago)
    }

    func tell(_ event: SchedulerEvent) {
        scheduler.handle(event, at: now(), into: &actions)
    }

    // MARK: Events

    func dispatch(_ event: ReadyEvent) {
        let place = Int(event.token & 0xffff_ffff)
        switch event.token & ~0xffff_ffff {
        case Self.channelKind:
            guard let link = links[place] else { return }
            if event.isReadable || event.isHungUp { receive(from: link) }
            if event.isWritable { markUnsent(link) }
        case Self.peerKind: peerIsReady(place, event, &buffer)
        case Self.childKind: if let link = links[place] { childMayHaveEnded(link) }
        default:
            switch Token(rawValue: event.token) {
            case .signals: while let number = signals.next() { signalled(number) }
            case .source: readSource()
            case .writer: writerReported()
            case .timer: timer.rang()
            case .staging: takeStagingResults()
            case .dialer: takeDialled()
            case .listener: acceptPeers()
            case .commands: takeCommandOutcomes()
            case .helpers: takeHelperNews()
            case nil: break
            }
        }
    }

    func receive(from link: EngineLink) {
        do {
            link.heard = now()
            let isOpen = link.receive(&buffer)
            // A host may have asked for the engine's program; reading may have made room for what waits.
            if !link.writer.isEmpty || link.launched?.needsFlush == true { markUnsent(link) }
            try takeFrames(from: link)
            if !isOpen { channelEnded(link) }
        } catch {
            log.write(.error, "engine \(link.id.rawValue) sent \(error)")
            link.complaint = "it sent \(error)"
            channelEnded(link)
        }
    }

    func takeFrames(from link: EngineLink) throws(WireError) {
        while !link.channelEnded, let frame = try link.nextFrame() { take(frame, from: link) }
    }

    private func writerReported() {
        writer.attention.lower()
        if let failure = writer.takeFailure() {
            console.error("\(failure); the run ends, and the file stands at its last whole row")
            log.write(.critical, "\(failure)")
            tell(.stopRequested(.recordBroken))
            // Nothing more can be written: nobody is to wait for it.
            if syncAwaited != nil { rowsAreWritten() }
        } else if let awaited = syncAwaited, writer.syncCount >= awaited {
            rowsAreWritten()
        }
    }

    private func rowsAreWritten() {
        syncAwaited = nil
        tell(.rowsWritten)
    }

    private func signalled(_ number: Int32) {
        switch number {
        case SIGCHLD:
            for link in links { link.map(childMayHaveEnded) }
            takeHelperNews()
        case SIGUSR2 where contexts.first?.plan.kind == "sge" && contexts.first?.relay == nil:
            // By qsub -notify it comes shortly before SIGKILL.
            console.note("SIGUSR2: the job is about to end; ending what runs, for a later run")
            log.write(.warning, "ending the job's tasks after SIGUSR2")
            tell(.contextEnding(ContextID(0)))
        case SIGUSR1, SIGUSR2:
            console.note("\(SignalName.of(number)): no new task starts; the run ends when the running ones have")
            log.write(.warning, "draining after \(SignalName.of(number))")
            tell(.drainRequested(.run))
        default:
            console.note("\(SignalName.of(number)): ending the running tasks (again: at once)")
            log.write(.warning, "stopping after \(SignalName.of(number))")
            tell(.stopRequested(.interrupted(signal: number)))
            wasSignalled = true
            claimEnds(of: nil)
        }
    }

    // MARK: The source

    func readSource() {
        guard sourceIsWanted else { return }
        let batch = feed.next(2048)
        rows += batch.rows
        for range in batch.skipped {
            entries.append(.skipped(first: range.first, last: range.last, failed: range.failed))
        }
        guard !batch.items.isEmpty || batch.end != nil else { return watchSource(true) }
        sourceIsWanted = false
        watchSource(false)
        // No engine is started where there is nothing for it: an empty stream, a resume of what is all done.
        hadItems = hadItems || !batch.items.isEmpty
        if !contextIsOpen, batch.items.contains(where: \.needsEngine) { openOwnContext() }
        if !batch.items.isEmpty { tell(.itemsRead(batch.items)) }
        guard let end = batch.end else { return }
        if let error = batch.error {
            console.error("\(error)\nWhat came before it is finished; what comes after it is not read.")
            log.write(.error, error)
            sourceBroke = true
        }
        tell(.sourceEnded(end))
        if hasFollowers { dismissFollowersOfNothing() }
    }

    /// Watches a stream for more.
    private func watchSource(_ watch: Bool) {
        guard watch != sourceIsWatched, !sourceIsAlwaysReady else { return }
        if !watch {
            poll.remove(feed.descriptor)
            sourceIsWatched = false
        } else if (try? poll.add(feed.descriptor, token: Token.source.rawValue)) != nil {
            sourceIsWatched = true
        } else {
            sourceIsAlwaysReady = true
        }
    }

    // MARK: Actions

    private func perform() {
        var index = 0
        // Performing may tell the scheduler more (a failed launch), which appends.
        while index < actions.count {
            perform(actions[index])
            index += 1
        }
        actions.removeAll(keepingCapacity: true)
        flush()
    }

    private func flush() {
        if !rows.isEmpty {
            writer.append(rows)
            rows.removeAll(keepingCapacity: true)
        }
        if !entries.isEmpty {
            record?.submit(entries)
            entries.removeAll(keepingCapacity: true)
            reportRecordFailure()
        }
        for link in unsent {
            link.hasUnsent = false
            repeat { link.flush() } while listFiles(for: link)
            readPiece(for: link)
            if let relay = link.context.relay { markUnsent(relay) }
            guard link.descriptor >= 0, link.isWriteBlocked != link.isWatchingWrites else { continue }
            link.isWatchingWrites = link.isWriteBlocked
            try? poll.change(
                link.descriptor, token: Self.channelKind | UInt64(link.id.rawValue),
                link.isWriteBlocked ? [.reading, .writing] : .reading)
        }
        unsent.removeAll(keepingCapacity: true)
        if !unsentRelays.isEmpty { flushRelays() }
        console.update(at: now(), totals: scheduler.totals, total: totalTasks) { scheduler.runningCount }
    }

    private func reportRecordFailure() {
        guard !recordFailed, let failure = record?.takeFailure() else { return }
        recordFailed = true
        console.warn("\(failure); the run goes on without a run record")
        log.write(.warning, "run record: \(failure)")
    }

    func markUnsent(_ link: EngineLink) {
        guard !link.hasUnsent else { return }
        link.hasUnsent = true
        unsent.append(link)
    }

    func send(_ frame: DriverFrame, to engine: EngineID) {
        guard let link = links[engine.rawValue], link.isOpen else { return }
        link.send(frame)
        markUnsent(link)
    }

    private func perform(_ action: SchedulerAction) {
        switch action {
        case .readItems: sourceIsWanted = true; if !sourceIsAlwaysReady { readSource() }
        case .assign(let engine, let assignment):
            if hasFollowers { followAnew(assignment, on: engine) }
            send(.run(assignment), to: engine)
        case .recall(let engine, let count): send(.recall(count: count), to: engine)
        case .renewLease(let engine):
            AliveLock.touch(aliveDescriptor)
            send(.lease(sentAt: now(), lease: scheduler.lease(of: engine)), to: engine)
        case .endTasks(let engine, let atOnce): send(.endTasks(atOnce: atOnce), to: engine)
        case .endTask(let engine, let id, let atOnce): send(.endTask(id, atOnce: atOnce), to: engine)
        case .shutDown(let engine):
            links[engine.rawValue]?.isDismissed = true
            send(.shutDown, to: engine)
        case .abandon(let engine): abandon(engine)
        case .record, .recordPerEngine, .keepAttempt, .recordLost, .keepLostAttempt, .recordBarrier:
            keep(action)
            if hasFollowers { tellFollowers(action) }
        case .awaitRows:
            flushRows()
            syncAwaited = writer.requestSync()
        case .warn(let warning): warn(warning)
        case .finish(let ending): self.ending = ending
        }
    }

    private func flushRows() {
        guard !rows.isEmpty else { return }
        writer.append(rows)
        rows.removeAll(keepingCapacity: true)
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
