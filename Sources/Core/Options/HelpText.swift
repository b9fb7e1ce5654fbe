/// The widest line of a help text.
private let width = 80
/// The column at which options' texts begin.
private let textColumn = 28

/// The output of `--help`: at most 80 columns, options in their groups.
package func helpText(for table: OptionTable) -> String {
    var lines: [String] = []
    for (number, synopsis) in table.synopses.enumerated() {
        lines.append((number == 0 ? "Usage: " : "       ") + "\(table.program) \(synopsis)")
    }
    lines += wrap(table.summary, indent: 0)
    for group in table.groups {
        lines += ["", "\(group.title):"]
        lines += group.operands.flatMap { entry("  \($0.metavar)", $0.help) }
        lines += group.options.flatMap { entry(synopsis(of: $0), $0.fullHelp) }
    }
    if !table.notes.isEmpty { lines.append("") }
    lines += table.notes.flatMap { wrap($0, indent: 0) }
    return lines.joined(separator: "\n") + "\n"
}

private func synopsis(of option: OptionSpec) -> String {
    let spellings = option.spellings.joined(separator: ", ")
    let head = option.letter == nil ? "      " + spellings : "  " + spellings
    switch option.value {
    case .none: return head
    case .required(let metavar): return "\(head) \(metavar)"
    case .optional(let metavar): return "\(head) [\(metavar)]"
    }
}

/// An option's lines: its text beside its name if there is room, else below.
private func entry(_ head: String, _ text: String) -> [String] {
    var lines = wrap(text, indent: textColumn)
    guard head.utf8.count <= textColumn - 2, let first = lines.first else { return [head] + lines }
    lines[0] = head + first.dropFirst(head.utf8.count)
    return lines
}

/// Breaks a text at blanks into lines of at most 80 columns, `indent` blanks before each.
private func wrap(_ text: String, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
        if !line.isEmpty, indent + line.utf8.count + 1 + word.utf8.count > width {
            lines.append(margin + line)
            line = ""
        }
        line += line.isEmpty ? String(word) : " " + word
    }
    return line.isEmpty ? lines : lines + [margin + line]
}
