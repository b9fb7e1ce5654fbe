import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// Small files in the directories that tasks' files come from and to: an engine that finds one there, with the same
/// content, has that directory too.
///
/// Taken away by ``remove()``, and when it is dropped.
final class HomeMarks {
    /// The name, and the content, of each.
    let name: [UInt8]
    private var paths: [PathBytes] = []

    /// Puts them there. A directory that can't be written to goes without: then engines see no more in it than that of
    /// another machine.
    init(in directories: Set<PathBytes>) {
        var numbers = SystemRandomNumberGenerator()
        name = Array(".disbatch-\(String(numbers.next(), radix: 16))\(String(numbers.next(), radix: 16))".utf8)
        for directory in directories { put(directory) }
    }

    deinit { remove() }

    private func put(_ directory: PathBytes) {
        let path = directory.appending(name)
        let raw = path.withPath { clinux_open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644) }
        guard raw >= 0 else { return }
        paths.append(path)
        _ = name.withUnsafeBytes { write(raw, $0.baseAddress, $0.count) }
        // So that other machines see it.
        fsync(raw)
        close(raw)
    }

    /// Takes them away.
    func remove() {
        for path in paths { _ = path.withPath { unlink($0) } }
        paths.removeAll()
    }
}
