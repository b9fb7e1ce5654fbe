import Glibc

/// How a host is to be reached, as the user's configuration of OpenSSH's client has it: what `ssh -G HOST` prints.
package struct ResolvedSSHConfiguration: Equatable, Sendable {
    /// The treatment of hosts whose key is in no list.
    package enum UnknownHosts: Equatable, Sendable {
        case refuse
        /// OpenSSH's client notes its key and goes on.
        case accept
    }

    /// The name that was asked for, be it `USER@NAME` or `ssh://NAME:PORT`.
    package var host: String
    /// The name alone, as it was asked for.
    package var originalName: String
    package var hostName: String
    package var port = 22
    package var user = ""
    /// Files that exist; `~` is expanded.
    package var identityFiles: [String] = []
    /// Whether of an agent's keys only those of ``identityFiles`` are to be used.
    package var identitiesOnly = false
    /// The socket of the agent; nil for none.
    package var agentPath: String?
    /// The lists of host keys, whether they exist or not.
    package var knownHostsFiles: [String] = []
    package var unknownHosts = UnknownHosts.refuse
    /// Whether OpenSSH's client goes on where a host's key is another than the one in a list.
    package var toleratesChangedKeys = false
    package var hostKeyAlias: String?
    /// How long connecting may take, in seconds; nil for our own choice.
    package var connectTimeout: Int?
    /// After how many seconds of silence the other end is asked whether it lives; 0 for our own choice.
    package var aliveInterval = 0
    /// How many such questions may stay without an answer.
    package var aliveCountMax = 3
    /// With its tokens replaced, as ``proxyCommand`` is.
    package var proxyJump: String?
    package var proxyCommand: String?
    /// `inet`, `inet6` or `any`.
    package var addressFamily = "any"
    /// Names of environment variables to pass on; `*` and `?` stand for others.
    package var sentVariables: [String] = []
    /// `NAME=VALUE`.
    package var setVariables: [String] = []
    /// Lists of algorithms, comma-separated; empty for libssh2's.
    package var keyExchanges = ""
    package var ciphers = ""
    package var macs = ""
    package var hostKeyAlgorithms = ""
    package var usesGSSAPI = false
    /// Why only OpenSSH's client can do what is asked for; nil where libssh2 may try.
    package var unsupported: String?

    /// The facts about this machine that the configuration depends on.
    package struct Surroundings {
        package var home: String
        package var environment: (String) -> String?
        package var fileExists: (String) -> Bool

        package init(
            home: String, environment: @escaping (String) -> String?, fileExists: @escaping (String) -> Bool
        ) {
            self.home = home
            self.environment = environment
            self.fileExists = fileExists
        }

        /// This machine's.
        package static var own: Surroundings {
            let variable = { (name: String) in getenv(name).map { String(cString: $0) } }
            return Surroundings(home: variable("HOME") ?? "/", environment: variable) { access($0, F_OK) == 0 }
        }

        /// A path with `~` and `${NAME}` replaced.
        func expand(_ path: String) -> String {
            var path = path
            if path == "~" || path.hasPrefix("~/") { path = home + path.dropFirst() }
            while let start = path.firstRange(of: "${"),
                let end = path[start.upperBound...].firstIndex(of: "}")
            {
                let name = String(path[start.upperBound..<end])
                path.replaceSubrange(start.lowerBound...end, with: environment(name) ?? "")
            }
            return path
        }
    }

    /// Reads what `ssh -G` printed.
    package init(host: String, output: String, _ surroundings: Surroundings) {
        self.host = host
        let lines = Lines(output)
        originalName = lines.first("host") ?? host
        hostName = host
        readAddress(lines)
        readKeys(lines, surroundings)
        readLimits(lines)
        sentVariables = lines.all("sendenv")
        setVariables = lines.all("setenv")
        keyExchanges = lines.first("kexalgorithms") ?? ""
        ciphers = lines.first("ciphers") ?? ""
        macs = lines.first("macs") ?? ""
        hostKeyAlgorithms = lines.first("hostkeyalgorithms") ?? ""
        usesGSSAPI = lines.says("gssapiauthentication")
        unsupported = unsupported ?? lines.unsupported(surroundings)
    }

    private mutating func readAddress(_ lines: Lines) {
        hostName = lines.first("hostname") ?? host
        port = lines.first("port").flatMap { Int($0) } ?? 22
        user = lines.first("user") ?? ""
        proxyJump = expanded("ProxyJump", lines)
        proxyCommand = expanded("ProxyCommand", lines)
        addressFamily = lines.first("addressfamily") ?? "any"
    }

    private mutating func readKeys(_ lines: Lines, _ surroundings: Surroundings) {
        hostKeyAlias = lines.value("hostkeyalias")
        readIdentityFiles(lines, surroundings)
        identitiesOnly = lines.says("identitiesonly")
        let agent = lines.first("identityagent") ?? "SSH_AUTH_SOCK"
        switch agent {
        case "none": agentPath = nil
        case "SSH_AUTH_SOCK": agentPath = surroundings.environment("SSH_AUTH_SOCK")
        case _ where agent.hasPrefix("$") && !agent.hasPrefix("${"):
            agentPath = surroundings.environment(String(agent.dropFirst()))
        default: agentPath = surroundings.expand(agent)
        }
        if agentPath == "" { agentPath = nil }
        for key in ["userknownhostsfile", "globalknownhostsfile"] {
            knownHostsFiles += (lines.value(key) ?? "").split(separator: " ").map { surroundings.expand(String($0)) }
        }
        let accepting = ["accept-new", "no", "off", "false"]
        let checking = lines.first("stricthostkeychecking") ?? "ask"
        unknownHosts = accepting.contains(checking) ? .accept : .refuse
        toleratesChangedKeys = accepting.contains(checking) && checking != "accept-new"
    }

    /// Of all paths, these alone are printed with their tokens.
    private mutating func readIdentityFiles(_ lines: Lines, _ surroundings: Surroundings) {
        for text in lines.all("identityfile") where text.lowercased() != "none" {
            let own: [Character: String] = [
                "d": surroundings.home, "i": "\(getuid())", "k": hostKeyAlias ?? originalName,
            ]
            let values = tokens.merging(own) { $1 }
            guard let expanded = SSHTokens.expand(text, values), !text.hasPrefix("~") || text.hasPrefix("~/") else {
                unsupported = "IdentityFile \(text)"
                continue
            }
            let path = surroundings.expand(expanded)
            if surroundings.fileExists(path) || surroundings.fileExists(path + ".pub") { identityFiles.append(path) }
        }
    }

    /// The values of `%` and a letter that are the same everywhere.
    private var tokens: [Character: String] {
        ["h": hostName, "n": originalName, "p": "\(port)", "r": user]
    }

    private mutating func expanded(_ option: String, _ lines: Lines) -> String? {
        guard let text = lines.value(option.lowercased()) else { return nil }
        let result = SSHTokens.expand(text, tokens)
        if result == nil { unsupported = "\(option) \(text)" }
        return result
    }

    /// Variables of this environment to be sent (`NAME=VALUE`), and variables to be set: of each the last one counts.
    func variables(of environment: [String]) -> [String] {
        let sent = environment.filter { variable in
            let name = String(variable.prefix { $0 != "=" })
            return sentVariables.contains { HostPattern.matches($0[...], name, heedsCase: true) }
        }
        return sent + setVariables
    }

    private mutating func readLimits(_ lines: Lines) {
        connectTimeout = lines.first("connecttimeout").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        aliveInterval = lines.first("serveraliveinterval").flatMap { Int($0) } ?? 0
        aliveCountMax = lines.first("serveralivecountmax").flatMap { Int($0) } ?? 3
    }
}

