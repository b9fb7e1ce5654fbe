/// The options of `disbatch-engine`, which has none for running. All else comes from the driver, by the pipe.
package struct EngineOptions: Equatable, Sendable {
    package init() {}

    /// The options of `disbatch-engine`.
    package static let table = OptionTable(
        program: "disbatch-engine",
        synopses: ["[--help | --version]"],
        summary: "Run tasks on this node for a disbatch driver, which starts this program and talks to it over "
            + "standard input and output. It is not meant to be started by hand.",
        groups: [OptionTable.Group("Options", options: [.version, .help])],
        notes: ["See disbatch-engine(1)."])

    /// Reads the arguments of `disbatch-engine`.
    ///
    /// - Parameter words: the arguments, without the program's name.
    package static func read(_ words: [String]) throws(OptionError) -> Invocation<EngineOptions> {
        let parsed = try OptionParser(table).parse(words)
        if let immediate = parsed.immediate {
            return .show(immediate.name == OptionSpec.version.name ? table.versionText : helpText(for: table))
        }
        if let operand = parsed.operands.first {
            throw OptionError(.wrongOperands, "takes no operand (\(operand.quoted)); disbatch starts it by itself")
        }
        return .run(EngineOptions())
    }
}
