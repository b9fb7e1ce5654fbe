import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options

/// A run's status file, open for appending, and held against all other runs.
///
/// Unless ``begin()`` was called, what was made for the run goes with it.
final class OpenStatusFile {
    let files: RunPaths
    let lock: AliveLock
    /// Whether it is that of an earlier run, which goes on.
    let isContinued: Bool
    fileprivate let raw: Int32
    private var file: Descriptor?
    private(set) var hasBegun = false

    init(_ files: RunPaths, _ lock: AliveLock, _ file: consuming Descriptor, isContinued: Bool) {
        self.files = files
        self.lock = lock
        self.isContinued = isContinued
        raw = file.raw
        self.file = consume file
    }

    deinit {
        guard !hasBegun else { return }
        if !isContinued { unlink(files.status) }
        lock.undo()
    }

    /// The file's facts, as long as it was not handed over.
    var status: FileStatus? { FileStatus.of(raw) }

    /// Hands the file over, once.
    func takeDescriptor() -> Descriptor { file.take() ?? Descriptor(owning: -1) }

    /// Lets the files stay: the run begins.
    func begin() { hasBegun = true }

    /// Opens that of an earlier run which `-r` names and this run is to go on with; nil where there is none. Nobody
    /// else writes it from then on, so that what is read of it, and cut off it, stays as it is.
    static func continued(_ options: DriverOptions) throws(StartError) -> OpenStatusFile? {
        guard !options.resumeFrom.isEmpty,
            !(RunFiles.absolute(options.prefix).map(RunFiles.isDirectory) ?? false)
        else { return nil }
        let files = try RunFiles.choose(options.prefix, taskName: options.taskSource.shortName, time: 0, number: 0)
        func isNamed(_ status: FileStatus) -> Bool {
            options.resumeFrom.contains { FileStatus.of(Array($0.utf8))?.isSame(as: status) == true }
        }
        guard let found = FileStatus.of(Array(files.status.utf8)), found.kind == .regular, isNamed(found) else {
            return nil
        }
        let lock = try AliveLock.take(files.alive)
        do throws(StartError) {
            let file = try hold(files.status)
            guard let opened = FileStatus.of(file.raw), isNamed(opened) else {
                throw StartError("\(files.status): changed while it was opened; start again")
            }
            return OpenStatusFile(files, lock, file, isContinued: true)
        } catch {
            lock.undo()
            throw error
        }
    }

    fileprivate static func hold(_ path: String) throws(StartError) -> Descriptor {
        let file: Descriptor
        do throws(SystemError) { file = try Descriptor.open(path, O_RDWR | O_APPEND) } catch {
            throw StartError("\(path): \(error.reason)")
        }
        try lock(file.raw, path)
        return file
    }

    /// Holds an open file against all others. Whoever only asks whether it is held holds it for a moment.
    static func lock(_ file: Int32, _ path: String) throws(StartError) {
        let deadline = MonotonicTime.now + .milliseconds(300)
        while FileLock.exclusive(file) == .held {
            guard MonotonicTime.now < deadline else { throw StartError.stillActive(path) }
            poll(nil, 0, 10)
        }
    }
}

/// The things that a run takes beside its files, looked for before any of those is made.
struct RunNeeds {
    /// Nil where no engine is reached by SSH.
    let remote: RemoteLaunching?
    let staging: StagingPlan?
    let launchers: [String: String]

    init(_ configuration: RunConfiguration, _ plan: ContextPlan?) throws(StartError) {
        let options = configuration.options
        if let directory = options.captureDirectory { try RunFiles.makeCaptureDirectory(directory) }
        if let log = options.logFile { try RunFiles.checkLog(log) }
        remote = try plan.flatMap { plan throws(StartError) in
            try RemoteLaunching.make(plan, engine: configuration.enginePath, choice: options.context.sshClient)
        }
        staging =
            options.staging == StagingRequest() && options.captureDirectory == nil
            ? nil
            : try StagingPlan(options.staging, captureDirectory: options.captureDirectory, log: options.logFile)
        launchers = try plan.map { plan throws(StartError) in try LauncherPrograms.find(plan) } ?? [:]
        try Helpers.check(configuration.helpers, beside: configuration.enginePath)
    }
}

/// Makes the status file of a run, or fails before anything is run.
struct RunPreparation {
    let configuration: RunConfiguration
    let resume: ResumeFiles
    let survey: TaskFeed.Survey?

