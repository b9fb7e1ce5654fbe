package import Foundation

/// The folder of the project that the tests were built from.
package enum ProjectFolder {
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The absolute path of a file or folder of the project, given from its root on.
    package static func path(_ name: String) -> String { root.appending(path: name).path }
}
