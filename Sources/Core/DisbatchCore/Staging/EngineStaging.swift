/// An engine's orders about its tasks' files (`--stage-in`, `--task-dir`, `--stage-out`, `--capture`).
///
/// Paths are bytes. The home is the driver's working directory, on the driver's machine.
package struct EngineStaging: Equatable, Sendable {
    /// `--task-dir`: below it, in the working directory, each task gets a directory of its own; nil without.
    package var taskRoot: [UInt8]?
    /// `--stage-out`
    package var rules: [StageOutRule] = []
    /// Absolute.
    package var home: [UInt8] = []
    /// The name, and the content, of a file that the driver has put into the home, the rules' bases and the directory
    /// of `--capture`: who finds it in a directory has the driver's own. Empty where there is none.
    package var mark: [UInt8] = []
    /// Whether a list of files comes before the first task (`--stage-in`).
    package var stagesIn = false

    package init() {}

    /// Whether there is anything to do at all.
    package var isNeeded: Bool { taskRoot != nil || !rules.isEmpty || !mark.isEmpty || stagesIn }
}

/// Which files of a task come home, and where to.
package struct StageOutRule: Equatable, Sendable {
    /// A pattern as sh(1) has it, relative to the task's directory; `%t` stands for the task's number.
    package var pattern: [UInt8]
    /// Where its matches go, absolute, at home; `%t` stands for the task's number. Nil: to the same place, seen from
    /// the home, as they have seen from the engine's working directory.
    package var directory: [UInt8]?
    /// The part of it, or the home, that is there before any task has run.
    package var base: [UInt8] = []

    package init(pattern: [UInt8], directory: [UInt8]?) {
        self.pattern = pattern
        self.directory = directory
    }

    /// The pattern for one task.
    package func pattern(for task: TaskID) -> [UInt8] { Self.fill(pattern, task) }

    /// The place at home of a task's file.
    ///
    /// - Parameters:
    ///   - home: absolute.
    ///   - file: its path, from the ``fixedPart(of:)`` of the pattern where there is a ``directory``, else from the
    ///     working directory.
    package func destination(of file: [UInt8], task: TaskID, home: [UInt8]) -> [UInt8] {
        (directory.map { Self.fill($0, task) } ?? home) + [UInt8(ascii: "/")] + file
    }

    /// The directories that a pattern begins with and that have no wildcards: `out/a` of `out/a/*/log*`.
    package static func fixedPart(of pattern: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        let parts = pattern.split(separator: slash, omittingEmptySubsequences: false)
        let fixed = parts.dropLast().prefix { !hasWildcards($0) }
        return Array(fixed.joined(separator: [slash]))
    }

    /// Whether a pattern may match other names than itself.
    package static func hasWildcards(_ pattern: some Sequence<UInt8>) -> Bool {
        pattern.contains { "*?[{\\".utf8.contains($0) }
    }

    /// Whether files of two tasks may have the same place at home.
    package var mayClash: Bool {
        guard let directory else { return false }
        return !Self.namesTask(directory)
            && !Self.namesTask(Array(pattern.dropFirst(Self.fixedPart(of: pattern).count)))
    }

    /// Whether the files of all tasks have the same place at home: then only the last one's would be left.
    package var alwaysClashes: Bool { mayClash && !Self.hasWildcards(pattern) }

    /// Whether it has a `%t`: then the matches of two tasks can't be the same.
    package static func namesTask(_ text: [UInt8]) -> Bool { text.firstRange(of: placeholder) != nil }

    private static let placeholder = Array("%t".utf8)

    private static func fill(_ text: [UInt8], _ task: TaskID) -> [UInt8] {
        var result: [UInt8] = []
        var rest = text[...]
        while let range = rest.firstRange(of: placeholder) {
            result += rest[..<range.lowerBound] + Array(String(task.rawValue).utf8)
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}