/// The lines that `ssh -G` printed, by their first words.
private struct Lines {
    private var values: [String: [String]] = [:]

    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { continue }
            values[words[0].lowercased(), default: []].append(String(words[1]))
        }
    }

    func all(_ key: String) -> [String] { values[key] ?? [] }

    func first(_ key: String) -> String? { values[key]?.first }

    /// The first value; nil where it is `none` too.
    func value(_ key: String) -> String? { first(key).flatMap { $0.lowercased() == "none" ? nil : $0 } }

    func says(_ key: String) -> Bool { ["yes", "true"].contains(first(key) ?? "") }

    /// The first setting that libssh2, or this program, can't do.
    func unsupported(_ surroundings: ResolvedSSHConfiguration.Surroundings) -> String? {
        for (key, name) in [
            ("remotecommand", "RemoteCommand"), ("certificatefile", "CertificateFile"),
            ("pkcs11provider", "PKCS11Provider"), ("knownhostscommand", "KnownHostsCommand"),
            ("revokedhostkeys", "RevokedHostKeys"), ("bindaddress", "BindAddress"),
            ("bindinterface", "BindInterface"), ("localforward", "LocalForward"),
            ("remoteforward", "RemoteForward"), ("dynamicforward", "DynamicForward"),
        ] where value(key) != nil {
            return name
        }
        for (key, name) in [
            ("hostbasedauthentication", "HostbasedAuthentication"), ("verifyhostkeydns", "VerifyHostKeyDNS"),
            ("forwardx11", "ForwardX11"), ("proxyusefdpass", "ProxyUseFdpass"),
            ("permitlocalcommand", "PermitLocalCommand"), ("checkhostip", "CheckHostIP"),
            ("nohostauthenticationforlocalhost", "NoHostAuthenticationForLocalhost"),
        ] where says(key) {
            return name
        }
        if let agent = first("forwardagent"), !["no", "false"].contains(agent) { return "ForwardAgent" }
        if let tunnel = first("tunnel"), !["no", "false"].contains(tunnel) { return "Tunnel" }
        if ["no", "false"].contains(first("pubkeyauthentication") ?? "yes") { return "PubkeyAuthentication no" }
        return sharedConnection(surroundings)
    }

    private func sharedConnection(_ surroundings: ResolvedSSHConfiguration.Surroundings) -> String? {
        guard let path = value("controlpath") else { return nil }
        let isMaster = !["no", "false"].contains(first("controlmaster") ?? "false")
        return isMaster || surroundings.fileExists(surroundings.expand(path)) ? "ControlPath" : nil
    }
}
