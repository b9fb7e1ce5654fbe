import CSSH2
import Glibc

extension SSHSession {
    /// Logs in by the keys that the configuration names: an agent's, then those in files.
    func logIn() throws(SSHError) {
        let methods = try methodsLeft()
        if libssh2_userauth_authenticated(session) == 1 { return }
        var tried = KeysTried()
        if configuration.usesGSSAPI, methods.contains(where: { $0.hasPrefix("gssapi") }) {
            tried.skipped.append("GSSAPI")
        }
        if methods.contains("publickey") {
            let files = configuration.identityFiles.compactMap { path in KeyFile(path: path).map { (path, $0) } }
            do throws(SSHError) {
                if try logIn(files, &tried) { return }
            } catch {
                throw hasHostEnded && tried.offers >= 2 ? tooManyKeys(tried) : error
            }
        }
        throw refusal(tried, methods)
    }

    /// Logs in by keys. Those that OpenSSH could use are noted before any is offered: the host may end the connection
    /// at any key.
    private func logIn(_ files: [(String, KeyFile)], _ tried: inout KeysTried) throws(SSHError) -> Bool {
        // An agent that does not answer must leave time for the files.
        let agent = try configuration.agentPath.flatMap { path throws(SSHError) in
            try SSHAgent(path: path, attempt.half)
        }
        let identities = try chosen(agent?.identities() ?? [], files.map(\.1))
        tried.skipped += identities.filter { !KeyFile.supportedTypes.contains($0.type) }.map(\.name)
        let usable = usable(files, held: Set(identities.map(\.publicKey)), &tried)
        for identity in identities where KeyFile.supportedTypes.contains(identity.type) {
            if let agent, try logIn(agent, identity, &tried) { return true }
        }
        // What the agent did not sign with may still serve from its file.
        for (path, key) in usable where key.isEmpty || !tried.refused.contains(key) {
            if try logIn(path, key, &tried) { return true }
        }
        return false
    }

    // MARK: Errors

    private func refusal(_ tried: KeysTried, _ methods: [String]) -> SSHError {
        if !tried.skipped.isEmpty {
            let list = tried.skipped.joined(separator: ", ")
            return SSHError(.needsOpenSSH, "\(place): no key that libssh2 can use was accepted; left: \(list)")
        }
        let names = tried.names.isEmpty ? "there was no key to offer" : tried.names.joined(separator: ", ")
        return SSHError(
            .permanent,
            """
            \(place): permission denied (it accepts: \(methods.joined(separator: ", "))); tried: \(names)
            Try: ssh -o BatchMode=yes \(configuration.host) true
            """)
    }

    /// A host says goodbye after some keys that it does not accept (MaxAuthTries); another try would be like this one.
    private func tooManyKeys(_ tried: KeysTried) -> SSHError {
        let what = "\(place): it ended the connection after \(tried.names.joined(separator: ", "))"
        if !tried.skipped.isEmpty {
            return SSHError(.needsOpenSSH, "\(what); left: \(tried.skipped.joined(separator: ", "))")
        }
        return SSHError(
            .permanent,
            """
            \(what)
            Name the right key: IdentityFile, with IdentitiesOnly yes, in ~/.ssh/config
            """)
    }

    private func methodsLeft() throws(SSHError) -> [String] {
        var text = ""
        let user = configuration.user
        let code = try complete("logging in") {
            if let list = libssh2_userauth_list(session, user, UInt32(user.utf8.count)) {
                text = String(cString: list)
                return 0
            }
            return libssh2_userauth_authenticated(session) == 1 ? 0 : libssh2_session_last_errno(session)
        }
        guard code == 0 else { throw SSHError(.network, "\(place): can't log in: \(reason)") }
        return text.split(separator: ",").map(String.init)
    }

    /// An error of the connection is none of a key.
    private func checkGoesOn(_ code: Int32) throws(SSHError) {
        switch code {
        case LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV: break
        // That is how libssh2 reports it while it waits for the answer to a key.
        case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED where reason.hasPrefix("Waiting"): break
        default: return
        }
        hasHostEnded = true
        throw SSHError(.network, "\(place): it ended the connection while keys were offered")
    }

    /// Makes sure that a key with whose signature the host was not content is a wrong one: a host that wants more than
    /// a key asks for the rest then, and for no key.
    private func checkWantsNoMore(than key: String) throws(SSHError) {
        let left = try methodsLeft()
        guard !left.isEmpty, !left.contains("publickey") else { return }
        let what = "\(place): it accepted \(key), and wants more: \(left.joined(separator: ", "))"
        // What needs no answer of the user's.
        if left.contains(where: { $0.hasPrefix("gssapi") || $0 == "hostbased" }) {
            throw SSHError(.needsOpenSSH, what)
        }
        throw SSHError(
            .permanent,
            """
            \(what)
            disbatch can't answer for you: log in first, with ControlMaster and ControlPath in ~/.ssh/config, by which
            OpenSSH's client (--ssh-client openssh) needs no login of its own: ssh \(configuration.host)
            """)
    }

    // MARK: Files

