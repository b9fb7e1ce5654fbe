import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options

/// The tasks of a run as the scheduler gets them: read lazily, those that are done left out, cut off at `--limit`.
final class TaskFeed {
    /// The outcome of a read.
    struct Batch {
        var items: [TaskItem] = []
        /// Tasks in a row that are skipped, for the run record.
        var skipped: [SkippedRange] = []
        /// `S` rows to write, of a stream.
        var rows: [UInt8] = []
        var end: SourceEnd?
        /// The error in a stream.
        var error: String?
    }

    struct SkippedRange: Equatable {
        var first: TaskID
        var last: TaskID
        var failed: Int
    }

    private let file: Descriptor
    /// Whether the whole of it is there and can be read twice.
    let isRegular: Bool
    private let name: String
    private let size: Int
    private var position = 0
    private var reader: TaskFileReader
    private var cursor: ResumeIndex.Cursor
    private let resume: ResumeFiles
    private let retriesFailures: Bool
    private let isForced: Bool
    private var tasksLeft: Int?
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    /// The file as it was when it was looked through: a fingerprint of each piece, and the number of ids. Nothing of a
    /// file is run that is another by then.
    private var surveyed: (pieces: [UInt64], ids: Int)?
    private var isAtEnd = false
    /// How it ended: once told it stays so, whatever else stands behind a limit or a bad line.
    private var end: SourceEnd?

