import Foundation

/// How long a file, a function and a line may be.
enum SizeRules {
    static let fileLimit = 500
    static let functionLimit = 70
    static let lineLimit = 120

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.isSwift else { return [] }
        var result: [Finding] = []
        // What follows the last newline is no line.
        let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
        if count > fileLimit {
            result.append(Finding(file, fileLimit, "file length: \(count) lines, more than \(fileLimit)"))
        }
        // Bytes first, of which a line has at least as many: characters take long to count.
        for (index, line) in file.lines.enumerated() where line.utf8.count > lineLimit && line.count > lineLimit {
            result.append(Finding(file, index, "line length: \(line.count) characters, more than \(lineLimit)"))
        }
        return result + functions(file)
    }

    private static func functions(_ file: SourceFile) -> [Finding] {
        let code = file.code
        return code.indices.compactMap { start in
            guard let end = endOfFunction(code, start), end - start + 1 > functionLimit else { return nil }
            let count = end - start + 1
            return Finding(file, start, "function length: \(count) lines, more than \(functionLimit)")
        }
    }

    /// The last line of the function that begins on a line; nil where none begins, or none with a body. The source is
    /// formatted, so that the closing brace stands below the beginning.
    private static func endOfFunction(_ code: [String], _ start: Int) -> Int? {
        guard isFunction(code[start]) else { return nil }
        let indent = code[start].prefix { $0 == " " }
        var index = start
        while !code[index].hasSuffix("{") {
            // A body on the same line, or no body at all: what comes next is something else.
            if code[index].hasSuffix("}") { return index }
            index += 1
            guard index < code.count, !code[index].isEmpty, !isFunction(code[index]) else { return nil }
        }
        return code[index...].firstIndex { $0.hasPrefix(indent + "}") }
    }

    private static func isFunction(_ line: String) -> Bool {
        // Most lines are none, and a regular expression takes its time.
        guard ["func ", "init", "subscript"].contains(where: line.contains) else { return false }
        let head = /^ *(?:@\w+(?:\([^)]*\))? |[a-z]+(?:\(set\))? )*(?:func |init[?(<]|deinit|subscript[(<])/
        return line.firstMatch(of: head) != nil
    }
}
