import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// The lock that a run's driver and local engines hold together: who gets it knows that none of them lives.
///
/// The lock is of the open file, which engines inherit, so that it goes with the last of them, however they end. Where
/// the file system has no locks, the driver that the file names is looked for instead: by its host, pid and beginning.
final class AliveLock {
    /// How long to wait for a lock that a reader, which only asks, may have for a moment.
    private static let patience = Duration.milliseconds(300)

    let file: Descriptor
    private let path: String
    /// Why there is no lock, where the file system has none.
    let missing: SystemError?
    /// Whether nothing was there before.
    private let isNew: Bool

    private init(_ file: consuming Descriptor, path: String, missing: SystemError?, isNew: Bool) {
        self.file = file
        self.path = path
        self.missing = missing
        self.isNew = isNew
    }

    /// Takes the lock of a run, and names its driver in the file.
    static func take(_ path: String) throws(StartError) -> AliveLock {
        let deadline = MonotonicTime.now + patience
        while true {
            let (raw, isNew) = try open(path)
            let file = Descriptor(owning: raw)
            switch FileLock.exclusive(raw) {
            // Its last holder may have removed it since it was opened: then it excludes nobody.
            case .taken where FileStatus.of(raw).map { FileStatus.of(Array(path.utf8))?.isSame(as: $0) } == true:
                noteDriver(in: raw)
                return AliveLock(file, path: path, missing: nil, isNew: isNew)
            case .missing(let code):
                try checkDrivers(path, code: code)
                noteDriver(in: raw)
                // Of two that came at one moment at least one sees the other now.
                try checkDrivers(path, code: code)
                return AliveLock(file, path: path, missing: SystemError("lock \(path)", code: code), isNew: isNew)
            case .held where MonotonicTime.now >= deadline: throw StartError.stillActive(path)
            case .held, .taken: poll(nil, 0, 10)
            }
        }
    }

    /// Opens the file, and says whether it was made for it.
    private static func open(_ path: String) throws(StartError) -> (raw: Int32, isNew: Bool) {
        if let file = try? Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND) { return (file.release(), true) }
        do throws(SystemError) {
            return (try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK).release(), false)
        } catch {
            throw StartError("\(error)")
        }
    }

    private static func noteDriver(in file: Int32) {
        note(Array("\(ProcessIdentity.driverMark)\(ProcessIdentity.own)".utf8), in: file)
    }

    /// Holds the drivers that the file names against the processes that live, where no lock tells.
    private static func checkDrivers(_ path: String, code: Int32) throws(StartError) {
        for driver in ProcessIdentity.drivers(in: path) where driver != .own {
            switch driver.isAlive {
            case true?: throw StartError.stillActive(path)
            case false?: break
            case nil: throw StartError.unknown(driver, path, code: code)
            }
        }
    }

    /// The life of an earlier run, as far as it is known.
    enum Life: Equatable {
        /// Nobody holds the lock, or the drivers that the file names are gone.
        case ended
        case mayGoOn
        /// There are no locks, and a driver on another machine is named.
        case unknown(ProcessIdentity, code: Int32)
    }

    /// Whether anybody of the run of this lock may still live.
    static func life(_ path: String) -> Life {
        guard let file = try? Descriptor.open(path, O_RDWR | O_NONBLOCK) else { return .ended }
        switch FileLock.exclusive(file.raw) {
        case .taken: return .ended
        case .held: return .mayGoOn
        case .missing(let code):
            let drivers = ProcessIdentity.drivers(in: path)
            if drivers.contains(where: { $0.isAlive == true }) { return .mayGoOn }
            return drivers.last { $0.isAlive == nil }.map { .unknown($0, code: code) } ?? .ended
        }
    }

    /// Whether a driver writes a status file: it holds that file's own lock, whatever became of this one.
    static func isWritten(_ status: String) -> Bool {
        guard let file = try? Descriptor.open(status, O_RDONLY | O_NONBLOCK) else { return false }
        return FileLock.shared(file.raw) == .held
    }

    /// Notes a line: what the environment of all has that a local engine starts, for ``killRemains(_:)``, or another
    /// that is told from those by how it begins.
    static func note(_ text: [UInt8], in file: Int32) {
        let line = text + [UInt8(ascii: "\n")]
        _ = line.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }

    /// Notes that engines on other machines may live for so long after the file was last touched.
    static func note(lease: Duration, in file: Int32) {
        note(Array("LEASE=\(lease.components.seconds)".utf8), in: file)
    }

    /// Stamps the file: the driver lives, and may have lengthened its engines' lives.
    static func touch(_ file: Int32) { futimens(file, nil) }

    /// How many seconds engines on other machines may still live after the death of their driver; 0 where none do.
    static func secondsLeft(_ path: String) -> Int {
        var status = stat()
        guard stat(path, &status) == 0, let text = TextFile.readBytes(path) else { return 0 }
        let leases = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            line.starts(with: Array("LEASE=".utf8)) ? Int(String(decoding: line.dropFirst(6), as: UTF8.self)) : nil
        }
        guard let lease = leases.max() else { return 0 }
        // The clock of a file server may be ahead of ours, or ours may have been set back.
        return min(lease + 10, max(0, status.st_mtim.tv_sec + lease + 10 - time(nil)))
    }

    /// Lets the engines of a dead run go on that somebody stopped: they are to see that it is dead.
    static func awaken(_ path: String) {
        let start = TaskVariables.guardMark("")
        for line in (TextFile.readBytes(path) ?? []).split(separator: UInt8(ascii: "\n")) where line.starts(with: start)
        {
            // The guard's pid and beginning.
            let words = String(decoding: line.dropFirst(start.count), as: UTF8.self).split(separator: ".")
            guard words.count == 2, let pid = Int32(words[0]), pid > 1,
                let entry = ProcessTree.entry(of: pid), "\(entry.startTicks)" == words[1]
            else { continue }
            kill(-pid, SIGCONT)
        }
    }

    /// Ends what the engines of a dead run left: where driver, guard and engine were killed at one moment, nobody was
    /// there to do it. To be called when nobody holds the lock.
    static func killRemains(_ path: String) {
        guard let text = TextFile.readBytes(path) else { return }
        let start = TaskVariables.guardMark("")
        let marks = text.split(separator: UInt8(ascii: "\n")).filter { $0.starts(with: start) }
        Leavings(of: marks.map(Array.init)).killAll()
    }

    /// Takes the file away: the run ended in order.
    func remove() { unlink(path) }

    /// Takes the file away if it came with this lock: the run did not begin.
    func undo() { if isNew { remove() } }
}

extension StartError {
    /// That the files of this lock are another run's for now.
    static func stillActive(_ path: String) -> StartError {
        StartError(
            "\(path): locked\n"
                + "Another run with this prefix is still active; wait for its end or choose another with -p")
    }

    /// That nobody can say here whether a run goes on.
    static func unknown(_ driver: ProcessIdentity, _ path: String, code: Int32) -> StartError {
        StartError(
            """
            \(path): this file system has no locks (\(SystemError("", code: code).reason)), and a driver is named in \
            the file: pid \(driver.pid) on \(driver.host)
            See whether it runs there. If it doesn't, remove \(path) and start again.
            """)
    }
}
