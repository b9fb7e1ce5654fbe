import DisbatchCore
import Foundation
import Options
import Testing

@testable import DriverRuntime

/// A directory for one test, removed at its end.
final class DriverTestDirectory {
    /// Its path, without symbolic links.
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/driver-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file; its path.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
        return path + "/" + name
    }

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: path + "/" + name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Makes a directory in it; its path.
    func make(_ name: String) throws -> String {
        try FileManager.default.createDirectory(atPath: path + "/" + name, withIntermediateDirectories: true)
        return path + "/" + name
    }
}

/// A row of a status file as disBatch 3.0 writes it, with its LF.
func statusRow(_ id: Int, line: Int, code: Int = 0, flags: String = "    ", command: String) -> String {
    [
        flags, "\(id)", "\(line)", "-1", "vm", "77", "\(code)", "1.000", "1.000", "2.000", "0", "''", "0", "''",
        command,
    ].joined(separator: "\t") + "\n"
}

extension RunConfiguration {
    static func reading(_ path: String, _ change: (inout RunConfiguration) -> Void = { _ in }) -> RunConfiguration {
        var configuration = RunConfiguration(
            DriverOptions(taskSource: .file(path)), version: "1", commandLine: ["disbatch", path], enginePath: "",
            utilityPath: "dbutil")
        change(&configuration)
        return configuration
    }
}
