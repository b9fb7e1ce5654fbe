import Foundation
import TestSupport

/// A directory for one test, removed at its end.
final class TestDirectory: Sendable {
    let path: String

    init() {
        // Resolved, as tasks see it by getcwd(3).
        let parent = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = parent + "/engine-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }

    func text(_ name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    func bytes(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: path + "/" + name).map(Array.init) }

    func write(_ text: String, to name: String, executable: Bool = false) throws {
        guard !executable else { return try Tool.writeProgram(path + "/" + name, text) }
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    }
}
