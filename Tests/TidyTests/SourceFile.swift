import Foundation

/// A file of the repository, as the rules look at it.
struct SourceFile: Sendable {
    /// From the repository's folder on: `Sources/Core/DisbatchCore/Model/Instant.swift`.
    let path: String
    let lines: [String]

    init(_ path: String, _ text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The target of Sources that it belongs to: the folder in one of the four.
    var target: String? {
        let parts = path.split(separator: "/")
        guard parts.count > 3, parts[0] == "Sources" else { return nil }
        return String(parts[2])
    }

    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The lines without comments and without what stands in quotation marks.
    var code: [String] {
        var isInText = false
        return lines.map { line in
            if isInText || line.contains(#"""""#) {
                // The marks of a text of several lines end the line where it begins, and begin the one where it ends.
                defer { if line.contains(#"""""#) { isInText.toggle() } }
                if isInText { return "" }
                return Self.withoutTexts(line.prefix(upTo: line.range(of: #"""""#)?.lowerBound ?? line.endIndex))
            }
            return Self.withoutTexts(line[...])
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
