import DisbatchContexts
import DisbatchCore
import LinuxSystem
import SSHTransport

/// By what hosts are logged in to (`--ssh-client`).
package enum SSHClientChoice: Sendable {
    /// libssh2, and OpenSSH's client where libssh2 lacks something.
    case auto
    /// A child process for each host.
    case openSSH
    /// This process itself.
    case libssh2
}

/// Channels to hosts from this process itself.
extension Driver {
    func dial(_ host: String, for link: EngineLink, by dialer: SSHDialer) {
        guard let image = link.image else { return }
        log.write(.info, "engine \(link.id.rawValue) on \(link.node): dialled by libssh2")
        dialer.dial(token: link.id.rawValue, host: host, command: image.remoteCommand, errors: link.errors)
    }

    func takeDialled() {
        for outcome in dialer?.takeResults() ?? [] {
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
        link.connect(channel)
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
        if error.needsOpenSSH, launches.remote?.choice == .auto, !link.channelEnded, !link.isDismissed {
            log.write(
                .info, "engine \(link.id.rawValue) on \(link.node): by OpenSSH's client, because libssh2: \(error)")
            do throws(SystemError) {
                return try start(command(of: plan.engines[link.planIndex], link.id), for: link)
            } catch {
                link.failure = "\(error)"
            }
        } else {
            link.failure = "\(error)"
            link.isHopeless = error.kind != .network
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
        if link.child == nil, let channel = link.channel as? LibSSH2Channel {
            poll.remove(channel.descriptor)
            link.childEnd = .exited(status: channel.exitStatus ?? Self.noChannelStatus)
        }
        link.closeChannel()
        link.channelEnded = true
    }
}
