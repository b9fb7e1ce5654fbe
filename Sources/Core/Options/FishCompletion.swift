/// For fish, to be sourced, or put into its completions directory.
func fishCompletion(for table: OptionTable) -> String {
    var lines = ["# fish completion for \(table.program); made by: \(table.program) --completions fish"]
    for option in table.availableOptions {
        lines.append("complete -c \(table.program) " + fishArguments(option))
    }
    lines += table.otherNames.map { "complete -c \($0) -w \(table.program)" }
    return lines.joined(separator: "\n") + "\n"
}

private func fishArguments(_ option: OptionSpec) -> String {
    var words = option.letter.map { ["-s \($0)"] } ?? []
    words += option.names.map { "-l \($0)" }
    if option.requiredMetavar != nil { words.append(fishValue(option.completion)) }
    return (words + ["-d \(fishQuoted(option.brief))"]).joined(separator: " ")
}

private func fishValue(_ completion: OptionSpec.Completion) -> String {
    switch completion {
    case .none: "-x"
    case .file: "-r -F"
    case .directory: "-x -a '(__fish_complete_directories)'"
    case .choices(let choices): "-x -a '\(choices.joined(separator: " "))'"
    }
}

/// The text as one word: within single quotes fish knows `\\` and `\'`.
private func fishQuoted(_ text: String) -> String {
    var result = "'"
    for character in text {
        if character == "'" || character == "\\" { result += "\\" }
        result.append(character)
    }
    return result + "'"
}
