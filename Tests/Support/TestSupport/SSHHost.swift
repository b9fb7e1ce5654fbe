import Foundation
import LinuxSystem

/// One of ``SSHHosts``: an sshd, and all that it runs.
package final class SSHHost {
    package let name: String
    package let address: String
    /// Chosen when it is first started; the same ever after.
    package private(set) var port = 0
    /// Where its sessions begin.
    package let home: String

    private let plan: SSHHostPlan
    private let path: String
    private let shared: String
    /// Its sshd while it runs.
    private var pid: Int32?
    /// What its sessions have in their environment, `NAME=VALUE`, so that they are found when sshd no longer has them.
    private let mark: String
    /// What those of all hosts beside it have.
    private let sharedMark: String

    init(_ plan: SSHHostPlan, address: String, in shared: String) {
        self.plan = plan
        self.address = address
        self.shared = shared
        name = plan.name
        path = shared + "/" + plan.name
        home = path + "/home"
        mark = "TEST_SSH_HOST=\(UUID().uuidString)"
        sharedMark = "TEST_SSH_HOSTS=\(shared)"
    }

    static func program(_ name: String) -> String? {
        Tool.find(name) ?? ["/usr/sbin/", "/usr/local/sbin/"].map { $0 + name }.first { access($0, X_OK) == 0 }
    }

    static func generateKey(_ path: String, type: String, passphrase: String = "") throws {
        let words =
            [
                program("ssh-keygen") ?? "ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "tests", "-f", path,
            ] + (type == "rsa" ? ["-b", "2048"] : [])
        let result = try Tool.run(words)
        guard result.status == 0 else { throw Tool.Failure(description: "ssh-keygen: \(result.errorText)") }
    }

    // MARK: Its files

    /// What its sshd wrote.
    package var log: String { (try? String(contentsOfFile: path + "/log", encoding: .utf8)) ?? "" }

    func prepare() throws {
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: path + "/entry", withIntermediateDirectories: true)
        for type in plan.keyTypes { try Self.generateKey("\(path)/host_\(type)", type: type) }
        let shell = plan.shell.map { "export SHELL='\($0)'\n" } ?? ""
        try Tool.writeProgram(
            path + "/session",
            """
            #!/bin/sh
            export HOME='\(home)' \(mark) '\(sharedMark)'
            cd || exit
            \(shell)[ -n "${SSH_ORIGINAL_COMMAND-}" ] || exec "$SHELL" -l
            exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"

            """)
    }

    /// The public host keys, as they stand in a list of known hosts behind the name.
    package func publicKeys() throws -> [String] {
        try plan.keyTypes.map { type in
            let text = try String(contentsOfFile: "\(path)/host_\(type).pub", encoding: .utf8)
            return text.split(separator: " ").prefix(2).joined(separator: " ")
        }
    }

    /// Gives it other host keys, as a machine that was set up anew has them; they count when it is started next.
    package func changeHostKeys() throws {
        for type in plan.keyTypes {
            for suffix in ["", ".pub"] { unlink("\(path)/host_\(type)\(suffix)") }
            try Self.generateKey("\(path)/host_\(type)", type: type)
        }
    }

    /// The login shell, which sshd starts for the command above, finds no files to read in HOME.
    private func writeConfiguration() throws {
        let text =
            plan.server.map { $0 + "\n" }.joined() + plan.keyTypes.map { "HostKey \(path)/host_\($0)\n" }.joined()
                + """
                ListenAddress \(address):\(port)
                PidFile none
                AuthorizedKeysFile \(shared)/authorized_keys
                StrictModes no
                UsePAM no
                PermitRootLogin yes
                PasswordAuthentication no
                KbdInteractiveAuthentication no
                ForceCommand \(path)/session
                SetEnv HOME=\(path)/entry
                Subsystem sftp /usr/lib/openssh/sftp-server
                MaxStartups 400:30:500
                MaxSessions 100
                UseDNS no
                PrintMotd no
                LogLevel VERBOSE

                """
        try Data(text.utf8).write(to: URL(filePath: path + "/sshd_config"), options: .atomic)
    }

    // MARK: Its life

    /// Starts sshd, and returns when it accepts connections.
    package func start() throws {
        precondition(pid == nil, "\(name) runs")
        for _ in 0..<5 {
            if try launch() { return }
            // Somebody took the port between our look and sshd's.
            if !log.contains("Address already in use") { break }
            port = 0
        }
        throw Tool.Failure(description: "sshd of \(name) did not start: \(log)")
    }

    private func launch() throws -> Bool {
        if port == 0 { port = try freePort() }
        try writeConfiguration()
        let file = open(path + "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        let input = open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { for descriptor in [file, input] { close(descriptor) } }
        let sshd = [Self.program("sshd") ?? "sshd", "-D", "-e", "-f", path + "/sshd_config"]
        let own = ["unshare", "--uts", "/bin/sh", "-c", "hostname \"$0\"; exec \"$@\"", name] + sshd
        let mayName = Self.mayHaveHostNames
        let child = try Tool.start(
            mayName ? ["/usr/bin/env"] + own : sshd, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"],
            streams: [input, file, file])
        pid = child
        let limit = MonotonicTime.now + .seconds(20)
        while MonotonicTime.now < limit {
            var status: Int32 = 0
            if waitpid(child, &status, WNOHANG) == child {
                pid = nil
                return false
            }
            if accepts() { return true }
            usleep(2000)
        }
        kill()
        return false
    }

    /// Whether hosts may have names of their own here.
    private static let mayHaveHostNames =
        (try? Tool.run(["/usr/bin/env", "unshare", "--uts", "hostname", "test"]))?.status == 0

    /// Ends sshd and all that it runs.
    package func kill() { Self.kill([self], processes) }

    /// Ends all hosts of one directory at once: each look at all processes takes its time.
    static func killAll(_ hosts: [SSHHost]) {
        guard let first = hosts.first else { return }
        kill(hosts) { processes(below: hosts.compactMap(\.pid), marked: first.sharedMark) }
    }

    private static func kill(_ hosts: [SSHHost], _ processes: () -> Set<Int32>) {
        let limit = MonotonicTime.now + .seconds(20)
        repeat {
            let running = freeze(processes)
            for entry in running { _ = Glibc.kill(entry, SIGKILL) }
            for host in hosts {
                var status: Int32 = 0
                if let pid = host.pid { waitpid(pid, &status, 0) }
                host.pid = nil
            }
            // Killed processes are others' children by now, who reap them at their own pace.
            while running.contains(where: isLive), MonotonicTime.now < limit { usleep(1000) }
        } while !processes().isEmpty && MonotonicTime.now < limit
    }

    private static func isLive(_ pid: Int32) -> Bool { ProcessTree.entry(of: pid)?.isZombie == false }

    /// Stops all processes of the host.
    package func freeze() { Self.freeze(processes) }

    @discardableResult
    private static func freeze(_ processes: () -> Set<Int32>) -> Set<Int32> {
        var stopped: Set<Int32> = []
        while true {
            // What is not stopped yet may start more.
            let running = processes().subtracting(stopped)
            if running.isEmpty { return stopped }
            for entry in running { _ = Glibc.kill(entry, SIGSTOP) }
            // A signal takes effect when its process is next on a processor. One that waits for the kernel or for a
            // child that shares its memory does not stop; it does nothing else either.
            let limit = MonotonicTime.now + .seconds(1)
            while running.contains(where: isAwake), MonotonicTime.now < limit { usleep(500) }
            stopped.formUnion(running)
        }
    }

    private static func isAwake(_ pid: Int32) -> Bool {
        guard let text = TextFile.readBytes("/proc/\(pid)/stat"), let end = text.lastIndex(of: UInt8(ascii: ")")) else {
            return false
        }
        return "RS".utf8.contains(text[end + 2])
    }

    /// Lets a frozen host run on.
    package func thaw() {
        for entry in processes() { _ = Glibc.kill(entry, SIGCONT) }
    }

    /// Whether its packets vanish.
    private var isCut = false

    /// Its address is its own, on an interface that all share.
    func cut() throws {
        guard !isCut else { return }
        isCut = true
        try filter("-I")
    }

    func heal() throws {
        guard isCut else { return }
        isCut = false
        try filter("-D")
    }

    private func filter(_ action: String) throws {
        for end in ["-s", "-d"] {
            let words = [Self.program("iptables") ?? "iptables", "-w", action, "INPUT", end, address, "-j", "DROP"]
            let result = try Tool.run(words)
            guard result.status == 0 else { throw Tool.Failure(description: "iptables: \(result.errorText)") }
        }
    }

    /// The live processes of the host: sshd, its children, sessions, and what those started.
    package func processes() -> Set<Int32> { Self.processes(below: pid.map { [$0] } ?? [], marked: mark) }

    private static func processes(below pids: [Int32], marked mark: String) -> Set<Int32> {
        let tree = ProcessTree()
        let mark = Array(mark.utf8)
        var roots = Set(pids)
        for entry in tree.entries where !entry.isZombie && ProcessTree.environment(of: entry.pid, contains: mark) {
            roots.insert(entry.pid)
        }
        return roots.union(tree.descendants(of: roots).map(\.pid))
    }

    // MARK: Its port

    private func freePort() throws -> Int {
        let found: Int? = withSocket { raw, address in
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            guard bind(raw, address, size) == 0 else { return nil }
            var bound = sockaddr_in()
            let code = withUnsafeMutablePointer(to: &bound) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(raw, $0, &size) }
            }
            return code == 0 ? Int(UInt16(bigEndian: bound.sin_port)) : nil
        }
        guard let found else { throw Tool.Failure(description: "no free port on \(address)") }
        return found
    }

    private func accepts() -> Bool {
        withSocket { raw, address in
            connect(raw, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }

    private func withSocket<Result>(_ body: (Int32, UnsafePointer<sockaddr>) -> Result) -> Result {
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(raw) }
        var own = sockaddr_in()
        own.sin_family = sa_family_t(AF_INET)
        own.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, address, &own.sin_addr)
        return withUnsafePointer(to: own) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(raw, $0) }
        }
    }
}
