package import DisbatchCore
import Glibc
import LinuxSystem
import RunRecord

/// Why a run can't be spoken to. The text says what to do next.
package struct RunClientError: Error, Equatable, CustomStringConvertible {
    package var description: String
    /// Whether the driver itself said so: it would say it again.
    package var isFinal: Bool

    package init(_ description: String, isFinal: Bool = false) {
        self.description = description
        self.isFinal = isFinal
    }
}

/// Reads the file by which a run is reached.
package enum RunFile {
    /// What its name ends with, behind the run's prefix.
    package static let suffix = "_run.json"

    /// What the file says.
    package static func read(_ path: String) throws(RunClientError) -> RunFileText {
        guard let bytes = TextFile.readBytes(path) else {
            throw RunClientError("\(path): \(String(cString: strerror(errno))); is that the run's prefix?")
        }
        guard let json = JSONReader(bytes), let format = json.integer("$.format") else {
            throw RunClientError("\(path): this is no run file")
        }
        guard format == RunFileText.format else {
            throw RunClientError("\(path): of another version of disbatch (layout \(format)); use its own dbutil")
        }
        guard let name = json.text("$.name"), let version = json.text("$.version"), let host = json.text("$.host"),
            let pid = json.integer("$.pid")
        else { throw RunClientError("\(path): something is missing in it") }
        let start = json.text("$.start").flatMap { Double($0) }.flatMap { $0.isNaN ? nil : $0 } ?? 0
        var text = RunFileText(
            name: name, version: version, host: host, pid: Int32(truncatingIfNeeded: pid),
            start: Timestamp(microseconds: Int64(min(max(start, 0), 1e11) * 1e6)),
            workingDirectory: json.text("$.working_directory") ?? "")
        text.addresses = json.texts("$.addresses")
        text.key = json.text("$.key")
        text.exitStatus = json.integer("$.exit_status").map { Int32(truncatingIfNeeded: $0) }
        text.summary = json.text("$.summary")
        return text
    }
}
