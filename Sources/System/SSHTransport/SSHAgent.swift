import Glibc
import LinuxSystem

/// A connection to an agent, which holds keys and signs with them (draft-miller-ssh-agent).
///
/// An agent that breaks the protocol, ends the connection or takes too long gives nothing more.
final class SSHAgent {
    /// A key that the agent holds.
    struct Identity: Equatable {
        let publicKey: [UInt8]
        let comment: String
    }

    /// The numbers of the messages.
    private enum Message {
        static let requestIdentities: UInt8 = 11
        static let identities: UInt8 = 12
        static let signRequest: UInt8 = 13
        static let signature: UInt8 = 14
    }

    /// No agent's answer is larger (OpenSSH's bound).
    private static let largestAnswer = 256 << 10

    private let socket: Descriptor
    /// How long all that is asked of it may take: a person may have to agree.
    private let attempt: SSHAttempt
    private var isBroken = false

    /// Connects; nil where nobody answers.
    init?(path: String, _ attempt: SSHAttempt) throws(SSHError) {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let raw = Glibc.socket(AF_UNIX, type, 0)
        guard raw >= 0 else { return nil }
        socket = Descriptor(owning: raw)
        self.attempt = attempt
        guard try Self.connect(raw, path, attempt) else { return nil }
    }

    private static func connect(_ raw: Int32, _ path: String, _ attempt: SSHAttempt) throws(SSHError) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let text = Array(path.utf8)
        guard text.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: text) }
        while true {
            let code = withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            if code == 0 { return true }
            // So many wait for the agent that the kernel queues no more, and it does not tell when that changes.
            guard errno == EAGAIN || errno == EINTR else { return false }
            guard try attempt.pause(milliseconds: 20) else { return false }
        }
    }

    /// The keys that it holds.
    func identities() throws(SSHError) -> [Identity] {
        guard let answer = try ask([Message.requestIdentities], for: Message.identities) else { return [] }
        var rest = answer[...]
        guard let count = SSHString.number(&rest) else { return [] }
        var found: [Identity] = []
        while found.count < count, let key = SSHString.take(&rest), let comment = SSHString.take(&rest) {
            found.append(Identity(publicKey: Array(key), comment: String(decoding: comment, as: UTF8.self)))
        }
        return found
    }

    /// A signature of `data`, as it stands behind the name of its method; nil where the agent gives none.
    func signature(of data: [UInt8], by identity: Identity) throws(SSHError) -> [UInt8]? {
        let flags: [UInt8] = [0, 0, 0, 0]
        let request =
            [Message.signRequest] + SSHString.encode(identity.publicKey) + SSHString.encode(data) + flags
        guard let answer = try ask(request, for: Message.signature) else { return nil }
        var rest = answer[...]
        guard let whole = SSHString.take(&rest) else { return nil }
        var parts = whole
        // No key that is used here has a method of another name than its type.
        guard let method = SSHString.take(&parts), String(decoding: method, as: UTF8.self) == identity.type,
            let signature = SSHString.take(&parts)
        else { return nil }
        return Array(signature)
    }

    /// The answer's content behind its number; nil where the number is not the one wanted.
    private func ask(_ request: [UInt8], for kind: UInt8) throws(SSHError) -> [UInt8]? {
        guard !isBroken else { return nil }
        // Until there is an answer to it, the next could not be told from this one.
        isBroken = true
        guard try send(SSHString.encode(request)), let head = try receive(4) else { return nil }
        var rest = head[...]
        guard let count = SSHString.number(&rest), count > 0, count <= Self.largestAnswer,
            let answer = try receive(count)
        else { return nil }
        isBroken = false
        return answer[0] == kind ? Array(answer.dropFirst()) : nil
    }

    private func send(_ bytes: [UInt8]) throws(SSHError) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket.raw, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                guard try attempt.wait(for: socket.raw, writing: true, reading: false) else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    private func receive(_ count: Int) throws(SSHError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let result = bytes.withUnsafeMutableBytes {
                socket.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[received...]))
            }
            switch result {
            case .bytes(let count): received += count
            case .wouldBlock: guard try attempt.wait(for: socket.raw, writing: false) else { return nil }
            case .ended, .failed: return nil
            }
        }
        return bytes
    }
}

extension SSHAgent.Identity {
    /// As in `ssh-ed25519`.
    var type: String { KeyFile.type(of: publicKey) ?? "" }

    /// The key's name in texts.
    var name: String { "the agent's \(type) \(comment)" }
}
