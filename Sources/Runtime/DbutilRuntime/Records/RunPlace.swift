import Glibc
import LinuxSystem
import RunReports

/// Where the files of a run stand.
struct RunPlace: Equatable {
    /// The absolute path that all their names begin with.
    var prefix: String

    var record: String { prefix + "_run.db" }
    var status: String { prefix + "_status.txt" }
    var alive: String { prefix + "_alive" }
    /// What no result may replace.
    var files: [String] { [record, status, alive] }

    private static let endings = ["_run.db", "_status.txt", "_driver.log", "_alive", "_run.json", "_dbUtil.sh"]

    /// The run of a prefix, of one of its files, or the newest in a directory.
    static func named(_ name: String) throws(ReportError) -> RunPlace {
        let path = Array(name.utf8)
        if FileStatus.of(path)?.kind == .directory {
            if let newest = newest(in: path) { return newest }
            throw ReportError("--run \(name): no run's files (*_run.db, *_status.txt) are in that directory")
        }
        var base = name
        if let ending = endings.first(where: { name.hasSuffix($0) }) { base.removeLast(ending.count) }
        let place = RunPlace(prefix: absolute(base))
        guard place.exists else {
            throw ReportError(
                "--run \(name): there is neither \(base)_run.db nor \(base)_status.txt\n"
                    + "Give what the run was given as -p, or one of its files.")
        }
        return place
    }

    /// The newest run in the current directory: by its record, else by its status file.
    static func newestHere() throws(ReportError) -> RunPlace {
        if let newest = newest(in: Array(".".utf8)) { return newest }
        throw ReportError("no run's files (*_run.db, *_status.txt) are here; say which run: --run PREFIX")
    }

    private var exists: Bool { FileStatus.of(Array(record.utf8)) != nil || FileStatus.of(Array(status.utf8)) != nil }

    private static func newest(in directory: PathBytes) -> RunPlace? {
        guard let names = try? directory.directoryNames() else { return nil }
        for ending in ["_run.db", "_status.txt"] {
            var best: (name: PathBytes, modified: Int64)?
            for name in names
            where name.count > ending.utf8.count && name.reversed().starts(with: ending.utf8.reversed()) {
                guard let status = FileStatus.of(directory.appending(name)), status.kind == .regular else { continue }
                if status.modified >= best?.modified ?? .min { best = (name, status.modified) }
            }
            if let best {
                let base = directory.appending(best.name.dropLast(ending.utf8.count))
                return RunPlace(prefix: absolute(base.text))
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

    /// Whether the run's driver, or an engine of it, lives: they hold a lock together.
    var isActive: Bool {
        guard let file = try? Descriptor.open(alive, O_RDONLY) else { return false }
        return flock(file.raw, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}

/// An instant for people: local time.
func localTime(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds.magnitude < 1e11 else { return "?" }
    var whole = time_t(seconds.rounded(.down))
    var parts = tm()
    localtime_r(&whole, &parts)
    func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(1900 + parts.tm_year)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
    return "\(date) \(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
}

/// Now, in seconds since 1970.
func secondsNow() -> Double { Double(SystemClock.wallMicroseconds()) / 1e6 }
