/// The files of one run: all their names begin with its prefix.
package struct RunPaths: Hashable, Sendable {
    /// A file of a run, by what its name has behind the prefix.
    package enum File: String, CaseIterable, Sendable {
        /// The rows of its tasks, which `-r` reads.
        case status = "_status.txt"
        /// The database of all that happened.
        case record = "_run.db"
        /// How the run is reached, or how it ended.
        case runFile = "_run.json"
        /// Locked by the driver and its local engines as long as any of them lives.
        case alive = "_alive"
        case driverLog = "_driver.log"
        /// The script that watches the run and adds contexts to it.
        case utilityScript = "_dbUtil.sh"
        /// The label under which its machines at Google are found.
        case googleCloud = "_gce.json"
        /// The address of its page.
        case pageAddress = "_url"

        /// The prefix of a path that ends as this file's does; nil of any other.
        package func prefix(of path: String) -> String? {
            path.hasSuffix(rawValue) ? String(path.dropLast(rawValue.count)) : nil
        }
    }

    /// The path that all names begin with; the driver's is absolute.
    package let prefix: String

    package init(prefix: String) { self.prefix = prefix }

    /// The run that a file belongs to; nil where the path is not named as this file is.
    package init?(_ file: File, at path: String) {
        guard let prefix = file.prefix(of: path) else { return nil }
        self.init(prefix: prefix)
    }

    /// The run of a run file, which may have a name of its own: then that is the prefix.
    package init(runFile path: String) { self.init(prefix: File.runFile.prefix(of: path) ?? path) }

    package subscript(_ file: File) -> String { prefix + file.rawValue }

    package var status: String { self[.status] }
    package var record: String { self[.record] }
    package var runFile: String { self[.runFile] }
    package var alive: String { self[.alive] }
    package var driverLog: String { self[.driverLog] }
    package var utilityScript: String { self[.utilityScript] }

    /// A file for the rows of a status file that somebody took away or spoilt while its run went on.
    ///
    /// - Parameter number: from 1; tells such files of one run apart.
    package func recoveredStatus(_ number: Int) -> String {
        "\(prefix)_status.recovered\(number == 1 ? "" : "\(number)").txt"
    }

    /// The log of a context.
    package func contextLog(label: String) -> String { prefix + Self.contextLogEnding(label: label) }

    /// The log of an engine on another machine.
    package func engineLog(label: String, node: String, rank: Int) -> String {
        "\(prefix)_\(label)_\(node)_engine_\(rank).log"
    }

    /// The end of the name of a context's log.
    package static func contextLogEnding(label: String) -> String { "_\(label).context.log" }

    /// The start of the names that a run gets in a directory; its time follows.
    package static func ownName(of taskName: String) -> String { "\(taskName)_disBatch_" }

    /// The run's name: `DISBATCH_JOBID`.
    package var jobID: String { prefix.split(separator: "/").last.map(String.init) ?? prefix }
}
