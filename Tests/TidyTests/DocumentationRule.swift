import Foundation

/// What other targets use says what it does: each type and function of package access has a doc comment. Properties
/// and initialisers have one where their name, type and owner don't say it all already, which no rule can see.
enum DocumentationRule {
    static func findings(in file: SourceFile) -> [Finding] {
        guard file.isSwift, file.path.hasPrefix("Sources/") else { return [] }
        return file.code.enumerated().compactMap { index, line in
            guard let match = line.firstMatch(of: declaration), !isDocumented(file.lines, index) else { return nil }
            return Finding(file, index, "doc comment: package \(match.1) \(match.2) has none")
        }
    }

    /// Operators mean what they mean.
    private nonisolated(unsafe) static let declaration =
        /^ *(?:@\S+ )*package (?:[a-z]+ )*?(struct|class|enum|protocol|actor|typealias|func) (\w+)/

    private static func isDocumented(_ lines: [String], _ index: Int) -> Bool {
        var above = index - 1
        while above >= 0, lines[above].trimmingPrefix(while: { $0 == " " }).hasPrefix("@") { above -= 1 }
        return above >= 0 && lines[above].trimmingPrefix(while: { $0 == " " }).hasPrefix("///")
    }

    // MARK: Words

    /// Words that a doc comment does not begin with: its subject is a noun.
    static let vagueWords = ["it", "who", "what", "so many", "so long", "takes in"]

    /// The first lines of doc comments whose subject is no noun.
    static func vagueComments(in file: SourceFile) -> [Finding] {
        guard file.isSwift, file.path.hasPrefix("Sources/") else { return [] }
        var isInside = false
        return file.lines.enumerated().compactMap { index, line in
            let text = line.drop { $0 == " " }
            defer { isInside = text.hasPrefix("///") }
            guard !isInside, text.hasPrefix("/// ") else { return nil }
            let words = text.dropFirst(4).lowercased()
            guard let word = vagueWords.first(where: { begins(words, with: $0) }) else { return nil }
            return Finding(file, index, "doc comment: begins with \(word); a noun is its subject")
        }
    }

    private static func begins(_ words: String, with beginning: String) -> Bool {
        words.hasPrefix(beginning) && words.dropFirst(beginning.count).first?.isLetter != true
    }
}
