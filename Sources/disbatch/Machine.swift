import DisbatchContexts
import Glibc
import LinuxSystem
import Options

/// What this machine is, for choosing a context.
enum Machine {
    /// Chooses the context that the options ask for here.
    static func plan(_ options: ContextOptions) throws(ContextError) -> ContextPlan {
        var request = ContextRequest(hostName: hostName, ownCores: AllowedCores.count())
        request.coresPerTask = options.coresPerTask
        request.tasksPerNode = options.tasksPerNode
        request.fillsNodes = options.fillsNodes
        request.label = options.label
        return try ContextChoice.plan(
            options.kind.flatMap { ContextKind(rawValue: $0.rawValue) }, sshLists: options.sshNodes, request,
            Surroundings(variable: variable, findPrograms: programs, readFile: text, output: output))
    }

    private static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    @Sendable private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    @Sendable private static func text(_ path: String) -> String? {
        guard let file = try? Descriptor.open(path, O_RDONLY) else { return nil }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            switch buffer.withUnsafeMutableBytes({ file.read(into: $0) }) {
            case .bytes(let count): bytes += buffer[..<count]
            case .ended: return String(decoding: bytes, as: UTF8.self)
            case .wouldBlock, .failed: return nil
            }
        }
    }

    @Sendable private static func output(_ words: [String]) -> String? {
        guard let path = ChildProcess.find(words[0]),
            let (end, bytes) = try? ChildProcess.output(of: [path] + words.dropFirst()), end == .exited(status: 0)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Sendable private static func programs(_ names: [String]) -> [String] {
        let directories = (variable("PATH") ?? "").split(separator: ":")
        return names.filter { name in directories.contains { access("\($0)/\(name)", X_OK) == 0 } }
    }
}

/// Prints a line on standard error.
func printError(_ text: String, terminator: String = "\n") {
    let bytes = Array((text + terminator).utf8)
    _ = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}
