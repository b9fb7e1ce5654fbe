import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// The file of `--stage-in` that was read last: several engines often read the same one after the other.
final class StagedSource {
    /// Why a file can't be sent.
    struct Failure: Error { var reason: String }

    private var path: PathBytes = []
    private var file: Descriptor?

    /// The next bytes of a file. One that is not as it was when the run began is not sent: nobody would know what it is
    /// a mixture of.
    func read(_ entry: StagedEntry, at offset: Int) -> Result<[UInt8], Failure> {
        if path != entry.source || file == nil {
            file = nil
            let opened = entry.source.withPath { clinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
            guard opened >= 0 else { return .failure(unreadable(entry)) }
            file = Descriptor(owning: opened)
            path = entry.source
            guard isUnchanged(entry) else { return .failure(changed(entry)) }
        }
        let raw = file?.raw ?? -1
        var bytes = [UInt8](repeating: 0, count: min(EngineProtocol.stagedPiece, entry.size - offset))
        let count = bytes.withUnsafeMutableBytes { pread(raw, $0.baseAddress, $0.count, off_t(offset)) }
        guard count >= 0 else { return .failure(unreadable(entry)) }
        let isLast = offset + count == entry.size
        guard count > 0, !isLast || isUnchanged(entry) else { return .failure(changed(entry)) }
        bytes.removeSubrange(count...)
        return .success(bytes)
    }

    private func isUnchanged(_ entry: StagedEntry) -> Bool {
        guard let raw = file?.raw, let status = FileStatus.of(raw) else { return false }
        return status.size == entry.size && status.modified == entry.modified && status.inode == entry.inode
    }

    private func unreadable(_ entry: StagedEntry) -> Failure {
        Failure(reason: "\(SystemError("read \(entry.source.text)"))")
    }

    private func changed(_ entry: StagedEntry) -> Failure {
        file = nil
        return Failure(reason: "\(entry.source.text) was changed while the run went on")
    }
}
