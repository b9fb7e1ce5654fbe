import DisbatchCore
import Glibc
import LinuxSystem
import RunRecord
import RunReports

/// Makes the run record anew. The old one stays as it is until the new one is whole, and then beside it.
struct RecordRebuild {
    let paths: RunPaths

    init(_ paths: RunPaths) { self.paths = paths }

    /// Reads status files, and puts the record that they make in its paths.
    /// - Returns: what to tell the user, line by line.
    func run(_ sources: [String]) throws(ReportError) -> [String] {
        if paths.isActive {
            throw ReportError(
                "\(paths.prefix): this run goes on, and writes its record itself; try again when it ended")
        }
        var files: [StatusFile] = []
        for path in sources { files.append(try StatusFile(path)) }
        let draft = "\(paths.record).new-\(getpid())"
        do throws(ReportError) {
            let old = try makeDraft(draft, files)
            try sync(draft)
            let kept = try replace(by: draft)
            var lines = ["\(paths.record) is made anew from \(sources.joined(separator: ", "))"]
            if let kept { lines.append("the old one is \(kept)" + (old ? "" : "; it could not be read")) }
            return lines
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// - Returns: whether the old record could be read, and what only it knows was taken over.
    private func makeDraft(_ draft: String, _ files: [StatusFile]) throws(ReportError) -> Bool {
        let isReadable = (try? RecordOpening.open(paths.record)) != nil
        let descriptor = Glibc.open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw ReportError("\(draft): \(String(cString: strerror(errno)))") }
        close(descriptor)
        let database: Database
        do throws(SQLiteError) { database = try Database(path: draft, locking: false) } catch {
            throw ReportError("\(draft): \(error.message)")
        }
        _ = try database.filled(from: files, adopting: isReadable ? paths.record : nil)
        return isReadable
    }

    private func sync(_ path: String) throws(ReportError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fdatasync(descriptor) == 0 || errno == EINVAL else {
            throw ReportError("\(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Moves the old record aside, with a journal that belongs to it and would spoil the new one.
    /// - Returns: what the old one is called now.
    private func replace(by draft: String) throws(ReportError) -> String? {
        let record = paths.record
        var kept: String?
        if FileStatus.of(Array(record.utf8)) != nil {
            var number = 1
            var name = record + ".old"
            while FileStatus.of(Array(name.utf8)) != nil {
                number += 1
                name = record + ".old\(number)"
            }
            rename(record + "-journal", name + "-journal")
            guard rename(record, name) == 0 else { throw ReportError("\(record): \(String(cString: strerror(errno)))") }
            kept = name
        } else {
            unlink(record + "-journal")
        }
        guard rename(draft, record) == 0 else {
            let reason = String(cString: strerror(errno))
            if let kept {
                rename(kept, record)
                rename(kept + "-journal", record + "-journal")
            }
            throw ReportError("\(record): \(reason)")
        }
        return kept
    }
}
