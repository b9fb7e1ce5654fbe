/// The content of `<prefix>_run.json`: how to reach a run's driver, or how the run ended.
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
    /// The key that lets one speak to the driver; nil without a port, and once the run has ended.
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
        var json = JSONText(.lines(depth: 1))
        json.beginObject()
        json.pair("format", Self.format)
        json.pair("name", name)
        json.pair("version", version)
        json.pair("host", host)
        json.pair("pid", Int(pid))
        json.key("start")
        json.value(Double(start.microseconds / 1000) / 1000, decimals: 3)
        json.pair("working_directory", workingDirectory)
        json.key("addresses")
        json.value(.array(addresses.map { .string($0) }))
        if let key { json.pair("key", key) }
        if let exitStatus { json.pair("exit_status", Int(exitStatus)) }
        if let summary { json.pair("summary", summary) }
        json.endObject()
        json.newLine()
        return json.text
    }
}
