import Glibc

/// The directory in which this program was started: the driver's tasks run there.
package enum WorkingDirectory {
    /// By the shell's name for it where that is right, so that symbolic links stay as the user sees them.
    package static let path: String = {
        if let name = getenv("PWD").map({ String(cString: $0) }), name.hasPrefix("/"),
            let named = FileStatus.of(Array(name.utf8)), let actual = FileStatus.of([UInt8(ascii: ".")]),
            named.isSame(as: actual)
        {
            return name
        }
        guard let raw = getcwd(nil, 0) else { return "/" }
        defer { free(raw) }
        return String(cString: raw)
    }()
}
