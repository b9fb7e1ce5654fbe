/// The script that an instance runs as root when it has started: it mounts local SSDs, fetches the container image,
/// passes on the word that it is about to be taken back, and ends the instance when no engine is there any more.
enum StartupScript {
    /// The script, for bash. Its settings are the instance's metadata (`disbatch-...`).
    static let text = String(decoding: PackageResources.startup_sh, as: UTF8.self)

    /// The namespace of guest attributes in which it says how far it is.
    static let namespace = "disbatch"
    /// The guest attribute there that is ``isPrepared``, or says what failed, in a line.
    static let attribute = "prepared"
    /// The value of ``attribute`` when the instance is ready for an engine.
    static let isPrepared = "yes"
}
