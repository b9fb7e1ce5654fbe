import CSSH2
import Glibc
import LinuxSystem

/// Libssh2, made ready for use once.
enum LibSSH2 {
    static let isReady = libssh2_init(0) == 0
}

/// A session while it is made: for a thread that may wait. What is made here is handed to a ``LibSSH2Channel``.
final class SSHSession {
    let configuration: ResolvedSSHConfiguration
    let wire: SessionWire
    let session: OpaquePointer
    private(set) var proxy: ChildProcess?
    private let connection: HostConnection
    /// Whether a channel has taken over what is to be freed.
    private var isTaken = false
    var attempt: SSHAttempt
    /// Whether the host has ended the connection.
    var hasHostEnded = false

    init(_ configuration: ResolvedSSHConfiguration, _ connection: HostConnection, _ attempt: SSHAttempt)
        throws(SSHError)
    {
        self.configuration = configuration
        self.connection = connection
        self.attempt = attempt
        proxy = connection.proxy
        wire = SessionWire(owning: connection.descriptor)
        guard LibSSH2.isReady, let session = wire.makeSession() else {
            if let proxy { HostConnection.end(proxy) }
            throw SSHError(.network, "out of memory")
        }
        self.session = session
    }

    deinit {
        guard !isTaken else { return }
        Self.free(session, wire, proxy)
    }

    /// Frees a session and all of its channels, and ends what carries it.
    static func free(_ session: OpaquePointer, _ wire: SessionWire, _ proxy: ChildProcess?) {
        wire.mayReceive = false
        wire.flush()
        // Nothing is said to the host: at a goodbye it would drop what it has yet to give to the command.
        wire.cut()
        // Each call frees a part, and is told at once that the other end is gone.
        for _ in 0..<100 where libssh2_session_free(session) != LIBSSH2_ERROR_EAGAIN { break }
        wire.close()
        if let proxy { HostConnection.end(proxy) }
    }

    /// The user and host that are logged in to, for texts.
    var place: String {
        let user = configuration.user.isEmpty ? "" : "\(configuration.user)@"
        return "\(user)\(configuration.hostName) port \(configuration.port)"
    }

    /// Libssh2's text for its last error.
    var reason: String {
        var text: UnsafeMutablePointer<CChar>?
        libssh2_session_last_error(session, &text, nil, 0)
        return text.map { String(cString: $0) } ?? "unknown error"
    }

    /// Calls libssh2 until it has not to wait; the last result is that.
    func complete(_ what: String, _ call: () -> Int32) throws(SSHError) -> Int32 {
        while true {
            let code = call()
            wire.flush()
            guard code == LIBSSH2_ERROR_EAGAIN else { return code }
            if wire.hasEnded || wire.isDeaf {
                hasHostEnded = true
                throw SSHError(.network, "\(place): the connection ended at \(what)")
            }
            guard try attempt.wait(for: wire.descriptor, writing: wire.pending > 0) else {
                throw SSHError(.network, "\(place): no answer in time at \(what)")
            }
        }
    }

    // MARK: Handshake

    /// Agrees on keys with the host, and makes sure that it is the one that the user knows.
    func greet() throws(SSHError) {
        let known = KnownHosts(configuration, session: session)
        try setMethods(known)
        let code = try complete("the greeting") { libssh2_session_handshake(session, wire.descriptor) }
        switch code {
        case 0: break
        case LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_METHOD_NONE, LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
            throw SSHError(.needsOpenSSH, "\(place): libssh2 can't agree on algorithms with it: \(reason)")
        default: throw SSHError(.network, "\(place): \(reason)")
        }
        var size = 0
        var type: Int32 = 0
        guard let start = libssh2_session_hostkey(session, &size, &type) else {
            throw SSHError(.network, "\(place): it showed no host key")
        }
        let key = Array(UnsafeRawBufferPointer(start: start, count: size))
        switch known.verdict(key) {
        case .known: return
        case .unknown: throw unknownKey()
        case .changed(let file): throw changedKey(file, known.names[0])
        }
    }

    private func changedKey(_ file: String, _ name: String) -> SSHError {
        if configuration.toleratesChangedKeys {
            return SSHError(
                .needsOpenSSH, "\(place): its host key is not the one in \(file), which OpenSSH's client is to allow")
        }
        return SSHError(
            .permanent,
            """
            \(place): its host key is not the one in \(file): somebody else may answer in its place
            If the host was set up anew: ssh-keygen -f '\(file)' -R '\(name)'; ssh \(configuration.host)
            """)
    }

