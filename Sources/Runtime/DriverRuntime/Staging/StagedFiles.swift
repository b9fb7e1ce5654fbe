import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// The files and directories of `--stage-in`, as they are when a run begins.
struct StagedFiles {
    private(set) var entries: [StagedEntry] = []
    /// Links that lead nowhere, which are left out.
    private var deadLinks: [PathBytes] = []
    /// Files and directories that the run itself writes, and that are not sent.
    private let written: [FileStatus]
    private let home: PathBytes

    /// - Parameters:
    ///   - paths: what the run writes, beside the files that are known by their names.
    ///   - home: the directory that paths are seen from.
    init(without paths: [String], home: PathBytes) {
        self.home = home
        written = paths.compactMap { path in
            let path = Array(path.utf8)
            return FileStatus.of(path.first == UInt8(ascii: "/") ? path : home.appending(path))
        }
    }

    /// The warning for the user; nil where there is none.
    var warning: String? {
        guard let link = deadLinks.first else { return nil }
        let more = deadLinks.count == 1 ? "" : " (and \(deadLinks.count - 1) more)"
        return "--stage-in: \(link.text) leads nowhere, and is left out\(more)"
    }

    /// Adds a file, or a directory with all that is in it.
    mutating func add(_ item: StagingRequest.StageIn) throws(StartError) {
        var path = Array(item.path.utf8)
        while path.count > 1, path.last == UInt8(ascii: "/") { path.removeLast() }
        var destination = item.destination.map { Array($0.utf8) } ?? path
        if destination.last == UInt8(ascii: "/") { destination = destination.appending(path.lastPart) }
        let source = path.first == UInt8(ascii: "/") ? path : home.appending(path)
        do throws(SystemError) { try add(source, destination, above: []) } catch {
            throw StartError("--stage-in \(item.path): \(error)" + hint(of: item))
        }
    }

    /// The way to write a file whose name has a colon.
    private func hint(of item: StagingRequest.StageIn) -> String {
        guard let destination = item.destination else { return "" }
        let whole = "\(item.path):\(destination)"
        let path = Array(whole.utf8)
        guard FileStatus.of(path.first == UInt8(ascii: "/") ? path : home.appending(path)) != nil else { return "" }
        return "\nWhat follows the last colon is where it goes; to send \(whole): --stage-in '\(whole):'"
    }

    /// - Parameter above: the directories that lead here, to know a link that leads back.
    private mutating func add(
        _ source: PathBytes, _ destination: PathBytes, above: [FileStatus]
    ) throws(SystemError) {
        guard let status = FileStatus.of(source) else {
            let error = SystemError("read \(source.text)")
            // In a directory, a link that leads nowhere is nothing that anybody could read.
            guard !above.isEmpty, error.code == ENOENT || error.code == ELOOP else { throw error }
            return deadLinks.append(source)
        }
        func entry(_ kind: StagedEntry.Kind) -> StagedEntry {
            StagedEntry(
                kind: kind, path: destination, source: source, size: kind == .file ? status.size : 0,
                mode: status.mode, modified: status.modified, inode: status.inode)
        }
        if !above.isEmpty, written.contains(where: { $0.isSame(as: status) }) { return }
        switch status.kind {
        case .regular:
            guard source.withPath({ access($0, R_OK) }) == 0 else { throw SystemError("read \(source.text)") }
            entries.append(entry(.file))
        case .directory where !above.contains { $0.isSame(as: status) }:
            entries.append(entry(.directory))
            let names = try source.directoryNames()
            let runFiles = RunFileNames(names)
            for name in names where !runFiles.contains(name) {
                try add(source.appending(name), destination.appending(name), above: above + [status])
            }
        // Sockets, devices and pipes are of this machine.
        case .directory, .other: break
        }
    }
}
