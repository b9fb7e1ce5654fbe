/// A shell that completion scripts are made for.
package enum CompletionShell: String, CaseIterable, Sendable {
    case bash
    case zsh
    case fish
}

/// A script that, sourced by the shell, lets it complete the program's options and their values. Options that are
/// not available yet are left out.
package func completionScript(for table: OptionTable, shell: CompletionShell) -> String {
    switch shell {
    case .bash: bashCompletion(for: table)
    case .zsh: zshCompletion(for: table)
    case .fish: fishCompletion(for: table)
    }
}

extension OptionTable {
    var availableOptions: [OptionSpec] { options.filter(\.isAvailable) }

    /// The program and its other names.
    var commandNames: [String] { [program] + otherNames }

    /// The name of the shell function that completes for this program.
    var completionFunction: String { "_" + String(program.map { $0 == "-" ? "_" : $0 }) }
}

extension OptionSpec {
    /// The first sentence of the help, without its full stop.
    var brief: String {
        var words: [Substring] = []
        for word in help.split(separator: " ") {
            words.append(word)
            if word.hasSuffix(".") { break }
        }
        let sentence = words.joined(separator: " ")
        return sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
    }

    /// The value's name in help texts; nil where the option takes none, or where it may be left out.
    var requiredMetavar: String? {
        if case .required(let metavar) = value { metavar } else { nil }
    }
}

extension String {
    /// This text as one word of a shell.
    var shellQuoted: String {
        "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
