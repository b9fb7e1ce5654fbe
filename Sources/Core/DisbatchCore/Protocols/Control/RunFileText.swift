/// What `<prefix>_run.json` says of a run: how to reach its driver, or how it ended.
package struct RunFileText: Equatable, Sendable {
    /// The layout of the file; it changes when something in it means something else.
    package static let format = 1

    /// `DISBATCH_JOBID`
    package var name: String
    package var version: String
    package var host: String
    package var pid: Int32
    package var start: Timestamp
    package var workingDirectory: String
    /// Where the driver listens, `HOST:PORT`, the best first; none without a port.
    package var addresses: [String] = []
    /// What shows that one may speak to the driver; nil without a port, and once the run has ended.
    package var key: String?
    /// Once the run has ended.
    package var exitStatus: Int32?
    package var summary: String?

    package init(name: String, version: String, host: String, pid: Int32, start: Timestamp, workingDirectory: String) {
        self.name = name
        self.version = version
        self.host = host
        self.pid = pid
        self.start = start
        self.workingDirectory = workingDirectory
    }

    /// The file's bytes: one JSON object, a line for each member.
    package var json: String {
        var members = [
            ("format", "\(Self.format)"), ("name", Self.quoted(name)), ("version", Self.quoted(version)),
            ("host", Self.quoted(host)), ("pid", "\(pid)"), ("start", Self.seconds(start)),
            ("working_directory", Self.quoted(workingDirectory)),
            ("addresses", "[" + addresses.map(Self.quoted).joined(separator: ", ") + "]"),
        ]
        if let key { members.append(("key", Self.quoted(key))) }
        if let exitStatus { members.append(("exit_status", "\(exitStatus)")) }
        if let summary { members.append(("summary", Self.quoted(summary))) }
        return "{\n" + members.map { "  \"\($0)\": \($1)" }.joined(separator: ",\n") + "\n}\n"
    }

    /// Seconds since 1970.
    private static func seconds(_ time: Timestamp) -> String {
        let thousandths = time.microseconds / 1000
        let rest = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - rest.utf8.count) + rest
    }

    /// A text as JSON has it.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case _ where scalar.value < 32:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
