import Glibc
import LinuxSystem
import RunReports

/// Where what was asked for goes: standard output, or a file that appears when it is whole.
final class ResultOutput {
    private let path: String?
    private let standard = Descriptor(owning: dup(1))
    private var file: PendingFile?
    private var direct: Descriptor?
    private var text: [UInt8] = []

    /// - Parameters:
    ///   - path: the file; nil and `-` are standard output.
    ///   - sources: files that are read, and must not be replaced.
    init(_ path: String?, sparing sources: [String]) throws(ReportError) {
        self.path = path == "-" ? nil : path
        guard let path = self.path else { return }
        let bytes = Array(path.utf8)
        if let target = FileStatus.of(bytes),
            let source = sources.first(where: { source in
                FileStatus.of(Array(source.utf8)).map(target.isSame) ?? false
            })
        {
            throw ReportError("-o \(path): this is \(source) itself, which is not overwritten; choose another name")
        }
        do throws(SystemError) {
            if let status = FileStatus.of(bytes), status.kind != .regular {
                guard status.kind == .other else { throw SystemError("write \(path)", code: EISDIR) }
                direct = try Descriptor.open(path, O_WRONLY)
            } else {
                if !bytes.parentPath.isEmpty, FileStatus.of(bytes.parentPath)?.kind != .directory {
                    throw SystemError("write \(path)", code: ENOENT)
                }
                file = try PendingFile(bytes)
            }
        } catch { throw ReportError("-o \(path): \(error.reason)") }
    }

    /// The columns of the terminal that it goes to, if it goes to one.
    var columns: Int? { path == nil ? TerminalSize.columns(of: 1) : nil }

    /// Appends text.
    func write(_ text: String) throws(ReportError) { try write(Array(text.utf8)) }

    /// Appends bytes.
    func write(_ bytes: [UInt8]) throws(ReportError) {
        text += bytes
        if text.count >= 1 << 16 { try flush() }
    }

    private func flush() throws(ReportError) {
        defer { text.removeAll(keepingCapacity: true) }
        do throws(SystemError) {
            if let file { try file.write(text) } else { try writeOn() }
        } catch { throw ReportError("\(path ?? "standard output"): \(error.reason)") }
    }

    private func writeOn() throws(SystemError) {
        if direct == nil { try standard.writeAll(text) }
        try direct?.writeAll(text)
    }

    /// Writes what waits, and gives the file its name.
    func finish() throws(ReportError) {
        try flush()
        guard let file else { return }
        let mask = umask(0)
        umask(mask)
        do throws(SystemError) {
            try file.finish(mode: 0o666 & ~mask, modified: SystemClock.wallMicroseconds() * 1000)
        } catch { throw ReportError("\(path ?? ""): \(error.reason)") }
    }
}
