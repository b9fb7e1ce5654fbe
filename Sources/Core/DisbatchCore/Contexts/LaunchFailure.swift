/// Error messages of the programs that carry engines' channels.
package enum LaunchFailure {
    /// Whether trying again can't help: the user has something to change, or the job is over.
    package static func isPermanent(_ message: String) -> Bool {
        signsOfSSH.contains { message.contains($0) }
            || ManagerTraits.all.contains { $0.permanentFailures.contains { message.contains($0) } }
    }

    /// Whether a message, of a host that has never answered, says that its name or port is wrong.
    static func isMistake(_ message: String) -> Bool {
        ["Connection refused", "no address of ", "Could not resolve hostname"].contains { message.contains($0) }
    }

    private static let signsOfSSH = [
        "Permission denied", "Host key verification failed", "Too many authentication",
        "Bad configuration option", "no such identity",
    ]

    /// Whether a line comes after the one that says why.
    package static func saysOnlyThatItEnded(_ line: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        return ManagerTraits.all.contains { $0.saysOnlyThatItEnded(text) }
    }
}
