import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// The status files that `-r` names, and what they say is done.
final class ResumeFiles {
    /// One status file.
    private struct Source {
        let path: String
        let descriptor: Int32
        let identity: RunFiles.Identity
        /// Length of a last line that a crash tore off.
        var tornLength = 0
    }

    private var sources: [Source] = []
    private(set) var index = ResumeIndex.Builder().build()
    /// Warnings for the user, one line each.
    private(set) var warnings: [String] = []
    private var window: [UInt8] = []
    private var windowFile = -1
    private var windowStart: UInt64 = 0

    /// Whether the files are held against drivers that would write them, for as long as this lives.
    private let isLocking: Bool
    /// The file that this run goes on with, and holds already.
    private let claimed: FileStatus?

    /// Reads all files.
    init(_ paths: [String], isLocking: Bool = false, claimed: FileStatus? = nil) throws(StartError) {
        self.isLocking = isLocking
        self.claimed = claimed
        var builder = ResumeIndex.Builder()
        for path in paths { try read(path, into: &builder) }
        index = builder.build()
    }

    deinit {
        for source in sources { close(source.descriptor) }
    }

    /// Whether a file is among these; then also the length of its torn last line.
    func tornLength(of identity: RunFiles.Identity) -> Int? {
        sources.first { $0.identity.device == identity.device && $0.identity.inode == identity.inode }?.tornLength
    }

    private func read(_ path: String, into builder: inout ResumeIndex.Builder) throws(StartError) {
        let descriptor: Descriptor
        // Not to wait here for who writes to a named pipe.
        do { descriptor = try Descriptor.open(path, O_RDONLY | O_NONBLOCK) } catch {
            throw StartError("-r \(path): \(error.reason)")
        }
        guard let identity = RunFiles.identity(of: descriptor.raw), identity.isRegular else {
            throw StartError("-r \(path): not a regular file; -r takes the status file of an earlier run")
        }
        if sources.contains(where: { $0.identity == identity }) { return }
        let isClaimed = FileStatus.of(descriptor.raw).map { claimed?.isSame(as: $0) } == true
        if isLocking, !isClaimed, FileLock.shared(descriptor.raw) == .held {
            throw StartError("-r \(path): a run writes it now; wait for its end (--no-wait doesn't)")
        }
        let number = sources.count
        sources.append(Source(path: path, descriptor: descriptor.release(), identity: identity))
        var scanner = StatusFileScanner()
        try scan(number, &scanner, into: &builder)
        sources[number].tornLength = scanner.tornLength
        if scanner.tornLength > 0 {
            warnings.append("\(path): the last line is torn (\(scanner.tornLength) bytes without an end) and ignored")
        }
    }

    private func scan(
        _ number: Int, _ scanner: inout StatusFileScanner, into builder: inout ResumeIndex.Builder
    ) throws(StartError) {
        let source = sources[number]
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            switch chunk.withUnsafeMutableBytes({ LinuxSystem.read(source.descriptor, into: $0) }) {
            case .bytes(let count):
                do {
                    try chunk.withUnsafeBytes { bytes throws in
                        try scanner.scan(UnsafeRawBufferPointer(rebasing: bytes[..<count])) { line throws in
                            badLine = line.number
                            if line.number == 1, StatusRowView.isHeader(line.bytes) { return }
                            builder.add(try StatusRowView(line.bytes), file: number, offset: line.offset)
                        }
                    }
                } catch {
                    throw StartError("-r \(source.path):\(badLine): \(error)\nIs this the status file of a run?")
                }
                if scanner.isTooLong {
                    throw StartError(
                        "-r \(source.path):\(scanner.lineCount + 1): a line of more than 64 MiB\n"
                            + "Is this the status file of a run?")
                }
            case .failed(let code): throw StartError("-r \(source.path): \(SystemError("", code: code).reason)")
            case .ended, .wouldBlock: return
            }
        }
    }

    private var badLine = 0

    /// Gives the row that an entry stands for to `body`.
    func withRow<Result>(of entry: ResumeEntry, _ body: (StatusRowView) -> Result) throws(StartError) -> Result {
        try load(entry)
        let start = Int(entry.offset - windowStart)
        let result: Result? = window.withUnsafeBytes { bytes in
            let line = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(entry.length)])
            return (try? StatusRowView(line)).map(body)
        }
        if let result { return result }
        throw StartError("-r \(sources[entry.file].path): changed while it was read")
    }

    /// Brings an entry's row into the window. Rows mostly come in the order in which they stand.
    private func load(_ entry: ResumeEntry) throws(StartError) {
        let (start, end) = (entry.offset, entry.offset + UInt64(entry.length))
        let isInside = windowFile == entry.file && start >= windowStart && end <= windowStart + UInt64(window.count)
        if isInside { return }
        let isNext = windowFile == entry.file && start >= windowStart && start < windowStart + 4 << 20
        let wanted = max(Int(entry.length), isNext || windowFile != entry.file ? 1 << 20 : 1 << 12)
        let source = sources[entry.file]
        var bytes = [UInt8](repeating: 0, count: wanted)
        let count = bytes.withUnsafeMutableBytes { pread(source.descriptor, $0.baseAddress, wanted, off_t(start)) }
        guard count >= Int(entry.length) else {
            throw StartError("-r \(source.path): changed while it was read")
        }
        bytes.removeSubrange(count...)
        (window, windowFile, windowStart) = (bytes, entry.file, start)
    }

    /// Checks that an entry is of this task: by its hash, else by its text.
    ///
    /// - Throws: an error that names both, and `--force-resume`.
    func check(_ entry: ResumeEntry, against task: TaskSpec, forced: Bool) throws(StartError) {
        guard !forced, !entry.matchesHash(of: task) else { return }
        let path = sources[entry.file].path
        let mismatch: ResumeMismatch? = try withRow(of: entry) { row in
            row.isRow(of: task) ? nil : ResumeMismatch(file: path, rowNumber: 0, row: row, task: task)
        }
        guard var mismatch else { return }
        mismatch.rowNumber = lineNumber(of: entry)
        throw StartError("\(mismatch)")
    }

    /// The line that an entry's row is, counted for an error's sake.
    private func lineNumber(of entry: ResumeEntry) -> Int {
        var number = 1
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var place: UInt64 = 0
        while place < entry.offset {
            let wanted = Int(min(UInt64(chunk.count), entry.offset - place))
            let descriptor = sources[entry.file].descriptor
            let count = chunk.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, wanted, off_t(place)) }
            guard count > 0 else { break }
            number += chunk[..<count].count { $0 == UInt8(ascii: "\n") }
            place += UInt64(count)
        }
        return number
    }

    /// Appends the `S` row of an entry.
    func appendSkippedRow(of entry: ResumeEntry, to rows: inout [UInt8]) throws(StartError) {
        let made: [UInt8] = try withRow(of: entry) { row in
            var made: [UInt8] = []
            StatusRow.append(skipping: row, to: &made)
            return made
        }
        rows += made
    }
}
