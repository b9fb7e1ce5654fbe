import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// A note in a working directory that has files of `--stage-in`, held as long as an engine uses them: by it the engines
/// of other runs know of this one.
final class StagedUse {
    private let path: PathBytes
    private var file: Descriptor?
    /// The names of the other runs that use the directory now.
    let others: [String]

    /// - Parameters:
    ///   - mark: tells the run from all others.
    ///   - runName: for their users.
    init(mark: PathBytes, runName: PathBytes) {
        let ending = Array(".use".utf8)
        let own = mark + ending
        path = own
        var others: [String] = []
        for name in (try? PathBytes(".".utf8).directoryNames()) ?? [] {
            guard name.starts(with: ".disbatch-".utf8), name.suffix(ending.count) == ending[...], name != own else {
                continue
            }
            if let other = Self.holder(of: name) { others.append(other) }
        }
        self.others = others
        let raw = own.withPath { clinux_open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        guard raw >= 0 else { return }
        file = Descriptor(owning: raw)
        _ = FileLock.shared(raw)
        _ = runName.withUnsafeBytes { pwrite(raw, $0.baseAddress, $0.count, 0) }
    }

    /// The run that holds a note; nil where it is gone, and then so is the note.
    private static func holder(of note: PathBytes) -> String? {
        let raw = note.withPath { clinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
        guard raw >= 0 else { return nil }
        defer { close(raw) }
        switch FileLock.exclusive(raw) {
        case .missing: return nil
        case .taken:
            _ = note.withPath { unlink($0) }
            return nil
        case .held:
            var bytes = [UInt8](repeating: 0, count: 256)
            let count = bytes.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
            return PathBytes(bytes.prefix(max(0, count))).text
        }
    }

    /// Ends the use: the last engine of its run takes the note away.
    func end() {
        guard let raw = file?.raw else { return }
        if FileLock.exclusive(raw) != .held { _ = path.withPath { unlink($0) } }
        file = nil
    }
}
