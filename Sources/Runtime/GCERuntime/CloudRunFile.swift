import DisbatchCore
import Glibc
import LinuxSystem

/// `<prefix>_gce.json`: under which label the run's machines are found, so that a later run finds what is left of them.
struct CloudRunFile: Hashable {
    let project: String
    /// The label, and what the names of machines begin with.
    let run: String

    /// The file beside a run file.
    static func path(besideRunFile path: String) -> String { RunPaths(runFile: path)[.googleCloud] }

    init(project: String, run: String) {
        self.project = project
        self.run = run
    }

    /// Nil where there is no such file.
    init?(path: String) {
        guard let text = TextFile.readBytes(path), let json = JSONValue(parsing: text),
            let project = json["project"].string, let run = json["run"].string
        else { return nil }
        self.init(project: project, run: run)
    }

    func write(_ path: String) throws(SystemError) {
        let json: JSONValue = ["format": 1, "project": .string(project), "run": .string(run)]
        let text = json.text(isPretty: true) + "\n"
        let file = try Descriptor.open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.writeAll(Array(text.utf8))
        guard rename(path + ".new", path) == 0 else { throw SystemError("write \(path)") }
    }
}
