import DisbatchCore
import Glibc
import LinuxSystem

/// An account of what somebody did to the status file of a run that goes on, and of where its rows are now.
struct StatusRescue: Equatable, Sendable {
    enum Damage: Equatable, Sendable {
        /// Nothing has its name any more.
        case removed
        /// Another file has its name.
        case replaced
        /// Somebody else wrote into it, or cut it off.
        case changed
    }

    var damage: Damage
    var path: String
    /// The file that has the rows now; nil where none could be made.
    var kept: String?
    /// Whether it has all of them: of a long file that was changed only the last are known.
    var isComplete = true
}

/// The status file as a run's own thread has it: open, and to be found at its path.
///
/// Whoever removes, replaces or changes it meanwhile loses no row: ``check()`` finds that, and ``rescue(_:)`` puts the
/// rows back at the path, or beside it.
struct StatusOnDisk: ~Copyable {
    private(set) var path: String
    private var file: Descriptor
    /// The end of the last whole row.
    private(set) var end: Int
    private var memory = RowMemory()
    /// Whether the path led to the open file at first. On a file system without lasting numbers it need not.
    private let comparesNumbers: Bool
    /// The path that the file had at first.
    private let original: String
    /// The end of the rows that are known to be on the disk.
    private var syncedEnd: Int

    init(_ file: consuming Descriptor, path: String) {
        self.path = path
        let size = Int(lseek(file.raw, 0, SEEK_END))
        end = max(0, size)
        syncedEnd = max(0, size)
        original = path
        comparesNumbers = FileStatus.of(file.raw).map { FileStatus.of(Array(path.utf8))?.isSame(as: $0) } == true
        self.file = file
        if let bytes = end <= 16 << 20 ? read(0..<end) : nil { memory.append(bytes) } else { memory.forgetAll() }
    }

    private borrowing func read(_ range: Range<Int>) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var done = 0
        while done < range.count {
            let place = range.lowerBound + done
            let count = bytes.withUnsafeMutableBytes {
                pread(file.raw, $0.baseAddress! + done, range.count - done, off_t(place))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            done += count
        }
        return bytes
    }

    // MARK: Rows

    /// Appends whole rows. Where that fails the file is cut back behind the last one that is whole.
    ///
    /// - Returns: the error, and how many bytes of whole rows were written.
    mutating func append(_ rows: [UInt8]) -> (written: Int, failure: SystemError?) {
        var written = 0
        var failure: SystemError?
        while written < rows.count {
            let count = rows.withUnsafeBytes { write(file.raw, $0.baseAddress! + written, rows.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                failure = SystemError("write \(path)", code: count == 0 ? ENOSPC : errno)
                // A part of a row would be taken for a row by nobody, but it would spoil the next.
                let whole = rows[..<written].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
                ftruncate(file.raw, off_t(end + whole))
                written = whole
                break
            }
            written += count
        }
        memory.append(written == rows.count ? rows : Array(rows[..<written]))
        end += written
        return (written, failure)
    }

    /// Brings all rows to the disk.
    mutating func sync() -> SystemError? {
        guard fdatasync(file.raw) == 0 || errno == EINVAL || errno == EROFS else {
            return SystemError("sync \(path)")
        }
        syncedEnd = end
        return nil
    }

    /// Takes back the rows that could not be brought to the disk, to be written again; nil where they are not known.
    mutating func takeUnsynced() -> [UInt8]? {
        let count = end - syncedEnd
        guard count <= memory.count, ftruncate(file.raw, off_t(syncedEnd)) == 0 else { return nil }
        end = syncedEnd
        return memory.removeLast(count)
    }

    // MARK: What others did

    /// The damage that somebody else did to the file, or to its name.
    borrowing func check() -> StatusRescue.Damage? {
        var open = stat()
        var there = stat()
        if fstat(file.raw, &open) != 0 { return errno == ESTALE ? .changed : nil }
        // Devices have no size.
        guard open.st_mode & S_IFMT == S_IFREG else { return nil }
        if Int(open.st_size) != end { return .changed }
        if stat(path, &there) != 0 { return [ENOENT, ENOTDIR, ESTALE].contains(errno) ? .removed : nil }
        let isSame = open.st_dev == there.st_dev && open.st_ino == there.st_ino
        return isSame || !comparesNumbers ? nil : .replaced
    }

    /// Puts the rows back at the path, where it is free and they are whole, or else into a file beside it; where that
    /// is not to be had either, into the working directory, or /tmp.
    mutating func rescue(_ damage: StatusRescue.Damage) -> StatusRescue {
        var rescue = StatusRescue(damage: damage, path: path, isComplete: damage != .changed || memory.isComplete)
        let candidates = (damage == .removed ? [path] : []) + spareNames
        Array(path.utf8).parentPath.makeDirectories()
        for candidate in candidates where put(damage, at: candidate) {
            path = candidate
            rescue.kept = candidate
            break
        }
        return rescue
    }

    private mutating func put(_ damage: StatusRescue.Damage, at name: String) -> Bool {
        // Of a file that was only moved the name is all that is missing.
        if damage != .changed,
            linkat(AT_FDCWD, "/proc/self/fd/\(file.raw)", AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0
        {
            return true
        }
        guard let copy = try? Descriptor.open(name, O_RDWR | O_CREAT | O_EXCL | O_APPEND) else { return false }
        guard let size = copyAll(of: damage, to: copy), FileLock.exclusive(copy.raw) != .held else {
            unlink(name)
            return false
        }
        file = copy
        end = size
        syncedEnd = size
        return true
    }

    /// Writes all rows that are to be had into another file.
    ///
    /// - Returns: how many bytes; nil where that failed.
    private borrowing func copyAll(of damage: StatusRescue.Damage, to copy: borrowing Descriptor) -> Int? {
        let step = 1 << 20
        var size = 0
        do throws(SystemError) {
            if damage == .changed {
                try copy.writeAll(memory.bytes)
                size = memory.count
            } else {
                while size < end {
                    guard let piece = read(size..<min(end, size + step)) else { return nil }
                    try copy.writeAll(piece)
                    size += piece.count
                }
            }
            if fdatasync(copy.raw) != 0, errno != EINVAL, errno != EROFS { return nil }
            return size
        } catch {
            return nil
        }
    }

    /// The names that rows may be kept under, the best first.
    private var spareNames: [String] {
        let own = RunPaths(.status, at: original) ?? RunPaths(prefix: original)
        let prefixes = [own.prefix, "\(WorkingDirectory.path)/\(own.jobID)", "/tmp/\(own.jobID)"]
        return prefixes.flatMap { prefix in (1...9).map { RunPaths(prefix: prefix).recoveredStatus($0) } }
    }
}
