import CSSH2
import Glibc

extension SSHSession {
    /// Logs in by the keys that the configuration names: an agent's, then those in files.
    func logIn() throws(SSHError) {
        var tried = KeysTried()
        let methods = try methodsLeft()
        if libssh2_userauth_authenticated(session) == 1 { return }
        let files = configuration.identityFiles.compactMap { path in KeyFile(path: path).map { (path, $0) } }
        if methods.contains("publickey") {
            do throws(SSHError) {
                if try logInByAgent(files.map(\.1), &tried) { return }
                if try logInByFiles(files, &tried) { return }
            } catch {
                throw error.kind == .network && tried.offered.count >= 2 ? tooManyKeys(tried) : error
            }
        }
        if configuration.usesGSSAPI, methods.contains(where: { $0.hasPrefix("gssapi") }) {
            tried.skipped.append("GSSAPI")
        }
        throw refusal(tried, methods)
    }

    private func refusal(_ tried: KeysTried, _ methods: [String]) -> SSHError {
        if !tried.skipped.isEmpty {
            let list = tried.skipped.joined(separator: ", ")
            return SSHError(.needsOpenSSH, "\(place): no key that libssh2 can use was accepted; left: \(list)")
        }
        let names = tried.offered.isEmpty ? "there was no key to offer" : tried.offered.joined(separator: ", ")
        return SSHError(
            .permanent,
            """
            \(place): permission denied (it accepts: \(methods.joined(separator: ", "))); tried: \(names)
            Try: ssh -o BatchMode=yes \(configuration.host) true
            """)
    }

    /// A host says goodbye after some keys that it does not accept (MaxAuthTries); another try would be like this one.
    private func tooManyKeys(_ tried: KeysTried) -> SSHError {
        SSHError(
            .permanent,
            """
            \(place): it ended the connection after \(tried.offered.joined(separator: ", "))
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

    // MARK: Files

    private func logInByFiles(_ files: [(String, KeyFile)], _ tried: inout KeysTried) throws(SSHError) -> Bool {
        for (path, key) in files {
            if access(path + "-cert.pub", R_OK) == 0 { tried.skipped.append("the certificate of \(path)") }
            guard key.isPrivate else { continue }
            guard key.type.isEmpty || KeyFile.supportedTypes.contains(key.type) else {
                tried.skipped.append("\(path) (\(key.type))")
                continue
            }
            guard !key.isEncrypted else {
                tried.offered.append("\(path) (not offered: it has a passphrase)")
                continue
            }
            let user = configuration.user
            let code = try complete("logging in") {
                libssh2_userauth_publickey_fromfile_ex(session, user, UInt32(user.utf8.count), nil, path, nil)
            }
            if code == 0 { return true }
            try checkGoesOn(code)
            switch code {
            case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED: tried.offered.append(path)
            default: tried.skipped.append("\(path) (\(reason))")
            }
        }
        return false
    }

    /// An error of the connection is none of a key.
    private func checkGoesOn(_ code: Int32) throws(SSHError) {
        switch code {
        case LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_SOCKET_RECV:
            throw SSHError(.network, "\(place): it ended the connection while keys were offered")
        // That is how libssh2 reports it while it waits for the answer to a key.
        case LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED where reason.hasPrefix("Waiting"):
            throw SSHError(.network, "\(place): it ended the connection while keys were offered")
        default: break
        }
    }

    // MARK: Agent

    private func logInByAgent(_ files: [KeyFile], _ tried: inout KeysTried) throws(SSHError) -> Bool {
        guard let path = configuration.agentPath, let agent = libssh2_agent_init(session) else { return false }
        wire.agentAttempt = attempt
        defer {
            wire.agentAttempt = nil
            libssh2_agent_disconnect(agent)
            libssh2_agent_free(agent)
        }
        libssh2_agent_set_identity_path(agent, path)
        // No agent, or one that does not answer, is no error: there are files.
        guard libssh2_agent_connect(agent) == 0, libssh2_agent_list_identities(agent) == 0 else { return false }
        var identities: [UnsafeMutablePointer<libssh2_agent_publickey>] = []
        var last: UnsafeMutablePointer<libssh2_agent_publickey>?
        while libssh2_agent_get_identity(agent, &last, last) == 0, let found = last { identities.append(found) }
        let named = Set(files.map(\.publicKey))
        let isNamed = { (identity: UnsafeMutablePointer<libssh2_agent_publickey>) in
            named.contains(Self.publicKey(identity))
        }
        var chosen = identities.filter(isNamed)
        if !configuration.identitiesOnly { chosen += identities.filter { !isNamed($0) } }
        for identity in chosen where try logIn(agent, identity, &tried) { return true }
        return false
    }

    private static func publicKey(_ identity: UnsafeMutablePointer<libssh2_agent_publickey>) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: identity.pointee.blob, count: identity.pointee.blob_len))
    }

    private func logIn(
        _ agent: OpaquePointer, _ identity: UnsafeMutablePointer<libssh2_agent_publickey>, _ tried: inout KeysTried
    ) throws(SSHError) -> Bool {
        let type = KeyFile.type(of: Self.publicKey(identity)) ?? ""
        let comment = identity.pointee.comment.map { String(cString: $0) } ?? ""
        let name = "the agent's \(type) \(comment)"
        guard KeyFile.supportedTypes.contains(type) else {
            tried.skipped.append(name)
            return false
        }
        let code = try complete("logging in") { libssh2_agent_userauth(agent, configuration.user, identity) }
        if code == 0 { return true }
        try checkGoesOn(code)
        tried.offered.append(name)
        return false
    }
}

/// What came of the keys, for an error.
struct KeysTried {
    /// Refused by the host, or of no use to anyone.
    var offered: [String] = []
    /// Of use to OpenSSH's client only.
    var skipped: [String] = []
}
