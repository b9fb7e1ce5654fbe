import Foundation
import TestSupport

/// The repository that the tests were built from.
enum Repository {
    static let root = ProjectFolder.root

    /// All of the project's text files: golden files, which others wrote, inputs that a fuzzer made, and what is built
    /// are none.
    static let files: [SourceFile] = topLevel().flatMap(read)

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func topLevel() -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return all.filter { ($0.first != "." || $0 == ".ci") && $0 != "dist" && $0 != "LICENSE" }.sorted()
    }

    private static func read(_ path: String) -> [SourceFile] {
        guard path != "Tests/Golden", path != "Proof/fuzz/corpus" else { return [] }
        let url = root.appending(path: path)
        if let names = try? FileManager.default.contentsOfDirectory(atPath: url.path) {
            return names.sorted().flatMap { read("\(path)/\($0)") }
        }
        guard let text = try? String(contentsOf: url, encoding: .utf8) else { return [] }
        return [SourceFile(path, text)]
    }
}
