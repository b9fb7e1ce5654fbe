/// Reads a program's arguments as GNU programs do, and as Python's argparse (disBatch's parser) does.
///
/// `--name value`, `--name=value`, shortened long names, `-c 2`, `-c2`, `-c=2`, bundles (`-eR`), operands anywhere,
/// `--` ends options, `-` is an operand. As in argparse, a word that begins with `-` is no value, unless it is `-`
/// or a negative number: `--prefix --retry` is a forgotten value, and `--prefix=--retry` is there for who means it.
package struct OptionParser {
    package let table: OptionTable

    package init(_ table: OptionTable) { self.table = table }

    /// Tells options and operands apart.
    ///
    /// - Parameter words: the arguments, without the program's name.
    /// - Throws: at the first word that is wrong, or that names an option which is not available yet.
    package func parse(_ words: [String]) throws(OptionError) -> ParsedOptions {
        var parsed = ParsedOptions()
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                parsed.operands += rest
                break
            } else if word.utf8.starts(with: "--".utf8) {
                try readLong(word, &rest, into: &parsed)
            } else if word.utf8.first == UInt8(ascii: "-"), word != "-" {
                try readLetters(word, &rest, into: &parsed)
            } else {
                parsed.operands.append(word)
            }
            if parsed.immediate != nil { return parsed }
        }
        try checkNeeds(parsed)
        return parsed
    }

    // MARK: Words

    private func readLong(
        _ word: String, _ rest: inout ArraySlice<String>, into parsed: inout ParsedOptions
    ) throws(OptionError) {
        let body = word.dropFirst(2)
        let equals = body.utf8.firstIndex(of: UInt8(ascii: "="))
        let name = String(body[..<(equals ?? body.endIndex)])
        let inline = equals.map { String(body[body.utf8.index(after: $0)...]) }
        let option = try resolve(name)
        let spelling = "--" + (option.names.first { $0 == name } ?? option.names.first { $0.hasPrefix(name) } ?? name)
        let value: String?
        switch option.value {
        case .none:
            if let inline { throw OptionError(.unexpectedValue, "\(spelling) takes no value (\(inline.quoted))") }
            value = nil
        case .required(let metavar):
            value = if let inline { inline } else { try takeValue(metavar, of: spelling, from: &rest) }
        case .optional:
            value = inline ?? takeOptionalValue(from: &rest)
        }
        try add(option, spelling: spelling, value: value, to: &parsed)
    }

    private func readLetters(
        _ word: String, _ rest: inout ArraySlice<String>, into parsed: inout ParsedOptions
    ) throws(OptionError) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let option = table.option(letter: letter) else { throw unknownLetter(letter, in: word) }
            let spelling = "-\(letter)"
            if option.value == .none {
                try add(option, spelling: spelling, value: nil, to: &parsed)
                if option.isImmediate { return }
                continue
            }
            let value: String?
            if !letters.isEmpty {
                value = String(letters.first == "=" ? letters.dropFirst() : letters)
            } else if case .required(let metavar) = option.value {
                value = try takeValue(metavar, of: spelling, from: &rest)
            } else {
                value = takeOptionalValue(from: &rest)
            }
            return try add(option, spelling: spelling, value: value, to: &parsed)
        }
    }

    private func add(
        _ option: OptionSpec, spelling: String, value: String?, to parsed: inout ParsedOptions
    ) throws(OptionError) {
        if case .notYet(let instead) = option.availability {
            let advice = instead.isEmpty ? "" : " " + instead
            throw OptionError(.notAvailable, "\(spelling) is not available yet.\(advice)")
        }
        let occurrence = ParsedOptions.Occurrence(name: option.name, spelling: spelling, value: value)
        parsed.occurrences.append(occurrence)
        if option.isImmediate { parsed.immediate = occurrence }
    }

    // MARK: Values

    private func takeValue(
        _ metavar: String, of spelling: String, from rest: inout ArraySlice<String>
    ) throws(OptionError) -> String {
        guard let next = rest.first else {
            throw OptionError(.missingValue, "\(spelling) needs a value: \(spelling) \(metavar)")
        }
        guard !looksLikeOption(next) else {
            let joined = spelling.utf8.starts(with: "--".utf8) ? "\(spelling)=\(next)" : "\(spelling)\(next)"
            throw OptionError(
                .missingValue, "\(spelling) needs a value before \(next) (if that is the value, write \(joined))")
        }
        rest.removeFirst()
        return next
    }

    private func takeOptionalValue(from rest: inout ArraySlice<String>) -> String? {
        guard let next = rest.first, next.utf8.first != UInt8(ascii: "-") else { return nil }
        rest.removeFirst()
        return next
    }

    private func looksLikeOption(_ word: String) -> Bool {
        word.utf8.first == UInt8(ascii: "-") && word != "-" && !isNegativeNumber(word)
    }

    /// `-5`, `-0.5`, `-.5`: what argparse takes for a number.
    private func isNegativeNumber(_ word: String) -> Bool {
        let parts = word.dropFirst().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let last = parts.last, !last.isEmpty else { return false }
        return parts.allSatisfy { $0.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }
    }

    // MARK: Names

    private func resolve(_ name: String) throws(OptionError) -> OptionSpec {
        let matches = table.options(matching: name)
        if let only = matches.first, matches.count == 1 { return only }
        guard matches.isEmpty else {
            let names = matches.map { "--\($0.name)" }.joined(separator: ", ")
            throw OptionError(.ambiguousOption, "--\(name) is short for more than one option: \(names)")
        }
        throw OptionError(.unknownOption, "unknown option --\(name)" + suggestion(for: name))
    }

    private func unknownLetter(_ letter: Character, in word: String) -> OptionError {
        let name = String(word.dropFirst())
        let place = name.count > 1 ? " in \(word)" : ""
        let hint: String
        if table.options.contains(where: { $0.names.contains(name) }) {
            hint = " (did you mean -\(word)?)"
        } else if let other = [letter.lowercased(), letter.uppercased()].first(where: { isLetter($0) }) {
            hint = " (did you mean -\(other)?)"
        } else {
            hint = ""
        }
        return OptionError(.unknownOption, "unknown option -\(letter)\(place)\(hint)")
    }

    private func isLetter(_ text: String) -> Bool {
        text.count == 1 && text.first.flatMap { table.option(letter: $0) } != nil
    }

    private func suggestion(for name: String) -> String {
        let near = nearMisses(of: name, among: table.options.map(\.names))
        guard !near.isEmpty else { return "" }
        return " (did you mean \(near.map { "--\($0)" }.joined(separator: " or "))?)"
    }

    private func checkNeeds(_ parsed: ParsedOptions) throws(OptionError) {
        for occurrence in parsed.occurrences {
            guard let needed = table.options.first(where: { $0.name == occurrence.name })?.needs,
                !parsed.contains(needed)
            else { continue }
            throw OptionError(.missingOption, "\(occurrence.spelling) needs --\(needed)")
        }
    }
}
