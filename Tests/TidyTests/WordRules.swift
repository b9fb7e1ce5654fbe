import Foundation

/// Words that no file of the project holds.
enum WordRules {
    struct Ban {
        let word: String
        let reason: String
        /// Whether tests may use it.
        var isAllowedInTests = false
    }

    static let banned = [
        Ban(
            word: "Process(",
            reason: "Foundation's Process waits for the end of a pipe that others may hold; tests have Tool"),
        Ban(word: "try!", reason: "an error is handled, or is an event"),
        Ban(word: "as!", reason: "a type is known, or asked for"),
        Ban(word: "fatalError(", reason: "our own bugs are a precondition's"),
        Ban(word: "DispatchQueue", reason: "the loop is one thread; what blocks has a thread of its own"),
        Ban(word: "usleep(", reason: "wait for what is waited for", isAllowedInTests: true),
        Ban(word: "async ", reason: "the loop is one thread; an actor's state is stale after await"),
        Ban(word: "await ", reason: "the loop is one thread; an actor's state is stale after await"),
        Ban(word: "@unchecked Sendable", reason: "say in the exceptions why it is safe", isAllowedInTests: true),
    ]

    /// A file that may use a banned word, and why.
    struct Exception {
        let path: String
        let word: String
        let reason: String
    }

    static let exceptions = [
        Exception(
            path: "Sources/System/LinuxSystem/Guarded.swift", word: "@unchecked Sendable",
            reason: "its value is touched only while its own mutex is held"),
        Exception(
            path: "Sources/System/SSHTransport/LibSSH2Channel.swift", word: "@unchecked Sendable",
            reason: "the thread that makes it hands it to the loop, and lets go of it"),
        Exception(
            path: "Sources/Runtime/EngineRuntime/TaskLauncher.swift", word: "@unchecked Sendable",
            reason: "its scratch memory is touched by the starter's thread alone"),
        Exception(
            path: "Sources/Runtime/EngineRuntime/CStrings.swift", word: "@unchecked Sendable",
            reason: "it is handed over whole from the thread that made it to the one that uses it"),
        Exception(
            path: "Tests/Support/TestSupport/TestThreads.swift", word: "async ",
            reason: "Swift Testing asks a trait so; it is how tests come to threads of their own"),
        Exception(
            path: "Tests/Support/TestSupport/TestThreads.swift", word: "await ",
            reason: "Swift Testing asks a trait so; it is how tests come to threads of their own"),
        Exception(
            path: "Sources/Core/Simulation/FakeEngine.swift", word: "Process(",
            reason: "a simulated engine's own, which is no process at all"),
    ]

    /// The first is what is not written, the second what is.
    static let spellings = [
        ("behavior", "behaviour"), ("behaviors", "behaviours"), ("color", "colour"), ("colors", "colours"),
        ("colored", "coloured"), ("center", "centre"), ("centered", "centred"), ("gray", "grey"),
        ("canceled", "cancelled"), ("canceling", "cancelling"), ("labeled", "labelled"), ("labeling", "labelling"),
        ("signaled", "signalled"), ("signaling", "signalling"), ("modeled", "modelled"), ("traveled", "travelled"),
        ("neighbor", "neighbour"), ("honor", "honour"), ("honors", "honours"), ("honored", "honoured"),
        ("favor", "favour"), ("analyze", "analyse"), ("defense", "defence"), ("recognize", "recognise"),
        ("recognized", "recognised"), ("organize", "organise"), ("initialized", "initialised"),
        ("serialize", "serialise"), ("serialized", "serialised"), ("normalize", "normalise"),
        ("optimize", "optimise"), ("optimized", "optimised"), ("summarize", "summarise"),
        // And of what is British too, the one of two that the project writes.
        ("programme", "program"), ("disc", "disk"), ("connexion", "connection"), ("despatch", "dispatch"),
    ]

    /// Folders of the machine that this is written on, which on no other machine mean anything.
    static let machinePaths = [Repository.root.path, FileManager.default.homeDirectoryForCurrentUser.path]
        .filter { $0.count > 1 }.map { $0 + "/" }

    static func findings(in file: SourceFile) -> [Finding] {
        // The words of these rules stand in them.
        guard !file.path.hasPrefix("Tests/TidyTests/") else { return [] }
        return bannedWords(file) + marks(file) + spelling(file) + paths(file)
    }

    private static func bannedWords(_ file: SourceFile) -> [Finding] {
        guard file.isSwift else { return [] }
        let isTest = file.path.hasPrefix("Tests/")
        let banned = banned.filter { file.mentions($0.word) }
        guard !banned.isEmpty else { return [] }
        return file.code.enumerated().flatMap { index, line in
            banned.compactMap { ban in
                guard holds(line, ban.word), !(isTest && ban.isAllowedInTests) else { return nil }
                if exceptions.contains(where: { $0.path == file.path && $0.word == ban.word }) { return nil }
                return Finding(file, index, "banned word: \(ban.word) (\(ban.reason))")
            }
        }
    }

    /// Whether a line holds a word, and not just as the end of a longer one.
    private static func holds(_ line: String, _ word: String) -> Bool {
        var rest = line[...]
        while let range = rest.range(of: word) {
            let before = range.lowerBound > line.startIndex ? line[line.index(before: range.lowerBound)] : " "
            if !before.isLetter && !before.isNumber && before != "_" { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    private static func marks(_ file: SourceFile) -> [Finding] {
        guard ["TODO", "FIXME", "XXX"].contains(where: file.mentions) else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            guard let match = line.firstMatch(of: /\b(TODO|FIXME|XXX)\b/) else { return nil }
            return Finding(file, index, "unfinished: \(match.1); do it, or write an issue")
        }
    }

    private static let spellingOf = Dictionary(uniqueKeysWithValues: spellings)

    private static func spelling(_ file: SourceFile) -> [Finding] {
        guard spellingOf.keys.contains(where: file.mentions) else { return [] }
        return file.lines.enumerated().flatMap { index, line in
            // Names of other people's functions and variables are theirs, and so are those of CSS.
            let own = line.lowercased().replacing("color-scheme", with: "").replacing("color: var(", with: "")
            return own.split { !$0.isLetter && $0 != "_" && $0 != "." }.compactMap { word in
                let word = String(word.last == "." ? word.dropLast() : word)
                return spellingOf[word].map { Finding(file, index, "spelling: \(word); the project writes \($0)") }
            }
        }
    }

    private static func paths(_ file: SourceFile) -> [Finding] {
        let machinePaths = machinePaths.filter(file.mentions)
        guard !machinePaths.isEmpty else { return [] }
        return file.lines.enumerated().flatMap { index, line in
            machinePaths.filter { line.contains($0) }.map { path in
                Finding(file, index, "machine path: \(path) means nothing elsewhere")
            }
        }
    }
}
