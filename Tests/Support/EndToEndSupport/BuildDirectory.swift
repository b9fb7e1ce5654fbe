import Foundation
import TestSupport

/// Where the programs stand that this build made: beside the test bundle.
enum BuildDirectory {
    static let path: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().path
    }()

    /// Whether they are those of `Proof/sanitize`: ten times slower, and with files and memory of the sanitizer's own.
    static let isSanitized = path.contains("/sanitize-")
    /// How many bytes a sanitizer's bookkeeping may add to a program: what was freed is kept for a while.
    static let sanitizerOverhead = isSanitized ? 100 << 20 : 0
}

/// Task files, and what disBatch 3.0 wrote for them.
enum Golden {
    static let directory = ProjectFolder.path("Tests/Golden/disbatch3")

    static func path(_ name: String) -> String { directory + "/" + name }

    /// The rows of one of disBatch's status files.
    static func rows(_ name: String) throws -> [StatusLine] {
        StatusLine.parse(String(decoding: try Data(contentsOf: URL(fileURLWithPath: path(name))), as: UTF8.self))
    }
}
