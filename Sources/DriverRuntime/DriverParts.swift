import CLinux
import DisbatchContexts
import DisbatchCore
import Glibc
import LinuxSystem
import RunRecord

/// What a driver is made of, ready to run.
struct DriverParts {
    let configuration: RunConfiguration
    let schedulerConfiguration: SchedulerConfiguration
    let plan: ContextPlan
    let files: RunFiles
    let feed: TaskFeed
    let writer: FileWriter
    let record: RunRecordWriter?
    let log: RunLog
    let signals: SignalSource
    let console: Console
    let aliveDescriptor: Int32
    let startTime: Timestamp
    let totalTasks: Int?
}

extension SchedulerConfiguration {
    /// What a run's user asked for. An engine on this machine needs no lease: the end of its channel is proof, and
    /// a machine that slept is no reason to end what slept with it.
    init(_ run: RunConfiguration) {
        self.init()
        retries = run.retries
        maxLost = run.maxLost
        failsFast = run.failsFast
        isStartStrict = run.isStartStrict
    }
}

/// A run's status file, open for appending.
struct StatusFile: ~Copyable {
    let files: RunFiles
    let file: Descriptor
    /// Whether it is that of an earlier run, which goes on.
    let isContinued: Bool

    consuming func takeDescriptor() -> Descriptor { file }
}

/// Makes the files of a run, or fails before anything is run.
struct RunPreparation {
    let configuration: RunConfiguration
    let resume: ResumeFiles
    let survey: TaskFeed.Survey?

    /// Opens the status file: new, or where `-r` names the one that stands at the prefix, that one.
    ///
    func openStatus(_ files: RunFiles) throws(StartError) -> StatusFile {
        do throws(SystemError) {
            let file = try Descriptor.open(files.status, O_RDWR | O_CREAT | O_EXCL | O_APPEND)
            return StatusFile(files: files, file: file, isContinued: false)
        } catch  where error.code != EEXIST {
            throw StartError("\(files.status): \(error.reason)")
        } catch {}
        guard let identity = RunFiles.identity(of: files.status), let torn = resume.tornLength(of: identity) else {
            throw StartError(
                """
                \(files.status) is there already, and it is not overwritten.
                Continue that run:  -r \(ShellWord.quoted(files.status)), or choose another prefix with -p
                """)
        }
        let file: Descriptor
        do { file = try Descriptor.open(files.status, O_RDWR | O_APPEND) } catch {
            throw StartError("\(files.status): \(error.reason)")
        }
        if torn > 0, ftruncate(file.raw, off_t(identity.size - torn)) != 0 {
            throw StartError(
                "\(files.status): its torn last line can't be dropped: \(String(cString: strerror(errno)))")
        }
        return StatusFile(files: files, file: file, isContinued: true)
    }

    /// Writes what stands before the first task's row: the header, and the rows of what earlier runs did.
    func begin(_ status: borrowing StatusFile) throws(StartError) {
        do throws(SystemError) {
            var rows: [UInt8] = []
            if configuration.writesHeader, !status.isContinued { rows += StatusRow.header }
            if !status.isContinued, let survey {
                for (place, isSkipped) in survey.skippedEntries.enumerated() where isSkipped {
                    try append(place, to: &rows)
                    guard rows.count > 1 << 20 else { continue }
                    try status.file.writeAll(rows)
                    rows.removeAll(keepingCapacity: true)
                }
            }
            guard !rows.isEmpty else { return }
            try status.file.writeAll(rows)
            // Whatever happens from now on, this file alone is enough to resume.
            if survey?.skippedCount ?? 0 > 0, fdatasync(status.file.raw) != 0 { throw SystemError("sync") }
        } catch {
            // Without all of these rows it must not be taken for the newest that is to be known.
            if !status.isContinued { unlink(status.files.status) }
            throw StartError("\(status.files.status): \(error)")
        }
    }

    private func append(_ place: Int, to rows: inout [UInt8]) throws(SystemError) {
        do throws(StartError) {
            try resume.appendSkippedRow(of: resume.index.entries[place], to: &rows)
        } catch {
            throw SystemError("\(error)", code: EIO)
        }
    }
}
