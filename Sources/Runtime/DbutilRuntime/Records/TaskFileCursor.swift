import DisbatchCore
import Glibc
import LinuxSystem
import RunReports

/// A task file that is read from its beginning, as a run reads it.
final class TaskFileCursor {
    let path: String
    private let file: Descriptor
    private var reader: TaskFileReader
    private var block = [UInt8](repeating: 0, count: 1 << 18)
    private var isAtEnd = false

    /// - Throws: where it is not there, or no regular file.
    init(_ path: String) throws(ReportError) {
        self.path = path
        guard FileStatus.of(Array(path.utf8))?.kind != .directory else { throw ReportError("\(path): a directory") }
        do throws(SystemError) { file = try Descriptor.open(path, O_RDONLY) } catch {
            throw ReportError("\(path): \(error.reason)")
        }
        reader = TaskFileReader(name: path)
    }

    /// The next item; nil at the end.
    func next() throws(ReportError) -> TaskItem? {
        while true {
            do throws(TaskFileError) {
                if let item = try reader.next() { return item }
            } catch { throw ReportError("\(error)") }
            if isAtEnd { return nil }
            switch block.withUnsafeMutableBytes({ file.read(into: $0) }) {
            case .bytes(let count):
                block.withUnsafeBytes { reader.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            case .ended, .wouldBlock:
                isAtEnd = true
                reader.finish()
            case .failed(let code): throw ReportError("\(path): \(SystemError("", code: code).reason)")
            }
        }
    }

    /// The next task.
    func nextTask() throws(ReportError) -> TaskSpec? {
        while let item = try next() {
            if case .task(let task) = item { return task }
        }
        return nil
    }
}
