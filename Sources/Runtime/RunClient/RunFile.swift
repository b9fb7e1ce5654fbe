package import DisbatchCore
import Glibc
import LinuxSystem

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
    /// The content of the run file.
    package static func read(_ path: String) throws(RunClientError) -> RunFileText {
        guard let bytes = TextFile.readBytes(path) else {
            throw RunClientError("\(path): \(String(cString: strerror(errno))); is that the run's prefix?")
        }
        guard let json = JSONValue(parsing: bytes, forgivesNumbers: true), let format = json["format"].integer else {
            throw RunClientError("\(path): this is no run file")
        }
        guard format == RunFileText.format else {
            throw RunClientError("\(path): of another version of disbatch (layout \(format)); use its own dbutil")
        }
        guard let name = json["name"].string, let version = json["version"].string, let host = json["host"].string,
            let pid = json["pid"].integer
        else { throw RunClientError("\(path): something is missing in it") }
        let start = json["start"].double ?? 0
        var text = RunFileText(
            name: name, version: version, host: host, pid: Int32(truncatingIfNeeded: pid),
            start: Timestamp(microseconds: Int64(min(max(start, 0), 1e11) * 1e6)),
            workingDirectory: json["working_directory"].string ?? "")
        text.addresses = json["addresses"].elements.compactMap(\.string)
        text.key = json["key"].string
        text.exitStatus = json["exit_status"].integer.map { Int32(truncatingIfNeeded: $0) }
        text.summary = json["summary"].string
        return text
    }
}