    /// - Parameters:
    ///   - limit: how many tasks may be handed out (`--limit`).
    init(_ configuration: RunConfiguration, resume: ResumeFiles) throws(StartError) {
        name = configuration.options.taskSource.name
        switch configuration.options.taskSource {
        case .standardInput: file = Descriptor(owning: dup(0))
        case .file(let path):
            // Not to wait here for who writes to a named pipe, deaf to signals: the loop does that.
            do { file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK) } catch {
                throw StartError("\(path): \(error.reason)")
            }
        }
        guard let identity = RunFiles.identity(of: file.raw), !identity.isDirectory else {
            throw StartError("\(name): a directory; a file of tasks, one on a line, is needed")
        }
        isRegular = identity.isRegular && configuration.options.taskSource != .standardInput
        size = identity.size
        reader = TaskFileReader(name: name)
        cursor = ResumeIndex.Cursor(resume.index)
        self.resume = resume
        retriesFailures = configuration.options.retriesFailures
        isForced = configuration.options.forcesResume
        tasksLeft = configuration.options.runTaskLimit
    }

    /// The file that tasks are read from.
    var descriptor: Int32 { file.raw }

    /// The findings of a look at a whole regular file.
    struct Survey {
        /// Tasks and barriers.
        var ids = 0
        var tasks = 0
        /// Places in the resume index whose tasks this run skips.
        var skippedEntries: [Bool] = []
        var skippedCount = 0
        var hasCarriageReturns = false
        /// The line of the first BARRIER that has a key; 0 if none has.
        var firstKeyLine = 0
    }

    /// Reads a regular file to its end: every line is checked, every row of an earlier run held against its task.
    func survey() throws(StartError) -> Survey {
        var survey = Survey()
        survey.skippedEntries = Array(repeating: false, count: resume.index.entries.count)
        var checker = TaskFileReader(name: name)
        var verifier = TaskFileReader(name: name)
        var verifyCursor = ResumeIndex.Cursor(resume.index)
        let hasRows = !resume.index.entries.isEmpty
        var fingerprints: [UInt64] = []
        do {
            while try readChunk(
                into: &checker,
                alsoInto: { block in
                    fingerprints.append(Fingerprint.of(block))
                    if hasRows { verifier.append(block) }
                })
            {
                try checker.check()
                if hasRows { try verify(&verifier, &verifyCursor, &survey) }
            }
            checker.finish()
            try checker.check()
            verifier.finish()
            if hasRows { try verify(&verifier, &verifyCursor, &survey) }
        } catch let error as TaskFileError {
            throw StartError("\(error)")
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError("\(name): \(error)")
        }
        survey.ids = checker.idCount
        survey.tasks = checker.taskCount
        survey.hasCarriageReturns = checker.hasCarriageReturns
        survey.firstKeyLine = checker.firstKeyLine
        position = 0
        surveyed = (fingerprints, checker.idCount)
        return survey
    }

    /// Holds what an earlier run did against the tasks that stand in the file.
    private func verify(
        _ reader: inout TaskFileReader, _ cursor: inout ResumeIndex.Cursor, _ survey: inout Survey
    ) throws {
        while let item = try reader.next() {
            guard case .task(let task) = item, let entry = cursor.entry(for: task.id),
                entry.isSkipped(retry: retriesFailures)
            else { continue }
            try resume.check(entry, against: task, forced: isForced)
            survey.skippedEntries[cursor.currentPlace] = true
            survey.skippedCount += 1
        }
    }

    /// Appends the file's next bytes to a reader; false at its end. What was added since it was opened is not read.
    private func readChunk(
        into reader: inout TaskFileReader, alsoInto other: ((UnsafeRawBufferPointer) -> Void)? = nil
    ) throws(StartError) -> Bool {
        let wanted = isRegular ? min(buffer.count, size - position) : buffer.count
        guard wanted > 0 else { return false }
        let count = try isRegular ? readPiece(wanted) : readStream(wanted)
        guard count != 0 else { return false }
        guard count > 0 else { return true }
        position += count
        buffer.withUnsafeBytes { bytes in
            let block = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            reader.append(block)
            other?(block)
        }
        return true
    }

    /// Reads the next piece of a regular file into the buffer, whole, and holds it against what was looked through.
    private func readPiece(_ wanted: Int) throws(StartError) -> Int {
        let (descriptor, position) = (descriptor, position)
        var done = 0
        while done < wanted {
            let count = buffer.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + done, wanted - done, off_t(position + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StartError("\(name): \(String(cString: strerror(errno)))") }
            guard count > 0 else { throw StartError("\(name): became shorter while it was read") }
            done += count
        }
        guard let pieces = surveyed?.pieces else { return wanted }
        let place = position / buffer.count
        let isSame =
            pieces.indices.contains(place)
            && buffer.withUnsafeBytes { Fingerprint.of(UnsafeRawBufferPointer(rebasing: $0[..<wanted])) }
                == pieces[place]
        guard isSame else { throw changed(at: position) }
        return wanted
    }

    private func changed(at position: Int) -> StartError {
        StartError(
            "\(name): changed while the run goes on (behind byte \(position))\n"
                + "Put it back as it was, and run the rest with -r.")
    }

    /// Reads what a stream has; -1 where that is nothing yet.
    private func readStream(_ wanted: Int) throws(StartError) -> Int {
        let descriptor = descriptor
        let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, wanted) }
        if count < 0, errno == EINTR || errno == EAGAIN { return -1 }
        guard count >= 0 else { throw StartError("\(name): \(String(cString: strerror(errno)))") }
        return count
    }

    /// Reads on: up to `count` items, of a stream what is there without waiting.
    func next(_ count: Int) -> Batch {
        var batch = Batch()
        if let end {
            batch.end = end
            return batch
        }
        defer { end = batch.end }
        do {
            try fill(&batch, count)
        } catch let error as TaskFileError {
            fail(&batch, "\(error)")
        } catch {
            fail(&batch, "\(error)")
        }
        return batch
    }

    private func fail(_ batch: inout Batch, _ text: String) {
        batch.error = text
        batch.end = .broken
    }

    private func fill(_ batch: inout Batch, _ count: Int) throws {
        var readsLeft = isRegular ? Int.max : Self.readsAtOnce
        while batch.items.count < count, batch.end == nil {
            if let item = try reader.next() {
                try take(item, into: &batch)
            } else if isAtEnd {
                if let surveyed, reader.idCount != surveyed.ids { throw changed(at: 0) }
                batch.end = .complete
            } else if readsLeft == 0 || !isReadable {
                // More may take a while: what came is handed on.
                return
            } else if try readChunk(into: &reader) {
                readsLeft -= 1
            } else {
                isAtEnd = true
                reader.finish()
            }
        }
    }

    /// How often a stream is read in a turn at most: whoever writes nothing but comments must not keep the loop.
    private static let readsAtOnce = 16

    /// Whether a read would not wait. The stream may be shared with others, so it stays as it is: not made to.
    private var isReadable: Bool { isRegular || wait(milliseconds: 0) }

    /// Waits for a stream to have more, or its end.
    @discardableResult
    func wait(milliseconds: Int32) -> Bool {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, milliseconds) > 0
    }

    private func take(_ item: TaskItem, into batch: inout Batch) throws {
        guard case .task(let task) = item else { return batch.items.append(item) }
        if let entry = cursor.entry(for: task.id), entry.isSkipped(retry: retriesFailures) {
            if !isRegular {
                try resume.check(entry, against: task, forced: isForced)
                try resume.appendSkippedRow(of: entry, to: &batch.rows)
            }
            return skip(task.id, hasFailed: entry.returnCode != 0, in: &batch)
        }
        if let left = tasksLeft {
            guard left > 0 else {
                batch.end = .limited
                return
            }
            tasksLeft = left - 1
        }
        batch.items.append(item)
    }

    private func skip(_ id: TaskID, hasFailed: Bool, in batch: inout Batch) {
        if case .skipped(let count, let failed) = batch.items.last {
            batch.items[batch.items.count - 1] = .skipped(count: count + 1, failed: failed + (hasFailed ? 1 : 0))
            batch.skipped[batch.skipped.count - 1].last = id
            batch.skipped[batch.skipped.count - 1].failed += hasFailed ? 1 : 0
        } else {
            batch.items.append(.skipped(count: 1, failed: hasFailed ? 1 : 0))
            batch.skipped.append(SkippedRange(first: id, last: id, failed: hasFailed ? 1 : 0))
        }
    }

    /// Whether a line ended in CR LF; asked once it matters.
    var hasCarriageReturns: Bool { reader.hasCarriageReturns }
}

/// Tells pieces of a file from what stands there later.
enum Fingerprint {
    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var sum: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
        func mix(_ word: UInt64) {
            sum = (sum ^ word) &* 0xff51_afd7_ed55_8ccd
            sum ^= sum >> 32
        }
        let words = bytes.count / 8
        for place in 0..<words { mix(bytes.loadUnaligned(fromByteOffset: place * 8, as: UInt64.self)) }
        for byte in bytes[(words * 8)...] { mix(UInt64(byte)) }
        return sum
    }
}
