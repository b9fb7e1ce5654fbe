import CLinux
import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// The preparation of a run's files, before they are there: their names are ``RunPaths``.
enum RunFiles {
    /// Makes the prefix of `-p`: a directory gets a name of its own in it for each run, anything else is the prefix.
    ///
    /// - Parameters:
    ///   - time: seconds since 1970, for the name.
    ///   - number: 0 to 999, tells runs of the same second apart.
    static func choose(
        _ path: String, taskName: String, time: Int, number: Int
    ) throws(StartError) -> RunPaths {
        if let directory = absolute(path), isDirectory(directory) {
            let base = directory == "/" ? "" : directory
            let number = String(number % 1000, digits: 3)
            return RunPaths(prefix: "\(base)/\(RunPaths.ownName(of: taskName))\(stamp(time))_\(number)")
        }
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        guard !name.isEmpty, let directory = absolute(parent), isDirectory(directory) else {
            throw StartError("-p \(path): directory \(parent) does not exist; make it first")
        }
        return RunPaths(prefix: (directory == "/" ? "" : directory) + "/" + name)
    }

    /// Local time as yymmddHHMMSS.
    private static func stamp(_ time: Int) -> String {
        var seconds = time_t(time)
        var parts = tm()
        localtime_r(&seconds, &parts)
        let fields = [parts.tm_year % 100, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec]
        return fields.map { String($0, digits: 2) }.joined()
    }

    /// The path with symbolic links resolved, or nil where nothing is there.
    static func absolute(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func isDirectory(_ path: String) -> Bool { identity(of: path)?.isDirectory ?? false }

    /// Makes the directory of `--capture`, where it is not there.
    static func makeCaptureDirectory(_ path: String) throws(StartError) {
        if mkdir(path, 0o777) != 0, errno != EEXIST {
            throw StartError("--capture \(path): \(String(cString: strerror(errno)))")
        }
        guard isDirectory(path), access(path, W_OK | X_OK) == 0 else {
            throw StartError("--capture \(path): not a directory that can be written to")
        }
    }

    /// Makes sure that the log of `--logfile` can be written. A named pipe may be read later.
    static func checkLog(_ path: String) throws(StartError) {
        do throws(SystemError) {
            _ = try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY)
        } catch {
            guard error.code != ENXIO else { return }
            throw StartError("--logfile \(path): \(error.reason)")
        }
    }

    /// The identity of a file, whatever it is called.
    struct Identity: Equatable, Sendable {
        var device: UInt
        var inode: UInt
        var isDirectory: Bool
        var isRegular: Bool
        var size: Int

        init(_ status: stat) {
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            isDirectory = status.st_mode & S_IFMT == S_IFDIR
            isRegular = status.st_mode & S_IFMT == S_IFREG
            size = Int(status.st_size)
        }
    }

    static func identity(of path: String) -> Identity? {
        var status = stat()
        return stat(path, &status) == 0 ? Identity(status) : nil
    }

    static func identity(of descriptor: Int32) -> Identity? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Identity(status) : nil
    }
}