    private func unknownKey() -> SSHError {
        if configuration.unknownHosts == .accept {
            return SSHError(.needsOpenSSH, "\(place): its host key is new, and OpenSSH's client is to note it")
        }
        return SSHError(
            .permanent,
            """
            \(place): its host key is not known
            To check and accept it: ssh \(configuration.host)
            """)
    }

    /// Offers what both the user's configuration and libssh2 have; of host keys those that are known, so that none is
    /// taken for changed that is only of another type.
    private func setMethods(_ known: KnownHosts) throws(SSHError) {
        if let marker = known.marker { throw SSHError(.needsOpenSSH, "\(place): libssh2 can't heed \(marker)") }
        let types = known.knownTypes
        if types.isEmpty { throw unknownKey() }
        let allowed = configuration.hostKeyAlgorithms.split(separator: ",").map(String.init)
        let hostKeys = types.filter {
            KeyFile.supportedTypes.contains($0) && (allowed.isEmpty || allowed.contains($0))
        }
        guard !hostKeys.isEmpty else {
            throw SSHError(
                .needsOpenSSH, "\(place): its known host keys (\(types.joined(separator: ", "))) are not for libssh2")
        }
        for (method, list) in [
            (LIBSSH2_METHOD_HOSTKEY, hostKeys.joined(separator: ",")),
            (LIBSSH2_METHOD_KEX, configuration.keyExchanges), (LIBSSH2_METHOD_CRYPT_CS, configuration.ciphers),
            (LIBSSH2_METHOD_CRYPT_SC, configuration.ciphers), (LIBSSH2_METHOD_MAC_CS, configuration.macs),
            (LIBSSH2_METHOD_MAC_SC, configuration.macs),
        ] where !list.isEmpty {
            // libssh2 (1.10) takes names that it does not know out of a list by memcpy over itself: it is given none.
            let names = supportedMethods(method)
            let usable = list.split(separator: ",").filter { names.contains(String($0)) }.joined(separator: ",")
            guard !usable.isEmpty, libssh2_session_method_pref(session, method, usable) == 0 else {
                throw SSHError(.needsOpenSSH, "\(place): libssh2 has none of the algorithms \(list)")
            }
        }
    }

    /// The names of the methods of a kind that libssh2 has.
    private func supportedMethods(_ kind: Int32) -> Set<String> {
        var names: UnsafeMutablePointer<UnsafePointer<CChar>?>?
        let count = libssh2_session_supported_algs(session, kind, &names)
        guard count > 0, let names else { return [] }
        defer { libssh2_free(session, names) }
        return Set((0..<Int(count)).compactMap { names[$0].map { String(cString: $0) } })
    }

    // MARK: Channel

    /// Starts a command; what was made up to here belongs to the channel from now on.
    func execute(_ command: String, errors: Int32) throws(SSHError) -> LibSSH2Channel {
        var found: OpaquePointer?
        let opened = try complete("opening a channel") {
            found = libssh2_channel_open_ex(session, "session", 7, 2 << 20, 32768, nil, 0)
            return found == nil ? libssh2_session_last_errno(session) : 0
        }
        guard opened == 0, let channel = found else {
            throw SSHError(.network, "\(place): it opens no channel: \(reason)")
        }
        try sendVariables(channel)
        let code = try complete("starting the engine") {
            libssh2_channel_process_startup(channel, "exec", 4, command, UInt32(command.utf8.count))
        }
        guard code == 0 else { throw SSHError(.network, "\(place): it starts no command: \(reason)") }
        isTaken = true
        return LibSSH2Channel(session: session, channel: channel, wire: wire, proxy: proxy, errors: errors)
    }

    /// A host may refuse variables, and most do: that is no error.
    private func sendVariables(_ channel: OpaquePointer) throws(SSHError) {
        var environment: [String] = []
        var entry = Glibc.environ
        while let text = entry.pointee {
            environment.append(String(cString: text))
            entry += 1
        }
        for variable in configuration.variables(of: environment) {
            guard let end = variable.firstIndex(of: "=") else { continue }
            let (name, value) = (String(variable[..<end]), String(variable[end...].dropFirst()))
            _ = try complete("sending variables") {
                libssh2_channel_setenv_ex(
                    channel, name, UInt32(name.utf8.count), value, UInt32(value.utf8.count))
            }
        }
    }
}
