/// A file or directory that engines are to have before their first task (`--stage-in`).
package struct StagedEntry: Equatable, Sendable {
    /// The kind of an entry: a file with content, or a directory.
    package enum Kind: UInt8, Sendable {
        case file
        case directory
    }

    package var kind: Kind
    /// Its place on the engine's machine: absolute, or from the working directory.
    package var path: [UInt8]
    /// Where it is at home, absolute.
    package var source: [UInt8]
    /// Bytes; 0 of a directory.
    package var size: Int
    /// Its rights, as chmod(2) takes them.
    package var mode: UInt32
    /// When it was last changed, in nanoseconds since 1970.
    package var modified: Int64
    /// Its number on its file system at home.
    package var inode: UInt64

    package init(
        kind: Kind, path: [UInt8], source: [UInt8], size: Int, mode: UInt32, modified: Int64, inode: UInt64 = 0
    ) {
        self.kind = kind
        self.path = path
        self.source = source
        self.size = size
        self.mode = mode
        self.modified = modified
        self.inode = inode
    }

    /// Whether a file of this size and time is taken to be this one, as rsync(1) does. File systems that keep times
    /// less exactly keep the seconds, or the microseconds.
    package func isUnchanged(size: Int, modified: Int64) -> Bool {
        guard size == self.size else { return false }
        let second: Int64 = 1_000_000_000
        return modified == self.modified || modified == self.modified / 1000 * 1000
            || modified == self.modified / second * second
    }
}

/// Paths that another process names.
package enum StagedPath {
    /// Whether a path stays below the directory it is seen from: not absolute, without `..`, NUL and empty parts.
    package static func isInside(_ path: [UInt8]) -> Bool {
        guard !path.isEmpty, !path.contains(0) else { return false }
        return path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
        }
    }
}

/// A file on its way home, as it is announced before its bytes.
package struct ArrivingFile: Equatable, Sendable {
    /// The assignment whose task it is of.
    package var assignment: AssignmentID
    /// The stream that it keeps, under `--capture`; nil of a file that the task made. The driver knows its place.
    package var captured: TaskOutputStream?
    /// The number of the rule it matched; 0 of a stream.
    package var rule = 0
    /// See ``StageOutRule/destination(of:task:home:)``; empty of a stream.
    package var path: [UInt8] = []
    /// Its rights, as chmod(2) takes them.
    package var mode: UInt32
    /// When it was last changed, in nanoseconds since 1970.
    package var modified: Int64

    /// Bytes that it counts, beside its content, against ``EngineProtocol/stageOutWindow``.
    package var cost: Int { 4096 + path.count }

    package init(assignment: AssignmentID, rule: Int, path: [UInt8], mode: UInt32, modified: Int64) {
        self.assignment = assignment
        self.rule = rule
        self.path = path
        self.mode = mode
        self.modified = modified
    }

    package init(assignment: AssignmentID, captured: TaskOutputStream, mode: UInt32, modified: Int64) {
        self.assignment = assignment
        self.captured = captured
        self.mode = mode
        self.modified = modified
    }
}
