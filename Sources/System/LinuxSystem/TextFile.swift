import Glibc

/// Small text files of the system, such as those under /proc.
package enum TextFile {
    /// The file's text, or nil where it can't be read.
    package static func read(_ path: String) -> String? {
        readBytes(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The file's bytes, or nil where it can't be read.
    package static func readBytes(_ path: String) -> [UInt8]? {
        guard let file = try? Descriptor.open(path, O_RDONLY) else { return nil }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            switch chunk.withUnsafeMutableBytes({ file.read(into: $0) }) {
            case .bytes(let count): bytes += chunk[..<count]
            case .ended: return bytes
            case .wouldBlock, .failed: return nil
            }
        }
    }

    /// Writes a file for its owner alone, under another name until it is whole: readers see the old one or the new.
    /// Where that fails, nothing stays of it.
    ///
    /// - Parameter isProgram: whether its owner may execute it, from the moment it is there.
    package static func replacePrivate(
        _ path: String, with bytes: [UInt8], isProgram: Bool = false
    ) throws(SystemError) {
        let draft = "\(path).\(getpid()).new"
        unlink(draft)
        do throws(SystemError) {
            try write(bytes, toNew: draft, mode: isProgram ? 0o700 : 0o600)
            guard rename(draft, path) == 0 else { throw SystemError("rename") }
        } catch {
            unlink(draft)
            throw SystemError("write \(path)", code: error.code)
        }
    }

    /// Closed when it returns: what is open for writing can't be executed.
    private static func write(_ bytes: [UInt8], toNew path: String, mode: mode_t) throws(SystemError) {
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        try file.writeAll(bytes)
    }
}
