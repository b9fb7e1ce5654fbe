import Glibc
import LinuxSystem

/// A connected, non-blocking socket to a host's sshd, and the process that carries it where there is a proxy.
struct HostConnection {
    let descriptor: Int32
    let proxy: ChildProcess?

    /// Connects as the configuration says.
    ///
    /// - Parameters:
    ///   - client: the path of OpenSSH's client, for jump hosts.
    ///   - errors: where a proxy's standard error goes.
    ///   - limit: how long each address may take, in seconds.
    ///   - attempt: how long all of them may take.
    static func open(
        _ configuration: ResolvedSSHConfiguration, client: String, errors: Int32, limit: Int, _ attempt: SSHAttempt
    ) throws(SSHError) -> HostConnection {
        if let command = proxyCommand(configuration, client: client) {
            do {
                return try start(command, errors: errors)
            } catch {
                throw SSHError(.network, "the proxy can't be started: \(error)")
            }
        }
        return HostConnection(descriptor: try connect(configuration, limit: limit, attempt), proxy: nil)
    }

    // MARK: Proxies

    /// The words of the program that carries the connection; nil where none is asked for.
    static func proxyCommand(_ configuration: ResolvedSSHConfiguration, client: String) -> [String]? {
        if let command = configuration.proxyCommand {
            let shell = getenv("SHELL").map { String(cString: $0) } ?? "/bin/sh"
            return [shell.hasPrefix("/") ? shell : "/bin/sh", "-c", "exec " + command]
        }
        guard let jump = configuration.proxyJump else { return nil }
        var hops = jump.split(separator: ",").map(String.init)
        guard let last = hops.popLast() else { return nil }
        let limit = configuration.connectTimeout ?? 30
        var words = [
            client, "-T", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3", "-o",
            "ConnectTimeout=\(limit)",
        ]
        if !hops.isEmpty { words += ["-J", hops.joined(separator: ",")] }
        let isURI = last.hasPrefix("ssh://")
        words += ["-W", "[\(configuration.hostName)]:\(configuration.port)", "--", isURI ? last : "ssh://" + last]
        return words
    }

    private static func start(_ words: [String], errors: Int32) throws(SystemError) -> HostConnection {
        let sockets = try DescriptorPair.sockets()
        try sockets.first.setNonBlocking()
        let child = try ChildProcess.start(
            words, input: sockets.second.raw, output: sockets.second.raw, error: errors, wantsDescriptor: true)
        return HostConnection(descriptor: sockets.takeFirst().release(), proxy: child)
    }

    /// Sees to the end of a proxy whose socket is closed, and reaps it, without waiting for it.
    ///
    /// The socket's end is the goodbye: the proxy may yet have to pass on what came before.
    static func end(_ proxy: ChildProcess) {
        ending.withLock { _ = $0.insert(proxy.pid) }
        let reaping: @Sendable () -> Void = {
            defer {
                ending.withLock { _ = $0.remove(proxy.pid) }
                ending.signal()
            }
            for signal in [SIGTERM, SIGKILL] {
                let attempt = SSHAttempt(abort: -1, deadline: MonotonicTime.now + .seconds(2))
                if (try? attempt.end(of: proxy)) != nil { return proxy.close() }
                kill(-proxy.pid, signal)
            }
            _ = proxy.waitForEnd()
            proxy.close()
        }
        do { try WorkerThread(name: "ssh proxy end", reaping).detach() } catch {
            // Without time to say goodbye it ends at once.
            kill(-proxy.pid, SIGKILL)
            reaping()
        }
    }

    /// The proxies that are about to end.
    private static let ending = Guarded(Set<Int32>())

    /// Waits until all proxies whose sockets are closed have ended: nobody sees to it when this process has.
    static func awaitProxies(until deadline: MonotonicTime) {
        _ = ending.wait(until: deadline) { $0.isEmpty ? true : nil }
    }

    // MARK: TCP

    private static func connect(
        _ configuration: ResolvedSSHConfiguration, limit: Int, _ attempt: SSHAttempt
    ) throws(SSHError) -> Int32 {
        let addresses = try HostAddress.all(of: configuration, attempt.atMost(seconds: limit))
        return try connect(addresses, configuration, limit: limit, attempt)
    }

