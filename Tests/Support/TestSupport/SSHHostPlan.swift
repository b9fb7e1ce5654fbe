/// What a host of ``SSHHosts`` is to be like.
package struct SSHHostPlan {
    /// What ssh calls it, and, as root, its host name.
    package var name: String
    /// The types of its host keys, as ssh-keygen names them.
    package var keyTypes = ["ed25519"]
    /// Lines for its sshd_config; they go before ours, and the first that says a thing counts.
    package var server: [String] = []
    /// Lines for its part of the client's ssh_config, such as `ProxyJump gate`.
    package var client: [String] = []
    /// The program that runs its sessions' commands, by `-c`, instead of the login shell.
    package var shell: String?

    package init(
        _ name: String, keyTypes: [String] = ["ed25519"], server: [String] = [], client: [String] = [],
        shell: String? = nil
    ) {
        self.name = name
        self.keyTypes = keyTypes
        self.server = server
        self.client = client
        self.shell = shell
    }
}
