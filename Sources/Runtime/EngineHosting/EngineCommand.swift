import DisbatchCore

/// The command that starts an engine.
struct EngineCommand {
    /// An absolute path, and arguments.
    let words: [String]
    /// The program that is sent to a host without an engine; nil on this machine.
    let image: EngineImage?
    /// The lock that an engine of this machine shares; -1 for others.
    let lock: Int32

    /// The engine itself.
    static func here(_ path: String, lock: Int32) -> EngineCommand {
        EngineCommand(words: [path], image: nil, lock: lock)
    }

    /// OpenSSH's client, with the user's configuration. It asks nothing, and notices a dead host within a minute.
    ///
    /// - Parameter line: for the login shell.
    static func ssh(_ client: String, host: String, image: EngineImage, line: String) -> EngineCommand {
        let options = ["BatchMode=yes", "ServerAliveInterval=15", "ServerAliveCountMax=3", "ConnectTimeout=30"]
        return EngineCommand(
            words: [client, "-T"] + options.flatMap { ["-o", $0] } + ["--", host, line], image: image, lock: -1)
    }

    /// A resource manager's program.
    static func launched(_ words: [String]) -> EngineCommand {
        EngineCommand(words: words, image: nil, lock: -1)
    }
}
