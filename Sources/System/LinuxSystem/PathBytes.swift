import Glibc

/// Paths as Linux has them: bytes, of any encoding or none.
package typealias PathBytes = [UInt8]

extension PathBytes {
    /// Gives the path to a C function.
    package func withPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        let bytes = self + [0]
        return bytes.withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
    }

    /// For messages.
    package var text: String { String(decoding: self, as: UTF8.self) }

    /// The path without its last part: empty where it has but one.
    package var parentPath: PathBytes {
        lastIndex(of: UInt8(ascii: "/")).map { PathBytes(self[..<Swift.max($0, 1)]) } ?? []
    }

    /// The part behind the last slash.
    package var lastPart: PathBytes {
        lastIndex(of: UInt8(ascii: "/")).map { PathBytes(self[($0 + 1)...]) } ?? self
    }

    /// A path below this one.
    package func appending(_ part: some Collection<UInt8>) -> PathBytes {
        if isEmpty || part.isEmpty { return self + part }
        return last == UInt8(ascii: "/") ? self + part : self + [UInt8(ascii: "/")] + part
    }

    /// Whether its directory is there and is this one, or stands below it, symbolic links followed.
    package func isBelow(_ directory: PathBytes) -> Bool {
        guard let here = parentPath.resolved, let above = directory.resolved else { return false }
        return here == above || here.starts(with: above + [UInt8(ascii: "/")])
    }

    /// The absolute path without symbolic links; nil where it leads nowhere.
    private var resolved: PathBytes? {
        guard let path = (isEmpty ? PathBytes(".".utf8) : self).withPath({ realpath($0, nil) }) else { return nil }
        defer { free(path) }
        return UnsafeBufferPointer(start: path, count: strlen(path)).map { UInt8(bitPattern: $0) }
    }

    /// The names in a directory, without `.` and `..`, in the order of their bytes.
    package func directoryNames() throws(SystemError) -> [PathBytes] {
        guard let directory = withPath({ opendir($0) }) else { throw SystemError("read directory \(text)") }
        defer { closedir(directory) }
        var names: [PathBytes] = []
        while let item = readdir(directory) {
            let name = withUnsafePointer(to: &item.pointee.d_name) { field in
                field.withMemoryRebound(to: UInt8.self, capacity: 256) { bytes in
                    PathBytes(UnsafeBufferPointer(start: bytes, count: 256).prefix { $0 != 0 })
                }
            }
            if !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Makes a directory of this path, and those above it where they are missing. True where all are there then.
    @discardableResult
    package func makeDirectories() -> Bool {
        if isEmpty || withPath({ mkdir($0, 0o777) }) == 0 { return true }
        switch errno {
        case EEXIST: return FileStatus.of(self)?.kind == .directory
        case ENOENT:
            let parent = parentPath
            guard parent.count < count, parent.makeDirectories() else { return false }
            return withPath { mkdir($0, 0o777) } == 0 || errno == EEXIST
        default: return false
        }
    }

    /// Removes a file, or a directory with all that is in it. False where something stays.
    @discardableResult
    package func removeTree() -> Bool {
        if withPath({ unlink($0) }) == 0 || errno == ENOENT { return true }
        guard errno == EISDIR || errno == EPERM, let names = try? directoryNames() else { return false }
        var isGone = true
        for name in names { isGone = appending(name).removeTree() && isGone }
        return withPath { rmdir($0) } == 0 && isGone
    }

    /// The paths that match a pattern of sh(1) (glob(7), and braces), sorted; none where nothing matches.
    ///
    /// - Throws: where a directory on the way can't be read.
    package static func matches(of pattern: PathBytes) throws(SystemError) -> [PathBytes] {
        var found = glob_t()
        defer { globfree(&found) }
        // What isn't there has no match; all else that stands in the way would hide some.
        let isFatal: @convention(c) (UnsafePointer<CChar>?, CInt) -> CInt = { _, code in
            code == ENOENT || code == ENOTDIR ? 0 : 1
        }
        switch pattern.withPath({ glob($0, GLOB_BRACE, isFatal, &found) }) {
        case 0: break
        case GLOB_NOMATCH: return []
        case GLOB_ABORTED: throw SystemError("find \(pattern.text)")
        default: throw SystemError("find \(pattern.text)", code: ENOMEM)
        }
        return (0..<Int(found.gl_pathc)).compactMap { place in
            found.gl_pathv[place].map { path in
                UnsafeBufferPointer(start: path, count: strlen(path)).map { UInt8(bitPattern: $0) }
            }
        }
    }

    /// The path as a pattern that matches it alone.
    package var asPattern: PathBytes {
        flatMap { "*?[]{},~\\".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
    }
}
