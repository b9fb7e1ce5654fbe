import DisbatchCore
import Glibc
package import LinuxSystem

/// The engine's program, as it is sent to hosts that don't have it.
package struct EngineImage: Sendable {
    package let path: String
    /// SHA-256 of the file, in hexadecimal digits.
    package let hash: String
    package let size: Int

    /// - Throws: ``StartError`` where the file can't be read.
    package init(path: String) throws(StartError) {
        guard let status = FileStatus.of(Array(path.utf8)), status.kind == .regular else {
            throw StartError("\(path): the engine is missing; install disbatch anew")
        }
        guard let program = ChildProcess.find("sha256sum"),
            let output = try? ChildProcess.output(of: [program, path])
        else { throw StartError("\(path): its checksum can't be made; is sha256sum (coreutils) on PATH?") }
        guard output.end != nil else { throw StartError("\(path): sha256sum does not read it within a minute") }
        guard output.isGood, output.bytes.count > 64 else {
            throw StartError("\(path): its checksum can't be made; is sha256sum (coreutils) on PATH?")
        }
        self.path = path
        hash = String(decoding: output.bytes[..<64], as: UTF8.self)
        size = status.size
    }

    /// The bytes of the program.
    package func bytes() throws(SystemError) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: size)
        var place = 0
        while place < size {
            let from = place
            let result = bytes.withUnsafeMutableBytes {
                file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[from...]))
            }
            guard case .bytes(let count) = result else { throw SystemError("read \(path)", code: EIO) }
            place += count
        }
        return bytes
    }

    /// The shell command that runs this engine on a host.
    package var remoteCommand: String {
        SSHBootstrap.command(path: path, hash: hash, size: size, machine: Self.machine)
    }

    private static var machine: String {
        var names = utsname()
        uname(&names)
        return withUnsafeBytes(of: &names.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
