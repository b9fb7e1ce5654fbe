/// The client by which hosts are logged in to (`--ssh-client`).
package enum SSHClientChoice: String, CaseIterable, Sendable {
    /// libssh2, and OpenSSH's client where libssh2 lacks something.
    case auto
    /// A child process for each host.
    case openSSH = "openssh"
    /// This process itself.
    case libssh2
}
