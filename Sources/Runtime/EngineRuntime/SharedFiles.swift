import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// The driver's files that an engine has too, on its own machine or by a file system that both share.
struct SharedFiles: Sendable {
    /// Whether it is the driver's own machine.
    private let isHome: Bool
    private let mark: [UInt8]
    private let seesHome: Bool

    init(_ staging: EngineStaging, nodeKind: NodeKind) {
        isHome = nodeKind == .local
        mark = staging.mark
        seesHome = isHome || Self.finds(staging.mark, in: staging.home)
    }

    /// Whether the place of a file is where the driver has it from: then it is there, and must not be written over.
    func isDriversOwn(_ entry: StagedEntry, workingDirectory: PathBytes) -> Bool {
        let path = entry.path.first == UInt8(ascii: "/") ? entry.path : workingDirectory.appending(entry.path)
        guard seesHome, path == entry.source, let status = FileStatus.of(path) else { return false }
        return isHome || status.inode == entry.inode
    }

    /// Whether what is put into this directory here is in the driver's.
    func reaches(_ directory: PathBytes) -> Bool { isHome || Self.finds(mark, in: directory) }

    /// Whether a directory has the driver's mark in it.
    private static func finds(_ mark: [UInt8], in directory: PathBytes) -> Bool {
        guard !mark.isEmpty else { return false }
        let raw = directory.appending(mark).withPath { clinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
        guard raw >= 0 else { return false }
        defer { close(raw) }
        var bytes = [UInt8](repeating: 0, count: mark.count + 1)
        let count = bytes.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
        return count == mark.count && bytes.starts(with: mark)
    }
}
