import DisbatchCore
import Glibc
import LinuxSystem
import SecureChannels

/// The port at which a run is reached while it goes on, and the file that tells where that is, and with which key.
final class ControlPort {
    let listener: ControlListener
    let secret: LinkSecret
    private let path: String
    private(set) var text: RunFileText

    /// Listens, and writes the file.
    ///
    /// - Parameters:
    ///   - ports: those to try; 0 lets the system choose.
    ///   - announced: the host that others are to use, before all that this machine knows of itself.
    init(path: String, text: RunFileText, ports: ClosedRange<UInt16>, announced: String?) throws(SystemError) {
        listener = try ControlListener(ports: ports)
        secret = .random()
        self.path = path
        self.text = text
        let port = listener.port
        self.text.addresses = ((announced.map { [$0] } ?? []) + OwnAddresses.all()).map { "\($0):\(port)" }
        self.text.key = secret.hexadecimal
        try Self.write(self.text, to: path)
    }

    /// Writes a run file: for its owner alone, for it holds the key.
    static func write(_ text: RunFileText, to path: String) throws(SystemError) {
        try TextFile.replacePrivate(path, with: Array(text.json.utf8))
    }

    /// Writes the script by which users watch the run, and add contexts to it: it holds absolute paths, because a
    /// resource manager runs a copy of it somewhere else.
    ///
    /// - Parameters:
    ///   - program: the path of `dbutil`.
    ///   - prefix: what the run's files begin with.
    static func writeScript(_ path: String, program: String, prefix: String) throws(SystemError) {
        let text = """
            #!/bin/bash -p
            # --mon, --status and other actions of dbutil watch and control this run. Without one of them, a context is
            # added to it: of the allocation that this script runs in (sbatch -n 20 SCRIPT), or of hosts (-s HOST:4).
            [ $# -gt 0 ] || set -- --add
            exec \(ShellWord.quoted(program)) --run \(ShellWord.quoted(prefix)) "$@"

            """
        // Whoever waits until it is there may run it.
        try TextFile.replacePrivate(path, with: Array(text.utf8), isProgram: true)
    }

    /// Says in the file how the run ended, and takes the key out of it.
    func writeEnd(exitStatus: Int32, summary: String) {
        text.addresses = []
        text.key = nil
        text.exitStatus = exitStatus
        text.summary = summary
        try? Self.write(text, to: path)
    }
}
