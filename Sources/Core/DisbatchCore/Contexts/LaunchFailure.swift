/// What the programs that carry engines' channels say where they can't.
package enum LaunchFailure {
    /// Whether trying again can't help: the user has something to change, or the job is over.
    package static func isPermanent(_ message: String) -> Bool {
        signsOfSSH.contains { message.contains($0) }
            || ManagerTraits.all.contains { $0.permanentFailures.contains { message.contains($0) } }
    }

    private static let signsOfSSH = [
        "Permission denied", "Host key verification failed", "Could not resolve hostname", "Too many authentication",
        "Bad configuration option", "no such identity",
    ]

    /// Whether a line comes after the one that says why.
    package static func saysOnlyThatItEnded(_ line: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        return ManagerTraits.all.contains { $0.saysOnlyThatItEnded(text) }
    }
}
