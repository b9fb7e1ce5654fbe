/// One option of a program: how it is written, what it means, and whether it works yet.
package struct OptionSpec: Equatable, Sendable {
    /// Whether a value follows, and its name in help texts.
    package enum Value: Equatable, Sendable {
        case none
        case required(String)
        case optional(String)
    }

    /// The completions that a shell offers for the value.
    package enum Completion: Equatable, Sendable {
        case none
        case file
        case directory
        case choices([String])
    }

    /// Whether it works yet.
    package enum Availability: Equatable, Sendable {
        case available
        /// Known and documented, but refused. The text is a sentence that says what works instead, or empty.
        case notYet(String)
    }

    /// The long name, without its dashes.
    package var name: String
    package var letter: Character?
    /// Other long names that mean the same.
    package var aliases: [String]
    package var value: Value
    package var completion: Completion
    package var availability: Availability
    /// Whether all its values count; of an option that is not repeatable, the last one does.
    package var isRepeatable: Bool
    /// Whether reading stops here, as at `--help`: what follows is not even looked at.
    package var isImmediate: Bool
    /// Whether an abbreviation that fits this option and others means this one, if it is the only such option.
    /// Set for disBatch's own options, so that what could be shortened there can be shortened here.
    package var winsAbbreviations: Bool
    /// The name of an option without which this one is an error.
    package var needs: String?
    /// One to three plain sentences.
    package var help: String

    package init(
        _ name: String, _ letter: Character? = nil, aliases: [String] = [], value: Value = .none,
        completion: Completion = .none, availability: Availability = .available, isRepeatable: Bool = false,
        isImmediate: Bool = false, winsAbbreviations: Bool = false, needs: String? = nil, help: String
    ) {
        self.name = name
        self.letter = letter
        self.aliases = aliases
        self.value = value
        self.completion = completion
        self.availability = availability
        self.isRepeatable = isRepeatable
        self.isImmediate = isImmediate
        self.winsAbbreviations = winsAbbreviations
        self.needs = needs
        self.help = help
    }

    /// The long name and its aliases.
    package var names: [String] { [name] + aliases }

    /// All ways to write it, dashes included, the letter first.
    package var spellings: [String] { (letter.map { ["-\($0)"] } ?? []) + names.map { "--\($0)" } }

    /// The help text with what the other fields imply.
    package var fullHelp: String {
        var text = help
        if isRepeatable { text += " May be given more than once." }
        if !isAvailable { text += " Not available yet." }
        return text
    }

    package var isAvailable: Bool { availability == .available }
}

extension OptionSpec {
    /// `-h`, `--help`.
    package static let help = OptionSpec(
        "help", "h", isImmediate: true, winsAbbreviations: true, help: "Print this help and exit.")

    /// `--version`.
    package static let version = OptionSpec(
        "version", isImmediate: true, winsAbbreviations: true, help: "Print the version and exit.")
}
