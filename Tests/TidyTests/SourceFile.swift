import Foundation

/// A file of the repository, as the rules look at it.
struct SourceFile: Sendable {
    /// From the repository's folder on: `Sources/Core/DisbatchCore/Model/Instant.swift`.
    let path: String
    let lines: [String]
    /// All of its text, in small letters.
    let smallLetters: Data
    /// The lines of Swift source without comments and without what stands in quotation marks.
    let code: [String]

    init(_ path: String, _ text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        smallLetters = Data(text.lowercased().utf8)
        code = path.hasSuffix(".swift") ? Self.code(lines) : []
    }

    /// The target of Sources that it belongs to: the folder in one of the four.
    var target: String? {
        let parts = path.split(separator: "/")
        guard parts.count > 3, parts[0] == "Sources" else { return nil }
        return String(parts[2])
    }

    /// Whether a word stands anywhere in it, whatever its letters are: a first look, before one at each line.
    func mentions(_ word: String) -> Bool { smallLetters.range(of: Data(word.lowercased().utf8)) != nil }

    var isSwift: Bool { path.hasSuffix(".swift") }

    private static func code(_ lines: [String]) -> [String] {
        var isInText = false
        return lines.map { line in
            // As most lines are: looked at by bytes, for all lines of the project are looked at.
            if !isInText, !line.utf8.contains(where: { "\"/".utf8.contains($0) }) { return line }
            if isInText || line.contains(#"""""#) {
                // The marks of a text of several lines end the line where it begins, and begin the one where it ends.
                defer { if line.contains(#"""""#) { isInText.toggle() } }
                if isInText { return "" }
                return withoutTexts(line.prefix(upTo: line.range(of: #"""""#)?.lowerBound ?? line.endIndex))
            }
            return withoutTexts(line[...])
        }
    }

    private static func withoutTexts(_ line: Substring) -> String {
        var result = ""
        var isInText = false
        var previous: Character?
        for character in line {
            defer { previous = previous == "\\" && character == "\\" ? nil : character }
            if character == "\"", previous != "\\" { isInText.toggle() }
            guard !isInText else { continue }
            result.append(character)
            if result.hasSuffix("//") { return String(result.dropLast(2)) }
        }
        return result
    }
}

/// What a rule does not allow, and where.
struct Finding: Equatable, CustomStringConvertible {
    let path: String
    let line: Int
    /// The rule's name and what it asks for.
    let rule: String

    init(_ file: SourceFile, _ index: Int, _ rule: String) {
        path = file.path
        line = index + 1
        self.rule = rule
    }

    var description: String { "\(path):\(line): \(rule)" }
}
