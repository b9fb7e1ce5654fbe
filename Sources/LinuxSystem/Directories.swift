import Glibc

/// Directories, as `mkdir -p` makes them.
package enum Directories {
    /// Makes a directory and those above it where they are missing. Whether that went well shows in using it.
    package static func make(_ path: String) {
        var place = path.utf8.startIndex
        while let slash = path.utf8[place...].dropFirst().firstIndex(of: UInt8(ascii: "/")) {
            mkdir(String(path[..<slash]), 0o777)
            place = slash
        }
        mkdir(path, 0o777)
    }
}