    /// The files that libssh2 can use; what becomes of the others is noted.
    private func usable(_ files: [(String, KeyFile)], held: Set<[UInt8]>, _ tried: inout KeysTried) -> [(
        String, [UInt8]
    )] {
        var usable: [(String, [UInt8])] = []
        for (path, key) in files {
            if access(path + "-cert.pub", R_OK) == 0 { tried.skipped.append("the certificate of \(path)") }
            let isHeld = !key.publicKey.isEmpty && held.contains(key.publicKey)
            guard key.isPrivate else { continue }
            if key.isExposed || key.isEncrypted, isHeld { continue }
            if key.isExposed {
                tried.names.append("\(path) (not offered: others may read it; chmod 600 '\(path)')")
            } else if key.isEncrypted {
                // OpenSSH's client can't ask for it either where it is not to ask for anything.
                tried.names.append("\(path) (not offered: it has a passphrase)")
            } else if !key.type.isEmpty, !KeyFile.supportedTypes.contains(key.type) {
                tried.skipped.append("\(path) (\(key.type))")
            } else {
                usable.append((path, key.publicKey))
            }
        }
        return usable
    }

    private func logIn(_ path: String, _ key: [UInt8], _ tried: inout KeysTried) throws(SSHError) -> Bool {
        let user = configuration.user
        let code = try complete("logging in") {
            libssh2_userauth_publickey_fromfile_ex(session, user, UInt32(user.utf8.count), nil, path, nil)
        }
        if code == 0 { return true }
        try checkGoesOn(code)
        switch code {
        case LIBSSH2_ERROR_AUTHENTICATION_FAILED: tried.offered(path, key)
        case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
            try checkWantsNoMore(than: path)
            tried.offered(path, key)
        default: tried.skipped.append("\(path) (\(reason))")
        }
        return false
    }

    // MARK: Agent

    /// The agent's keys that are to be used: those that files name first.
    private func chosen(_ identities: [SSHAgent.Identity], _ files: [KeyFile]) -> [SSHAgent.Identity] {
        let named = Set(files.map(\.publicKey))
        let first = identities.filter { named.contains($0.publicKey) }
        return configuration.identitiesOnly ? first : first + identities.filter { !named.contains($0.publicKey) }
    }

    private func logIn(
        _ agent: SSHAgent, _ identity: SSHAgent.Identity, _ tried: inout KeysTried
    ) throws(SSHError) -> Bool {
        let request = SignRequest(agent, identity)
        var context: UnsafeMutableRawPointer? = Unmanaged.passUnretained(request).toOpaque()
        let code = try complete("logging in") {
            identity.publicKey.withUnsafeBufferPointer { key in
                libssh2_userauth_publickey(
                    session, configuration.user, key.baseAddress, key.count, SignRequest.callback, &context)
            }
        }
        withExtendedLifetime(request) {}
        if let error = request.error { throw error }
        if code == 0 { return true }
        try checkGoesOn(code)
        if request.wasAsked, !request.isRefused { try checkWantsNoMore(than: identity.name) }
        if request.isRefused {
            tried.names.append("\(identity.name) (the agent did not sign)")
        } else {
            tried.offered(identity.name, identity.publicKey)
        }
        return false
    }
}

/// A request of libssh2's that an agent sign something, while a host is offered one of its keys.
private final class SignRequest {
    private let agent: SSHAgent
    private let identity: SSHAgent.Identity
    /// The attempt was given up meanwhile.
    private(set) var error: SSHError?
    /// The host accepts the key.
    private(set) var wasAsked = false
    /// The host accepts the key, and the agent gave no signature.
    private(set) var isRefused = false

    init(_ agent: SSHAgent, _ identity: SSHAgent.Identity) {
        self.agent = agent
        self.identity = identity
    }

    private func sign(_ data: [UInt8]) -> [UInt8]? {
        wasAsked = true
        do throws(SSHError) {
            let signature = try agent.signature(of: data, by: identity)
            isRefused = signature == nil
            return signature
        } catch {
            self.error = error
            return nil
        }
    }

    typealias Bytes = UnsafeMutablePointer<UInt8>

    /// The signature belongs to libssh2 then, whose sessions here allocate as C does.
    static let callback:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<Bytes?>?, UnsafeMutablePointer<Int>?, UnsafePointer<UInt8>?, Int,
            UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        ) -> Int32 = { _, signature, size, data, count, context in
            guard let raw = context?.pointee, let signature, let size else { return -1 }
            let request = Unmanaged<SignRequest>.fromOpaque(raw).takeUnretainedValue()
            guard let bytes = request.sign(Array(UnsafeBufferPointer(start: data, count: count))), !bytes.isEmpty,
                let copy = malloc(bytes.count)
            else { return -1 }
            bytes.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
            signature.pointee = copy.assumingMemoryBound(to: UInt8.self)
            size.pointee = bytes.count
            return 0
        }
}

/// The outcomes of trying keys, for an error.
struct KeysTried {
    /// Refused by the host, or of no use to anyone; each with the reason where it was not offered.
    var names: [String] = []
    /// How many the host was offered and refused.
    private(set) var offers = 0
    /// The public keys of these, where they are known.
    private(set) var refused: Set<[UInt8]> = []
    /// Of use to OpenSSH's client only.
    var skipped: [String] = []

    /// Notes a key that the host refused.
    mutating func offered(_ name: String, _ key: [UInt8]) {
        names.append(name)
        offers += 1
        refused.insert(key)
    }
}