    /// Drops the torn last line of a status file that goes on.
    func mend(_ status: OpenStatusFile) throws(StartError) {
        guard let identity = RunFiles.identity(of: status.raw), let torn = resume.tornLength(of: identity),
            torn > 0, ftruncate(status.raw, off_t(identity.size - torn)) != 0
        else { return }
        throw StartError(
            "\(status.files.status): its torn last line can't be dropped: \(String(cString: strerror(errno)))")
    }

    /// Makes a new status file.
    ///
    /// - Returns: nil where there is a file of that name.
    func openStatus(_ files: RunPaths) throws(StartError) -> OpenStatusFile? {
        guard let file = try create(files.status) else { return try takeEmpty(files) }
        try OpenStatusFile.lock(file.raw, files.status)
        do throws(StartError) {
            return OpenStatusFile(files, try AliveLock.take(files.alive), file, isContinued: false)
        } catch {
            unlink(files.status)
            throw error
        }
    }

    /// Goes on with a status file without a row, of a run that had no task, or ended before one did; nil where there is
    /// none, or something may be left of that run, which `-r` would end.
    private func takeEmpty(_ files: RunPaths) throws(StartError) -> OpenStatusFile? {
        func isEmpty(_ status: FileStatus?) -> Bool { status?.kind == .regular && status?.size == 0 }
        guard isEmpty(FileStatus.of(Array(files.status.utf8))), RunFiles.identity(of: files.alive) == nil,
            survey?.skippedCount ?? 0 == 0
        else { return nil }
        let lock = try AliveLock.take(files.alive)
        do throws(StartError) {
            let file = try OpenStatusFile.hold(files.status)
            guard isEmpty(FileStatus.of(file.raw)) else { throw StartError.stillActive(files.status) }
            if configuration.options.writesStatusHeader {
                do throws(SystemError) { try file.writeAll(StatusRow.header) } catch {
                    throw StartError("\(files.status): \(error.reason)")
                }
            }
            // A record of an earlier run is gone on with.
            return OpenStatusFile(
                files, lock, file, isContinued: FileStatus.of(Array(files.record.utf8)) != nil)
        } catch {
            lock.undo()
            throw error
        }
    }

    /// Makes a status file with what stands before the first task's row: the header, and the rows of what earlier runs
    /// did. It has its name only once it has all of these: whatever happens from then on, it alone is enough to resume.
    ///
    /// - Returns: nil where there is a file of that name.
    private func create(_ path: String) throws(StartError) -> Descriptor? {
        let header = configuration.options.writesStatusHeader ? StatusRow.header : []
        do throws(SystemError) {
            guard survey?.skippedCount ?? 0 > 0 else {
                let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND)
                if !header.isEmpty { try file.writeAll(header) }
                return file
            }
            guard RunFiles.identity(of: path) == nil else { return nil }
            let draft = "\(path).\(getpid()).new"
            let file = try Descriptor.open(draft, O_RDWR | O_CREAT | O_TRUNC | O_APPEND)
            defer { unlink(draft) }
            try writeSkipped(after: header, to: file)
            guard try publish(draft, as: path) else { return nil }
            return file
        } catch  where error.code == EEXIST {
            return nil
        } catch {
            throw StartError("\(path): \(error.reason)")
        }
    }

    private func writeSkipped(after header: [UInt8], to file: borrowing Descriptor) throws(SystemError) {
        var rows = header
        for (place, isSkipped) in survey?.skippedEntries.enumerated() ?? [].enumerated() where isSkipped {
            do throws(StartError) {
                try resume.appendSkippedRow(of: resume.index.entries[place], to: &rows)
            } catch {
                throw SystemError("\(error)", code: EIO)
            }
            guard rows.count > 1 << 20 else { continue }
            try file.writeAll(rows)
            rows.removeAll(keepingCapacity: true)
        }
        try file.writeAll(rows)
        if fdatasync(file.raw) != 0 { throw SystemError("sync") }
    }

    /// Gives a file its name. False where another has it.
    private func publish(_ draft: String, as path: String) throws(SystemError) -> Bool {
        if link(draft, path) == 0 { return true }
        if errno == EEXIST { return false }
        // A file system without hard links.
        guard RunFiles.identity(of: path) == nil else { return false }
        guard rename(draft, path) == 0 else { throw SystemError("name it") }
        return true
    }
}
