import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options

/// A run's status file, open for appending.
struct OpenStatusFile: ~Copyable {
    let files: RunPaths
    let file: Descriptor
    /// Whether it is that of an earlier run, which goes on.
    let isContinued: Bool

    consuming func takeDescriptor() -> Descriptor { file }
}

/// Makes the status file of a run, or fails before anything is run.
struct RunPreparation {
    let configuration: RunConfiguration
    let resume: ResumeFiles
    let survey: TaskFeed.Survey?

    /// Opens the status file: a new one, or where `-r` names the one that stands at the prefix, that one.
    ///
    /// - Returns: nil where there is another file of that name.
    func openStatus(_ files: RunPaths) throws(StartError) -> OpenStatusFile? {
        if let file = try create(files.status) { return OpenStatusFile(files: files, file: file, isContinued: false) }
        guard let identity = RunFiles.identity(of: files.status), let torn = resume.tornLength(of: identity) else {
            return nil
        }
        let file: Descriptor
        do { file = try Descriptor.open(files.status, O_RDWR | O_APPEND) } catch {
            throw StartError("\(files.status): \(error.reason)")
        }
        if torn > 0, ftruncate(file.raw, off_t(identity.size - torn)) != 0 {
            throw StartError(
                "\(files.status): its torn last line can't be dropped: \(String(cString: strerror(errno)))")
        }
        return OpenStatusFile(files: files, file: file, isContinued: true)
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
