/// A program's options: the one source of its parser, its help, its manual page's list and its completions.
package struct OptionTable: Equatable, Sendable {
    /// An argument that is no option.
    package struct Operand: Equatable, Sendable {
        package var metavar: String
        package var help: String

        package init(_ metavar: String, help: String) {
            self.metavar = metavar
            self.help = help
        }
    }

    /// Options and operands that help and manual show together.
    package struct Group: Equatable, Sendable {
        package var title: String
        package var operands: [Operand]
        package var options: [OptionSpec]

        package init(_ title: String, operands: [Operand] = [], options: [OptionSpec]) {
            self.title = title
            self.operands = operands
            self.options = options
        }
    }

    package var program: String
    /// Other names under which the program is installed, for completions.
    package var otherNames: [String]
    /// The lines of the synopsis, without the program's name.
    package var synopses: [String]
    /// The program's purpose, in a sentence or two.
    package var summary: String
    package var groups: [Group]
    /// Paragraphs at the end of the help.
    package var notes: [String]

    package init(
        program: String, otherNames: [String] = [], synopses: [String], summary: String, groups: [Group],
        notes: [String] = []
    ) {
        self.program = program
        self.otherNames = otherNames
        self.synopses = synopses
        self.summary = summary
        self.groups = groups
        self.notes = notes
    }

    package var options: [OptionSpec] { groups.flatMap(\.options) }

    package var operands: [Operand] { groups.flatMap(\.operands) }

    /// The output of `--version`, with its newline.
    package var versionText: String { "\(program) \(disbatchVersion)\n" }

    func option(letter: Character) -> OptionSpec? { options.first { $0.letter == letter } }

    /// The options that a long name, whole or shortened, can mean. A whole name means one option alone.
    func options(matching name: String) -> [OptionSpec] {
        if let exact = options.first(where: { $0.names.contains(name) }) { return [exact] }
        guard !name.isEmpty else { return [] }
        let matches = options.filter { $0.names.contains { $0.hasPrefix(name) } }
        let winners = matches.filter(\.winsAbbreviations)
        return winners.count == 1 ? winners : matches
    }
}
