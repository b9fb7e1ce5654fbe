import Foundation
import LinuxSystem

/// Hosts that ssh reaches, for tests: an sshd each on a loopback address of its own.
///
/// They have homes, host keys and (as root) host names of their own; files and processes are this machine's. Whoever
/// runs the tests logs in as itself, so root is not needed. Nothing is read from or written to anyone's ~/.ssh.
package final class SSHHosts {
    /// Where everything of theirs lies.
    package let path: String
    package private(set) var hosts: [String: SSHHost] = [:]

    /// Starts hosts, gives them to `body`, and ends them with all that runs on them.
    package static func with<Result>(_ plans: [SSHHostPlan], _ body: (SSHHosts) throws -> Result) throws -> Result {
        let all = try SSHHosts()
        defer { all.clear() }
        try all.start(plans)
        return try body(all)
    }

    /// Hosts that differ in nothing but their names.
    package static func with<Result>(_ names: [String], _ body: (SSHHosts) throws -> Result) throws -> Result {
        try with(names.map { SSHHostPlan($0) }, body)
    }

    private init() throws {
        let parent = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = parent + "/ssh-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: path + "/bin", withIntermediateDirectories: true)
    }

    private func clear() {
        for host in hosts.values { try? host.heal() }
        SSHHost.killAll(Array(hosts.values))
        try? FileManager.default.removeItem(atPath: path)
    }

    private func start(_ plans: [SSHHostPlan]) throws {
        for name in ["sshd", "ssh-keygen", "ssh"] where SSHHost.program(name) == nil {
            throw Tool.Failure(description: "\(name) is needed: apt-get install openssh-server openssh-client")
        }
        // As root sshd wants a directory to lock its unprivileged part into.
        if geteuid() == 0 { mkdir("/run/sshd", 0o755) }
        try write("authorized_keys", "")
        try makeKey("id")
        // Nobody else's: each run of tests and each test has its own part of 127.0.0.0/8.
        let network = "127.\(Int.random(in: 1...254)).\(Int.random(in: 0...255))"
        for (index, plan) in plans.enumerated() {
            let host = SSHHost(plan, address: "\(network).\(index + 2)", in: path)
            hosts[plan.name] = host
            try host.prepare()
            try host.start()
        }
        try writeClientFiles(plans)
    }

    private func writeClientFiles(_ plans: [SSHHostPlan]) throws {
        var text = ""
        var known = ""
        for plan in plans {
            let host = try host(plan.name)
            text += "Host \(plan.name)\n  HostName \(host.address)\n  Port \(host.port)\n"
            text += plan.client.map { "  \($0)\n" }.joined()
            known += try host.publicKeys().map { "[\(host.address)]:\(host.port) \($0)\n" }.joined()
        }
        text += """
            Host *
              User \(NSUserName())
              IdentityFile \(path)/id
              IdentitiesOnly yes
              IdentityAgent none
              UserKnownHostsFile \(knownHostsPath)
              GlobalKnownHostsFile /dev/null
              StrictHostKeyChecking yes
              BatchMode yes
              ConnectTimeout 10

            """
        try write("known_hosts", known)
        try write("ssh_config", text)
        for name in ["ssh", "scp", "sftp"] {
            guard let program = SSHHost.program(name) else { continue }
            try Tool.writeProgram(
                "\(binPath)/\(name)", "#!/bin/sh\nexec \(program) -F '\(configPath)' \"$@\"\n")
        }
    }

    // MARK: What programs are given

    /// The client's configuration, for `ssh -F`.
    package var configPath: String { path + "/ssh_config" }

    /// The client's list of host keys: all hosts are in it.
    package var knownHostsPath: String { path + "/known_hosts" }

    /// A directory whose `ssh`, `scp` and `sftp` use ``configPath``: to be put first on PATH.
    package var binPath: String { path + "/bin" }

    /// PATH with ``binPath`` first.
    package var searchPath: String {
        binPath + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    }

    /// Where a host's sessions begin, empty at first.
    package func home(of name: String) throws -> String { try host(name).home }

    /// A host by its name.
    package func host(_ name: String) throws -> SSHHost {
        guard let host = hosts[name] else { throw Tool.Failure(description: "no host \(name) was started") }
        return host
    }

    /// Runs a command on a host by OpenSSH's client.
    package func run(_ name: String, _ command: String, input: String = "") throws -> Tool.Result {
        try Tool.run([binPath + "/ssh", name, command], input: input)
    }

    /// Makes a key of the client's, and has all hosts accept it unless told not to; its path is the result.
    @discardableResult
    package func makeKey(
        _ name: String, type: String = "ed25519", passphrase: String = "", isAuthorised: Bool = true
    ) throws -> String {
        let key = path + "/" + name
        try SSHHost.generateKey(key, type: type, passphrase: passphrase)
        if isAuthorised {
            let list = path + "/authorized_keys"
            let before = try String(contentsOfFile: list, encoding: .utf8)
            try write("authorized_keys", before + String(contentsOfFile: key + ".pub", encoding: .utf8))
        }
        return key
    }

    // MARK: What befalls hosts

    /// Ends a host and all that runs on it, as a loss of power does.
    package func kill(_ name: String) throws { try host(name).kill() }

    /// Starts a host that was killed, where it was.
    package func start(_ name: String) throws { try host(name).start() }

    /// Stops all that runs on a host: it neither answers nor ends anything.
    package func freeze(_ name: String) throws { try host(name).freeze() }

    /// Lets a frozen host run on.
    package func thaw(_ name: String) throws { try host(name).thaw() }

    /// Lets every packet to and from a host vanish, as a network does that is cut.
    package func cut(_ name: String) throws { try host(name).cut() }

    /// Ends a cut.
    package func heal(_ name: String) throws { try host(name).heal() }

    /// Whether networks can be cut here.
    package static var canCut: Bool {
        guard geteuid() == 0, let program = SSHHost.program("iptables") else { return false }
        return (try? Tool.run([program, "-w", "-L", "INPUT", "-n"]))?.status == 0
    }

    private func write(_ name: String, _ text: String) throws {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
        chmod(file, 0o600)
    }
}
