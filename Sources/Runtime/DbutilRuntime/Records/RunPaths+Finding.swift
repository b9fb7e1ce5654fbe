import DisbatchCore
import Glibc
import LinuxSystem
import RunReports

/// How the files of a run are found, whatever its user calls it.
extension RunPaths {
    /// Files of the run that no result may replace.
    var kept: [String] { [record, status, alive] }

    /// The files that a run may be called by.
    private static let naming: [File] = [.record, .status, .driverLog, .alive, .runFile, .utilityScript]

    /// The files by which a run is found, the first before the second.
    private static let finding: [File] = [.record, .status]

    private static let wanted = finding.map { "*\($0.rawValue)" }.joined(separator: ", ")

    /// The run of a prefix, of one of its files, or the newest in a directory.
    static func named(_ name: String) throws(ReportError) -> RunPaths {
        let path = Array(name.utf8)
        if FileStatus.of(path)?.kind == .directory {
            if let newest = newest(in: path) { return newest }
            throw ReportError("--run \(name): no run's files (\(wanted)) are in that directory")
        }
        let base = naming.lazy.compactMap { $0.prefix(of: name) }.first ?? name
        let paths = RunPaths(prefix: absolute(base))
        guard paths.exists else {
            let asked = RunPaths(prefix: base)
            throw ReportError(
                "--run \(name): there is neither \(asked.record) nor \(asked.status)\n"
                    + "Give what the run was given as -p, or one of its files.")
        }
        return paths
    }

    /// The newest run in the current directory: by its record, else by its status file.
    static func newestHere() throws(ReportError) -> RunPaths {
        if let newest = newest(in: Array(".".utf8)) { return newest }
        throw ReportError("no run's files (\(wanted)) are here; say which run: --run PREFIX")
    }

    private var exists: Bool { FileStatus.of(Array(record.utf8)) != nil || FileStatus.of(Array(status.utf8)) != nil }

    private static func newest(in directory: PathBytes) -> RunPaths? {
        guard let names = try? directory.directoryNames() else { return nil }
        for ending in finding.map(\.rawValue) {
            var best: (name: PathBytes, modified: Int64)?
            for name in names
            where name.count > ending.utf8.count && name.reversed().starts(with: ending.utf8.reversed()) {
                guard let status = FileStatus.of(directory.appending(name)), status.kind == .regular else { continue }
                if status.modified >= best?.modified ?? .min { best = (name, status.modified) }
            }
            if let best {
                let base = directory.appending(best.name.dropLast(ending.utf8.count))
                return RunPaths(prefix: absolute(base.text))
            }
        }
        return nil
    }

    /// The path from the root: `.` and the like resolved in its directory, which is there.
    private static func absolute(_ path: String) -> String {
        let bytes = Array(path.utf8)
        let parent = bytes.parentPath.isEmpty ? Array(".".utf8) : bytes.parentPath
        guard let resolved = parent.withPath({ realpath($0, nil) }) else { return path }
        defer { free(resolved) }
        let directory = String(cString: resolved)
        return (directory == "/" ? "" : directory) + "/" + bytes.lastPart.text
    }

    /// Whether the run's driver, or an engine of it, lives: they hold a lock together, and the driver one of the status
    /// file. Where the file system has none, the driver is looked for that the file names; of another machine's nothing
    /// is known, and it is taken to live.
    var isActive: Bool {
        if let file = try? Descriptor.open(status, O_RDONLY | O_NONBLOCK), FileLock.shared(file.raw) == .held {
            return true
        }
        guard let file = try? Descriptor.open(alive, O_RDONLY | O_NONBLOCK) else { return false }
        switch FileLock.shared(file.raw) {
        case .held: return true
        case .taken: return false
        case .missing: return ProcessIdentity.drivers(in: alive).contains { $0.isAlive != false }
        }
    }
}
