import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// The engine proper: one thread that waits for whatever happens, and lets each part act on its share of it.
final class EngineLoop {
    /// The stages of an engine's life.
    enum Phase {
        /// The driver's configuration is yet to come. Next: ``awaitingFiles(_:_:)``, ``working(_:)``.
        case greeting
        /// The files of `--stage-in` come, which are to be there before the first task. Next: ``working(_:)``, or
        /// ``greeting`` where they could not be put in their places.
        case awaitingFiles(EngineConfiguration, StageInReceiver)
        /// Tasks run, until the end.
        case working(WorkingEngine)
    }

    enum Token: UInt64 {
        case channel = 1
        case channelOutput, signals, guardProcess, starter, timer, stageOut
    }

    let poll: EventPoll
    private var timer: WakeTimer
    let channel: EngineChannel
    let parts: EngineParts
    let killer: TaskKiller

    var phase = Phase.greeting
    private(set) var greeted = Instant(nanoseconds: 0)
    /// Nil without `--stage-in`, and on the driver's own machine.
    var stagedUse: StagedUse?
    private var ready: [ReadyEvent] = []
    private var isWatchingOutput = false
    private var guardIsGone = false
    /// The status to end with, where no ``WorkingEngine`` has one.
    private var ownExitStatus: Int32?

    init(_ parts: EngineParts, channel: consuming EngineChannel) throws(SystemError) {
        poll = try EventPoll()
        timer = try WakeTimer()
        self.channel = channel
        self.parts = parts
        killer = TaskKiller(guardPid: parts.guardPid, guardMark: TaskVariables.guardMark(parts.guardName))
        try poll.add(channel.input, token: Token.channel.rawValue)
        try poll.add(parts.signals.raw, token: Token.signals.rawValue)
        try poll.add(timer.raw, token: Token.timer.rawValue)
        try poll.add(parts.guardPipe, token: Token.guardProcess.rawValue)
    }

    /// Nil before all is there that the first task needs.
    private var working: WorkingEngine? { if case .working(let engine) = phase { engine } else { nil } }

    private var exitStatus: Int32? { ownExitStatus ?? working?.exitStatus }

    /// Works until told to leave, or orphaned. Returns the exit status.
    func run() throws(SystemError) -> Int32 {
        greet()
        defer {
            working?.close(inOrder: exitStatus == 0)
            stagedUse?.end()
        }
        while true {
            try turn()
            guard let status = exitStatus else { continue }
            if guardIsGone { killer.killLeavings() }
            channel.finish()
            killer.continueGuard()
            parts.table.leftInOrder = status == 0
            return status
        }
    }

    private func greet() {
        greeted = Instant.now()
        channel.send(
            .hello(
                EngineHello(
                    version: parts.version, protocolVersion: EngineProtocol.version, pid: getpid(), host: OwnHost.name,
                    cores: CPUSet.current().members.count, guardName: parts.guardName)))
        flush()
    }

    private func turn() throws(SystemError) {
        ready.removeAll(keepingCapacity: true)
        let deadline = nextDeadline
        if deadline != .distantFuture { timer.arm(at: deadline.nanoseconds) }
        try poll.wait(milliseconds: -1, into: &ready)
        working?.takeStartResults()
        for event in ready { dispatch(event) }
        guard let engine = working else { return flush() }
        engine.passDeadlines()
        // A write that fails asks for more, and nothing may ever come to wake another turn.
        repeat {
            engine.perform()
            flush()
        } while engine.hasActions
        engine.endTurn()
    }

    private var nextDeadline: Instant {
        working.map { min($0.nextDeadline, channel.sendDeadline) } ?? .distantFuture
    }

    private func flush() {
        guard channel.isDue else { return }
        working?.writeStarts()
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

    // MARK: Events

    private func dispatch(_ event: ReadyEvent) {
        if let (kind, cylinder, generation) = CylinderTokens.parse(event.token) {
            working?.cylinderEvent(kind, cylinder, generation, event)
            return
        }
        if event.token >> 56 == WorkingEngine.leftoverKind {
            working?.readLeftover(Int32(event.token & 0xffff_ffff))
            return
        }
        switch Token(rawValue: event.token) {
        case .channel:
            if event.isReadable || event.isHungUp { receive() }
            if event.isWritable { channel.sendNow() }
        case .channelOutput: channel.sendNow()
        case nil: break
        case .signals: while let number = parts.signals.next() { signalled(number) }
        case .guardProcess: guardEnded()
        case .starter: working?.starter.wakeup.clear()
        case .stageOut: working?.sendStaged()
        case .timer: timer.fired()
        }
    }

    private func receive() {
        guard case .frames = channel.receive() else { return orphan() }
        do {
            while exitStatus == nil, let frame = try channel.nextFrame() {
                if case .working(let engine) = phase { engine.handle(frame) } else { prepare(frame) }
            }
        } catch {
            channel.send(.log(.critical, "the driver sent \(error)"))
            orphan()
        }
    }

    private func signalled(_ number: Int32) {
        if number == SIGCHLD {
            working?.reapAll()
        } else {
            channel.send(.signal(number))
        }
    }

    private func guardEnded() {
        guardIsGone = true
        poll.remove(parts.guardPipe)
        orphan()
        // Now, not once all has ended: should the engine die too, nobody here would know of what is left. What is known
        // by its parents goes first.
        working?.perform()
        killer.killLeavings()
    }

    /// Ends everything, because the driver or the guard is gone.
    private func orphan() {
        guard !channel.isMute else { return }
        channel.mute()
        poll.remove(channel.input)
        if channel.output != channel.input { poll.remove(channel.output) }
        guard let engine = working else { return leave(with: 1) }
        engine.orphaned()
    }

    /// Ends an engine that has no tasks yet.
    func leave(with status: Int32) { ownExitStatus = status }
}
