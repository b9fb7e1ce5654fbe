import Glibc

/// The file that a proxy's errors go to.
struct ErrorLog {
    private let descriptor: Int32
    private let start: off_t

    /// Notes where the file ends now.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        start = Self.size(descriptor)
    }

    private static func size(_ descriptor: Int32) -> off_t {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status.st_size : 0
    }

    /// The last line since; nil where there is none, or the file can't be read.
    var lastLine: String? {
        let end = Self.size(descriptor)
        var bytes = [UInt8](repeating: 0, count: Int(max(0, min(end - start, 4096))))
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, end - off_t($0.count)) }
        let lines = bytes.prefix(max(0, count)).split(whereSeparator: { $0 == 10 || $0 == 13 })
        return lines.last.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The error with what the proxy said of it: it knows why the connection ended.
    func explain(_ error: SSHError) -> SSHError {
        guard error.kind == .network, let line = lastLine else { return error }
        let signs = ["Permission denied", "Host key verification failed", "Name or service not known"]
        let isPermanent = signs.contains { line.contains($0) }
        return SSHError(isPermanent ? .permanent : .network, "\(error); the proxy said: \(line)")
    }
}
