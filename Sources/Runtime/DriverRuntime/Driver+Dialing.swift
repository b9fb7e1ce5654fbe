import DisbatchCore
import EngineHosting
import LinuxSystem
import SSHTransport

/// Channels to hosts from this process itself.
extension Driver {
    func takeDialled() {
        for outcome in contexts.first?.starter?.dialer?.takeResults() ?? [] {
            guard let link = links[outcome.token] else { continue }
            switch outcome.result {
            case .success(let channel): dialled(link, channel)
            case .failure(let error): notDialled(link, error)
            }
        }
    }

    private func dialled(_ link: EngineLink, _ channel: LibSSH2Channel) {
        // Given up meanwhile: what was begun there sees the end of its input.
        guard !link.channelEnded, !link.isDismissed else {
            channel.close()
            return dialEnded(link)
        }
        log.write(.info, "engine \(link.id.rawValue) on \(link.node): connected")
        link.launched?.connect(channel)
        awaitGreeting(of: link)
        do throws(SystemError) {
            try poll.add(channel.descriptor, token: Self.channelKind | UInt64(link.id.rawValue))
            markUnsent(link)
            // What came with the answer is told of by no descriptor.
            receive(from: link)
        } catch {
            link.complaint = "\(error)"
            channelEnded(link)
        }
    }

    private func notDialled(_ link: EngineLink, _ error: SSHError) {
        guard let launched = link.launched, let starter = link.context.starter else { return }
        if starter.mayUseOpenSSH(after: error), !link.channelEnded, !link.isDismissed {
            log.write(
                .info, "engine \(link.id.rawValue) on \(link.node): by OpenSSH's client, because libssh2: \(error)")
            do throws(SystemError) {
                try starter.launchByOpenSSH(launched)
                return try watch(link)
            } catch {
                launched.failure = "\(error)"
            }
        } else {
            launched.failure = "\(error)"
            launched.isHopeless = error.kind != .network
        }
        dialEnded(link)
    }

    /// There is no channel, and none will come.
    private func dialEnded(_ link: EngineLink) {
        link.childEnd = .exited(status: Self.noChannelStatus)
        link.channelEnded = true
        finishIfGone(link)
    }

    /// What OpenSSH's client ends with where it is itself in trouble.
    private static let noChannelStatus: Int32 = 255

    /// Closes an engine's channel for good.
    func closeChannel(of link: EngineLink) {
        // Its end tells how the command ended, and nobody else will: it is the last to be heard of.
        if let launched = link.launched, launched.child == nil, let channel = launched.channel as? LibSSH2Channel {
            poll.remove(channel.descriptor)
            link.childEnd = .exited(status: channel.exitStatus ?? Self.noChannelStatus)
        }
        if let relay = link.context.relay, !link.channelEnded {
            relay.order(.close(link.id))
            markUnsent(relay)
        }
        link.launched?.closeChannel()
        link.channelEnded = true
    }
}
