import DisbatchCore
import EngineHosting
import LinuxSystem

/// The driver's end of the way to one engine: frames, over a channel of its own or by a relay.
final class EngineLink {
    /// How far the engine has come.
    enum Stage: Equatable {
        /// What a login shell may print is skipped up to the magic line. Next: ``greeting``.
        case silent
        /// It is to say what it is. Next: ``configuring``.
        case greeting
        /// It was told what it is for. Next: ``working``.
        case configuring
        case working
    }

    /// What bytes go through.
    enum Way {
        /// It was launched by this process.
        case own(LaunchedEngine)
        case relayed(RelayedWay)
    }

    let id: EngineID
    let context: RunContext
    /// Its place in the context's plan.
    let planIndex: Int
    let way: Way
    let node: String
    let carrier: EngineCarrier
    /// When it is given up if it has not said what it is. While a way to it is looked for, whoever looks knows when to
    /// end.
    var answerDue = Instant.distantFuture
    /// When something last came from it.
    var heard = Instant(nanoseconds: SystemClock.bootNanoseconds())
    /// When it was told what it is for.
    var configured = Instant(nanoseconds: 0)
    var stage = Stage.silent
    /// Where the engine's log lines go.
    let log: Int
    var writer = FrameWriter()
    var pid: Int32 = -1
    /// See ``EngineHello``.
    var guardName = ""
    /// Processors that it may use.
    var cores = 0
    private var frames = FrameBuffer()
    var isWatchingWrites = false
    var hasUnsent = false
    /// Whether the launched process ended, and whether the channel did: both together prove that all is over.
    var childEnd: ProcessEnd?
    var channelEnded = false
    /// Whether it is to go because the run no longer needs it: its end is no failure then, however early.
    var isDismissed = false
    /// Whether somebody wants it to go, who may have signalled its tasks too.
    var wasSignalled = false
    var files = EngineFiles()
    var processors = ProcessorUse()
    /// Why it is no longer of use, where it said so.
    private var ownComplaint: String?

    init(id: EngineID, context: RunContext, planIndex: Int, way: Way, log: Int) {
        self.id = id
        self.context = context
        self.planIndex = planIndex
        self.way = way
        self.log = log
        let plan = context.plan.engines[planIndex]
        node = plan.node
        carrier = plan.carrier
    }

    var plan: EnginePlan { context.plan.engines[planIndex] }

    /// Nil where a relay launched it.
    var launched: LaunchedEngine? { if case .own(let launched) = way { launched } else { nil } }
    var relayed: RelayedWay? { if case .relayed(let relayed) = way { relayed } else { nil } }

    /// Why it is no longer of use.
    var complaint: String? {
        get { ownComplaint ?? launched?.complaint }
        set { ownComplaint = newValue }
    }

    // MARK: Both ways

    /// What to watch; -1 where there is nothing.
    var descriptor: Int32 { launched?.descriptor ?? -1 }

    /// Whether something can be sent.
    var isOpen: Bool {
        switch way {
        case .own(let launched): launched.descriptor >= 0
        case .relayed: !channelEnded
        }
    }

    func send(_ frame: DriverFrame) { frame.encode(into: &writer) }

    /// Sends as much as is taken now.
    func flush() {
        switch way {
        case .own(let launched): launched.flush(&writer)
        case .relayed(let relayed): if isOpen { relayed.flush(&writer, to: id) }
        }
    }

    /// Whether room to write is waited for.
    var isWriteBlocked: Bool { launched?.isWriteBlocked ?? false }

    /// Reads what is there. False at the end of the channel.
    func receive(_ buffer: inout [UInt8]) -> Bool {
        guard let launched else { return true }
        let isOpen = launched.receive(&buffer) { frames.append($0) }
        if launched.hasSpoken, stage == .silent { stage = .greeting }
        return isOpen
    }

    /// Takes what a relay brought.
    func take(_ bytes: [UInt8]) { bytes.withUnsafeBytes { frames.append($0) } }

    func nextFrame() throws(WireError) -> EngineFrame? {
        try frames.next { (kind, reader) throws(WireError) in try EngineFrame.decode(kind: kind, &reader) }
    }

    // MARK: What it is

    /// Whether the end of its process proves that nothing of the engine is left. Of an engine on another machine, it is
    /// the end of who carries its channel.
    func isProvedGone(by end: ProcessEnd) -> Bool {
        guard carrier != .none, stage == .working, !isDismissed else { return true }
        return carrier.proves(status: end.engineStatus)
    }

    /// Whether this machine does not have it: then what is to be known of it is only what is heard.
    var isRemote: Bool { carrier != .none || relayed != nil }

    /// Whether it has yet to say what it is.
    var isUnknown: Bool { stage == .silent || stage == .greeting }

    /// Whether it is no use to try again.
    var isHopeless: Bool {
        switch way {
        case .own(let launched): launched.isHopeless
        case .relayed(let relayed): relayed.end?.isHopeless ?? false
        }
    }

    /// What was printed before the engine spoke, for an error; empty where nothing was.
    var printedBefore: String {
        switch way {
        case .own(let launched): launched.printedBefore
        case .relayed(let relayed): relayed.end?.printedBefore ?? ""
        }
    }

    /// Why it ended, as far as is known.
    func reason(for end: ProcessEnd) -> String {
        if let reason = complaint ?? (launched.map(\.reasonForEnd) ?? relayed?.end?.reason) { return reason }
        let ended =
            switch end {
            case .exited(let status): "exit status \(status)"
            case .signalled(let number): "killed by \(SignalName.of(number))"
            }
        return printedBefore.isEmpty ? ended : "\(ended), after printing: \(printedBefore)"
    }
}
