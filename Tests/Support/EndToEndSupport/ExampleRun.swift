import Foundation
import TestSupport

/// One example with a directory of its own, which is removed with this.
final class ExampleRun {
    struct Ended {
        var status: Int32
        var output: String
        var errors: String
    }

    struct Row {
        var flags: String
        var task: String
    }

    let output: URL
    private let script: String

    init(_ name: String) throws {
        script = ProjectFolder.path("Examples/\(name)/run")
        output = FileManager.default.temporaryDirectory.appending(path: "disbatch-\(name)-\(UUID())")
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: output) }

    func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Ended {
        try run(script, arguments, environment)
    }

    func shell(_ line: String) throws -> Ended { try run("/bin/sh", ["-c", line], [:]) }

    private func run(_ program: String, _ arguments: [String], _ extra: [String: String]) throws -> Ended {
        // The tests' own program stands beside disbatch.
        let built = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let environment = ProcessInfo.processInfo.environment
            .merging(["DISBATCH": built.appending(path: "disbatch").path]) { $1 }.merging(extra) { $1 }
        let result = try Tool.run([program] + arguments, environment: environment, directory: output.path)
        return Ended(status: result.status, output: result.text, errors: result.errorText)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOf: output.appending(path: name), encoding: .utf8)
    }

    func rows(_ name: String) throws -> [Row] {
        try text(name).split(separator: "\n").map { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            return Row(flags: String(columns[0].prefix(4)), task: columns.count > 1 ? String(columns[1]) : "")
        }
    }
}
