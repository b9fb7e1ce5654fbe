package import DisbatchCore
import Glibc
import LinuxSystem
import SSHTransport

/// An engine of an ``EngineHost``: the way to it, from its launch to the proof of its end.
package final class HostedEngine: EngineTransport {
    /// How far the way to it has come.
    enum Stage: Equatable {
        /// Its host is being logged in to. Next: ``silent(until:)`` or ``closed``.
        case dialling
        /// There is a channel, and the engine's first line is to come by that time. Next: ``speaking`` or ``closed``.
        case silent(until: Instant)
        /// The engine speaks the protocol. Next: ``closed``.
        case speaking
        /// There is no channel, and there will be none. It is over when ``HostedEngine/carrierEnd`` is known too.
        case closed
    }

    let launched: LaunchedEngine
    private unowned let host: EngineHost
    private(set) var stage = Stage.dialling
    /// How what carries the channel has ended: the guard of an engine of this machine.
    private(set) var carrierEnd: ProcessEnd?
    /// When the carrier is killed, which was told to end.
    private(set) var killDue = Instant.distantFuture
    /// Whether a descriptor tells of the carrier's end.
    private(set) var isCarrierWatched = false
    private var isWatchingWrites = false

    /// The exit status of OpenSSH's client for trouble of its own.
    private static let noChannelStatus: Int32 = 255
    /// How much later an engine is due whose program had to be sent.
    private static let sendingTime = Duration.seconds(600)

    init(_ launched: LaunchedEngine, of host: EngineHost) {
        self.launched = launched
        self.host = host
    }

    package var id: EngineID { launched.id }
    package var plan: EnginePlan { launched.plan }

    /// The variable that the engine sets in the environment of all its processes; empty for engines of other machines.
    package var mark: [UInt8] { plan.carrier == .none ? launched.mark : [] }

    /// The number of the process that was launched; nil where there is none.
    package var pid: Int32? { launched.child?.pid }

    // MARK: The channel

    /// Whether something can be sent.
    package var isOpen: Bool { launched.descriptor >= 0 }

    /// Sends as much as is taken now, and has room watched for where there is more.
    package func flush(_ writer: inout FrameWriter) {
        launched.flush(&writer)
        let waits = launched.isWriteBlocked
        guard isOpen, waits != isWatchingWrites else { return }
        isWatchingWrites = waits
        try? host.poll.change(launched.descriptor, token: channelToken, waits ? [.reading, .writing] : .reading)
    }

    /// Begins to watch the channel.
    ///
    /// - Parameter due: when the engine is ended if it has not spoken.
    func channelOpened(speechDue due: Instant) throws(SystemError) {
        stage = .silent(until: due)
        try host.poll.add(launched.descriptor, token: channelToken)
    }

    /// Notes that the first line has come. True the first time.
    func spoke() -> Bool {
        guard case .silent = stage else { return false }
        stage = .speaking
        return true
    }

    /// When it is ended if it has not spoken. Of a host that is being logged in to, the dialer knows.
    var speechDue: Instant {
        guard case .silent(let due) = stage else { return .distantFuture }
        return launched.wasSent ? due + Self.sendingTime : due
    }

    private var channelToken: UInt64 { EngineHost.channelKind | UInt64(id.rawValue) }

    // MARK: The end

    /// Closes the channel for good, and ends the carrier as asked, if that has not been done before.
    package func close(_ closing: ChannelClosing) {
        // Before the end of its channel, by which it might end itself.
        if closing == .killingCarrier { killCarrier() }
        closeChannel()
        awaken()
        switch closing {
        case .keepingCarrier, .killingCarrier: break
        case .endingCarrier:
            guard plan.carrier != .none, let pid, carrierEnd == nil, killDue == .distantFuture else { break }
            kill(pid, SIGTERM)
            killDue = host.carrierIsDue()
        }
        endIfOver()
    }

    /// Lets guard and engine go on that somebody stopped here: they are to see what they are told.
    package func awaken() { if carrierEnd == nil { continueGroup() } }

    /// Of a guard of this machine: what it starts on its own behalf is in its group.
    private func continueGroup() { if plan.carrier == .none, let pid { kill(-pid, SIGCONT) } }

    private func closeChannel() {
        guard stage != .closed else { return }
        stage = .closed
        if isOpen { host.poll.remove(launched.descriptor) }
        // Its end tells how the command ended, and nobody else will: it is the last to be heard of.
        if launched.child == nil, let channel = launched.channel as? LibSSH2Channel {
            carrierEnd = .exited(status: channel.exitStatus ?? Self.noChannelStatus)
        }
        launched.closeChannel()
    }

    func killCarrier() {
        killDue = .distantFuture
        if let pid, carrierEnd == nil { kill(pid, SIGKILL) }
    }

    /// Notes that what was dialled is not, or no longer, to be had: there is no carrier.
    func dialEnded() {
        stage = .closed
        if launched.child == nil, carrierEnd == nil { carrierEnd = .exited(status: Self.noChannelStatus) }
        endIfOver()
    }

    /// Notes that a process carries the channel, and watches for its end.
    func carrierStarted() {
        guard let child = launched.child, child.pidfd >= 0 else { return }
        let token = EngineHost.childKind | UInt64(id.rawValue)
        isCarrierWatched = (try? host.poll.add(child.pidfd, token: token)) != nil
    }

    /// Asks whether the carrier has ended.
    func reap() {
        guard carrierEnd == nil, let child = launched.child, let (end, _) = child.reap() else { return }
        if isCarrierWatched { host.poll.remove(child.pidfd) }
        child.close()
        carrierEnded(end)
    }

    func carrierEnded(_ end: ProcessEnd) {
        // An engine that is stopped does not see that its guard was killed.
        continueGroup()
        carrierEnd = end
        killDue = .distantFuture
        endIfOver()
    }

    /// The guard's end alone proves nothing if it was killed, nor does the channel's: the other of the two kills what
    /// is left first. Both have ended when nothing is left.
    private func endIfOver() {
        if stage == .closed, carrierEnd != nil { host.isOver(self) }
    }

    /// How it ended, once it has.
    var end: EngineEnd {
        EngineEnd(
            status: carrierEnd?.engineStatus ?? Self.noChannelStatus, reason: launched.reasonForEnd,
            printedBefore: launched.printedBefore, isHopeless: launched.isHopeless || launched.complaint != nil)
    }
}
