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
}
