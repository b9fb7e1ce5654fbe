/// What the arguments of `dbutil` ask for. It has nothing to run yet.
package struct DbutilOptions: Equatable, Sendable {
    /// The options of `dbutil`.
    package static let table = OptionTable(
        program: "dbutil",
        synopses: ["[--help | --version]"],
        summary: "Watch and control a run of disbatch. The monitor, adding contexts and all else are not available "
            + "yet.",
        groups: [OptionTable.Group("Options", options: [.version, .help])],
        notes: ["See dbutil(1)."])

    /// Reads the arguments of `dbutil`.
    ///
    /// - Parameter words: the arguments, without the program's name.
    /// - Throws: for everything but `--help` and `--version`.
    package static func read(_ words: [String]) throws(OptionError) -> Invocation<DbutilOptions> {
        if let immediate = (try? OptionParser(table).parse(words))?.immediate {
            return .show(immediate.name == OptionSpec.version.name ? table.versionText : helpText(for: table))
        }
        throw OptionError(
            .notAvailable,
            "the monitor, adding contexts to a run and all else are not available yet. "
                + "A run shows its progress itself, and its results in <prefix>_status.txt.")
    }
}
