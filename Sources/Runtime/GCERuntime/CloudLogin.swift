import EngineHosting
import Glibc
import LinuxSystem

/// How a run logs in to its instances: a key that nobody else has, and a configuration of OpenSSH's client in which
/// each instance has its address and its host keys. All of it stands in a directory of its owner's alone, until
/// ``remove()``.
final class CloudLogin {
    private let directory: String
    private let user: String
    /// As authorized_keys has it: `ssh-ed25519 AAAA...`.
    let publicKey: String
    private var hosts: [String: String] = [:]
    private var knownHosts: [String: [String]] = [:]

    /// Makes the key.
    ///
    /// - Parameter user: the account on the instances.
    init(user: String) throws(StartError) {
        self.user = user
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((parent + "/disbatch-gce.XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw StartError("\(parent): no directory can be made in it: \(String(cString: strerror(errno)))")
        }
        directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        guard let keygen = ChildProcess.find("ssh-keygen"), let client = ChildProcess.find("ssh") else {
            rmdir(template)
            throw StartError("--gce: ssh and ssh-keygen are not on PATH; install OpenSSH's client (openssh-client)")
        }
        let key = directory + "/key"
        let made = try? ChildProcess.output(of: [keygen, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key])
        guard made?.isGood == true, let text = TextFile.read(key + ".pub") else {
            throw StartError("--gce: ssh-keygen makes no key in \(directory)")
        }
        publicKey = text.split(whereSeparator: \.isWhitespace).prefix(2).joined(separator: " ")
        do throws(SystemError) {
            try write("config", "")
            try write("known_hosts", "")
            // OpenSSH's client as this run is to use it, and as libssh2's user asks it what to do.
            try write("ssh", "#!/bin/sh\nexec '\(client)' -F '\(directory)/config' \"$@\"\n", mode: 0o700)
        } catch {
            throw StartError("\(error)")
        }
    }

    /// The client that knows the instances by their names.
    var client: String { directory + "/ssh" }

    /// Adds an instance's address and host keys to the files that logins use.
    func add(_ name: String, address: String, hostKeys: [String]) throws(SystemError) {
        hosts[name] = address
        knownHosts[name] = hostKeys
        let names = hosts.keys.sorted()
        try write("known_hosts", names.flatMap { name in (knownHosts[name] ?? []).map { "\(name) \($0)\n" } }.joined())
        let entries = names.map { name in
            """
            Host \(name)
                HostName \(hosts[name] ?? name)
                HostKeyAlias \(name)

            """
        }
        let all = """
            Host *
                User \(user)
                IdentityFile "\(directory)/key"
                IdentitiesOnly yes
                IdentityAgent none
                UserKnownHostsFile "\(directory)/known_hosts"
                GlobalKnownHostsFile /dev/null
                StrictHostKeyChecking yes
                UpdateHostKeys no

            """
        try write("config", entries.joined() + all)
    }

    /// Puts a file in its place at once, for its owner alone.
    private func write(_ name: String, _ text: String, mode: UInt32 = 0o600) throws(SystemError) {
        let path = "\(directory)/\(name)"
        let file = try Descriptor.open(path + ".new", O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        try file.writeAll(Array(text.utf8))
        guard rename(path + ".new", path) == 0 else { throw SystemError("write \(path)") }
    }

    /// Takes all of it away.
    func remove() {
        for name in ["key", "key.pub", "config", "known_hosts", "ssh"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }
}
