import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// Asks bash what environment it gives to a program that it runs as a task's only command: bash itself corrects or
/// sets PWD, SHLVL, IFS and others, differently from version to version.
enum ShellProbe {
    /// The argument with which our own program prints its environment, each entry ended by a NUL.
    static let argument = "--print-environment"

    /// The environment that bash makes of this one, without `_`; nil where it can't be had.
    static func run(_ environment: [[UInt8]]) -> DirectEnvironment? {
        let line = "/proc/\(getpid())/exe \(argument)"
        let arguments = CStrings([TaskLauncher.shell, "-c", line].map { Array($0.utf8) })
        let strings = CStrings(environment)
        guard let output = try? DescriptorPair.pipe(),
            let null = try? Descriptor.open("/dev/null", O_RDWR)
        else { return nil }
        let complaints = Descriptor(owning: clinux_memfd("complaints"))
        guard complaints.raw >= 0 else { return nil }
        let child = arguments.withPointers { arguments in
            strings.withPointers { environment in
                let request = SpawnRequest(
                    path: UnsafePointer(arguments[0]!), arguments: arguments, environment: environment,
                    input: null.raw, output: output.second.raw, error: complaints.raw)
                return try? ChildProcess.start(request, wantsDescriptor: false)
            }
        }
        guard let child else { return nil }
        let bytes = readAll(output.takeFirst())
        guard child.waitForEnd().end == .exited(status: 0) else { return nil }
        // A bash that warns (of a locale that isn't there, say) warns of each task.
        guard lseek(complaints.raw, 0, SEEK_END) == 0 else { return nil }
        let ended = Array(line.utf8.prefix { $0 != UInt8(ascii: " ") })
        let entries = bytes.split(separator: 0).map(Array.init)
        // Only if it is what we think: bash's own `_` says that it ran us, and nothing else printed.
        guard entries.contains([UInt8(ascii: "_"), UInt8(ascii: "=")] + ended) else { return nil }
        return DirectEnvironment(
            strings: CStrings(entries.filter { !$0.starts(with: [UInt8(ascii: "_"), UInt8(ascii: "=")]) }))
    }

    private static func readAll(_ file: consuming Descriptor) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case .bytes(let count) = chunk.withUnsafeMutableBytes({ file.read(into: $0) }) {
            bytes += chunk[..<count]
        }
        return bytes
    }
}
