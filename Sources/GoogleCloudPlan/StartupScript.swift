/// What an instance runs when it has started, as root: it mounts local SSDs, fetches the container image, passes on
/// the word that it is about to be taken back, and ends the instance when no engine is there any more.
package enum StartupScript {
    /// The script, for bash. Its settings are the instance's metadata (`disbatch-...`).
    package static let text = String(decoding: PackageResources.startup_sh, as: UTF8.self)

    /// The namespace of guest attributes in which it says how far it is.
    package static let namespace = "disbatch"
    /// The guest attribute there that is ``isPrepared``, or says what failed, in a line.
    package static let attribute = "prepared"
    /// What ``attribute`` is when the instance is ready for an engine.
    package static let isPrepared = "yes"
}