    /// Connects to the first address that answers: one that does not leaves the others their time.
    static func connect(
        _ addresses: [HostAddress], _ configuration: ResolvedSSHConfiguration, limit: Int, _ attempt: SSHAttempt
    ) throws(SSHError) -> Int32 {
        let place = "\(configuration.hostName) port \(configuration.port)"
        var trouble = "it has no address"
        for address in addresses {
            let raw = socket(
                address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            guard raw >= 0 else {
                trouble = SystemError("make a socket").reason
                continue
            }
            let socket = Descriptor(owning: raw)
            let code = try address.connect(socket.raw, attempt.atMost(seconds: limit))
            if code == 0 {
                setOptions(socket.raw, configuration)
                return socket.release()
            }
            trouble = SystemError("connect", code: code).reason
        }
        throw SSHError(.network, "\(place): can't connect: \(trouble)")
    }

    /// A host that is gone is noticed by the kernel: by what it does not acknowledge, or by not answering when asked.
    private static func setOptions(_ raw: Int32, _ configuration: ResolvedSSHConfiguration) {
        let interval = configuration.aliveInterval > 0 ? configuration.aliveInterval : 15
        let count = configuration.aliveInterval > 0 ? max(1, configuration.aliveCountMax) : 3
        let tcp = Int32(IPPROTO_TCP)
        for (level, option, value) in [
            (tcp, TCP_NODELAY, 1), (SOL_SOCKET, SO_KEEPALIVE, 1), (tcp, TCP_KEEPIDLE, interval),
            (tcp, TCP_KEEPINTVL, interval), (tcp, TCP_KEEPCNT, count),
            (tcp, TCP_USER_TIMEOUT, min(interval * count, 3600) * 1000),
        ] {
            var value = Int32(clamping: value)
            setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }
}

/// Where a host is.
struct HostAddress {
    /// A sockaddr of any kind.
    private let bytes: [UInt8]
    let family: Int32

    /// The addresses of a host, best first.
    ///
    /// A program asks for those of a name: what the machine is told to look them up by can't be loaded by ours where
    /// it is linked statically.
    static func all(
        of configuration: ResolvedSSHConfiguration, _ attempt: SSHAttempt
    ) throws(SSHError) -> [HostAddress] {
        let port = "\(configuration.port)"
        let own = numeric(configuration.hostName, port)
        if !own.isEmpty { return own }
        let lists = ["inet": "ahostsv4", "inet6": "ahostsv6"]
        let list = lists[configuration.addressFamily] ?? "ahosts"
        guard let getent = ChildProcess.find("getent") else {
            throw SSHError(.needsOpenSSH, "getent, which finds addresses, is not on PATH")
        }
        guard let answer = try attempt.output(of: [getent, list, configuration.hostName]) else {
            throw SSHError(.network, "no address of \(configuration.hostName) was found in time")
        }
        var found: [HostAddress] = []
        for line in answer.text.split(separator: "\n") where answer.status == 0 {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 2, words[1] == "STREAM" else { continue }
            found += numeric(String(words[0]), port)
        }
        guard found.isEmpty else { return found }
        // It ends with 2 where there is no such name, and where nobody could be asked.
        guard answer.status == 0 || answer.status == 2 else {
            let said = answer.text.split(separator: "\n").last.map { ": \($0)" } ?? ""
            throw SSHError(
                .network, "\(configuration.hostName): getent, which finds addresses, ended with \(answer.status)\(said)"
            )
        }
        throw SSHError(
            .network,
            """
            no address of \(configuration.hostName) was found
            Check the name, or say HostName in ~/.ssh/config; it may also be that no name server answers
            """)
    }

    /// The address that a text gives in numbers; none where it is a name.
    static func numeric(_ text: String, _ port: String) -> [HostAddress] {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(text, port, &hints, &first) == 0, let entry = first else { return [] }
        defer { freeaddrinfo(entry) }
        let raw = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
        return [HostAddress(bytes: Array(raw), family: entry.pointee.ai_family)]
    }

    /// Connects a non-blocking socket; an errno value is the result, 0 for success.
    func connect(_ raw: Int32, _ attempt: SSHAttempt) throws(SSHError) -> Int32 {
        let code = bytes.withUnsafeBytes { bytes in
            Glibc.connect(raw, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        if code == 0 { return 0 }
        guard errno == EINPROGRESS else { return errno }
        guard try attempt.wait(for: raw, writing: true, reading: false) else { return ETIMEDOUT }
        var result: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(raw, SOL_SOCKET, SO_ERROR, &result, &size)
        return result
    }
}
