/// The list of options for a manual page, in mdoc: a subsection for each group if there are several.
package func manOptionList(for table: OptionTable) -> String {
    var lines: [String] = []
    for group in table.groups {
        if table.groups.count > 1 { lines.append(".Ss \(escape(group.title))") }
        lines.append(".Bl -tag -width Ds")
        for operand in group.operands {
            lines.append(".It Ar \(operand.metavar)")
            lines += sentences(operand.help)
        }
        for option in group.options {
            lines.append(itemLine(option))
            lines += sentences(option.fullHelp)
        }
        lines.append(".El")
    }
    return lines.joined(separator: "\n") + "\n"
}

private func itemLine(_ option: OptionSpec) -> String {
    let spellings = option.spellings.map { "Fl " + escape($0).dropFirst(2) }.joined(separator: " , ")
    switch option.value {
    case .none: return ".It \(spellings)"
    case .required(let metavar): return ".It \(spellings) Ar \(metavar)"
    case .optional(let metavar): return ".It \(spellings) Op Ar \(metavar)"
    }
}

/// The text's sentences, a line each, as mdoc wants them.
private func sentences(_ text: String) -> [String] {
    var lines: [String] = []
    var line: [Substring] = []
    let words = text.split(separator: " ")
    for (position, word) in words.enumerated() {
        line.append(word)
        let endsSentence =
            word.hasSuffix(".") && position + 1 < words.count && words[position + 1].first?.isUppercase == true
        if endsSentence || position + 1 == words.count {
            lines.append(escape(line.joined(separator: " ")))
            line = []
        }
    }
    return lines
}

/// The text as roff prints it verbatim: no escapes, no control line, and ASCII dashes in what users type.
private func escape(_ text: String) -> String {
    let words = text.split(separator: " ").map { word in
        let isTyped = word.drop { $0 == "(" }.hasPrefix("-")
        return word.map { $0 == "\\" ? "\\e" : $0 == "-" && isTyped ? "\\-" : String($0) }.joined()
    }
    let result = words.joined(separator: " ")
    return result.hasPrefix(".") || result.hasPrefix("'") ? "\\&" + result : result
}
