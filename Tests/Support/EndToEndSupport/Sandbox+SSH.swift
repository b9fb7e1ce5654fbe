import TestSupport

/// The two ways to a host.
enum SSHClient: String, CaseIterable {
    case openssh, libssh2

    var options: [String] { ["--ssh-client", rawValue] }
}

extension Sandbox {
    /// Runs task lines on hosts.
    func run(_ text: String, _ arguments: [String], _ client: SSHClient, _ hosts: SSHHosts) throws -> ProgramResult {
        try write("tasks.txt", text)
        return try run(
            ["-p", "run"] + client.options + arguments + ["tasks.txt"], environment: ["PATH": hosts.searchPath])
    }

    /// Starts a run of `tasks.txt` on hosts.
    func start(
        _ arguments: [String], _ client: SSHClient, _ hosts: SSHHosts, prefix: String = "run"
    ) throws -> RunningProgram {
        try start(["-p", prefix] + client.options + arguments + ["tasks.txt"], environment: ["PATH": hosts.searchPath])
    }
}
