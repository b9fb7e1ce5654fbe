import Foundation

/// A process as /proc shows it.
struct LiveProcess: CustomStringConvertible {
    let pid: Int32
    let parent: Int32
    let session: Int32
    let state: String
    let commandLine: String

    var description: String { "\(pid) (parent \(parent), \(state)) \(commandLine)" }

    /// All that live: no zombies.
    static func all() -> [LiveProcess] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap(of(_:)).filter { $0.state != "Z" && $0.state != "X" }
    }

    /// One process, zombie or not; nil where there is none.
    static func of(_ pid: Int32) -> LiveProcess? {
        guard let stat = read("/proc/\(pid)/stat"), let close = stat.lastIndex(of: UInt8(ascii: ")")) else {
            return nil
        }
        let fields = String(decoding: stat[(close + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 3, let parent = Int32(fields[1]), let session = Int32(fields[3]) else { return nil }
        let line = (read("/proc/\(pid)/cmdline") ?? []).map { $0 == 0 ? UInt8(ascii: " ") : $0 }
        return LiveProcess(
            pid: pid, parent: parent, session: session, state: String(fields[0]),
            commandLine: String(decoding: line, as: UTF8.self))
    }

    /// Whether it was started with this `NAME=VALUE` in its environment.
    func hasVariable(_ variable: String) -> Bool {
        (Self.read("/proc/\(pid)/environ") ?? []).split(separator: 0).contains { $0.elementsEqual(variable.utf8) }
    }

    /// Whether its working directory is this one or below.
    func works(in directory: String) -> Bool {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
        return own.map { $0 == directory || $0.hasPrefix(directory + "/") } ?? false
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Foundation.read(file, &buffer, buffer.count)
            guard count > 0 else { return count == 0 ? result : nil }
            result += buffer[..<count]
        }
    }
}
