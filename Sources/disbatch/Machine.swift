import DisbatchContexts
import Glibc
import LinuxSystem
import Options

/// What this machine is, for choosing a context.
enum Machine {
    /// Chooses the context that the options ask for here.
    static func plan(_ options: ContextOptions) throws(ContextError) -> ContextPlan {
        var request = ContextRequest(hostName: OwnHost.name, ownCores: AllowedCores.count())
        request.coresPerTask = options.coresPerTask
        request.tasksPerNode = options.tasksPerNode
        request.fillsNodes = options.fillsNodes
        request.label = options.label
        return try ContextChoice.plan(
            options.kind.flatMap { ContextKind(rawValue: $0.rawValue) }, sshLists: options.sshNodes, request,
            Surroundings(variable: variable, findPrograms: programs, readFile: TextFile.read, output: output))
    }

    @Sendable private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
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
