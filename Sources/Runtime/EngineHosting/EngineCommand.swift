import DisbatchCore
package import LinuxSystem

/// Who carries an engine's standard streams, and tells of its end.
package enum EngineCarrier {
    /// Nobody: what is launched is the engine's guard.
    case none
    case ssh
    /// A resource manager's program.
    case launcher

    /// Whether the carrier's end proves that nothing of the engine is left.
    package func proves(_ end: ProcessEnd) -> Bool {
        // Any other status may be the carrier's own, who lost sight of an engine that lives.
        self == .none || end == .exited(status: EngineProtocol.clearedStatus)
    }
}

/// What is started to have an engine.
package struct EngineCommand {
    /// An absolute path, and arguments.
    package let words: [String]
    /// What is sent where the host has no engine; nil on this machine.
    package let image: EngineImage?
    /// The lock that an engine of this machine shares; -1 for others.
    package let lock: Int32
    package let carrier: EngineCarrier

    /// The engine itself.
    package static func here(_ path: String, lock: Int32) -> EngineCommand {
        EngineCommand(words: [path], image: nil, lock: lock, carrier: .none)
    }

    /// OpenSSH's client, with the user's configuration. It asks nothing, and notices a dead host within a minute.
    ///
    /// - Parameter line: for the login shell.
    package static func ssh(_ client: String, host: String, image: EngineImage, line: String) -> EngineCommand {
        let options = ["BatchMode=yes", "ServerAliveInterval=15", "ServerAliveCountMax=3", "ConnectTimeout=30"]
        return EngineCommand(
            words: [client, "-T"] + options.flatMap { ["-o", $0] } + ["--", host, line], image: image,
            lock: -1, carrier: .ssh)
    }

    /// A resource manager's program.
    package static func launched(_ words: [String]) -> EngineCommand {
        EngineCommand(words: words, image: nil, lock: -1, carrier: .launcher)
    }
}
