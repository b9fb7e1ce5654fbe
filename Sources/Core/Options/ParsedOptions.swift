/// The words of a command line, told apart: options in their order, and operands.
package struct ParsedOptions: Equatable, Sendable {
    /// One option as it was given.
    package struct Occurrence: Equatable, Sendable {
        /// The option's long name in the table.
        package var name: String
        /// As the user wrote it (`-c`), a shortened name completed (`--cpusPerTask`): for messages.
        package var spelling: String
        /// Its value; nil where it takes none, or an optional one was left out.
        package var value: String?

        package init(name: String, spelling: String, value: String?) {
            self.name = name
            self.spelling = spelling
            self.value = value
        }
    }

    package var occurrences: [Occurrence] = []
    package var operands: [String] = []
    /// The option at which reading stopped, such as `--help`.
    package var immediate: Occurrence?

    package init() {}

    /// Whether an option, by its long name, was given.
    package func contains(_ name: String) -> Bool { occurrences.contains { $0.name == name } }

    /// The value of the option's last occurrence.
    package func value(of name: String) -> String? { occurrences.last { $0.name == name }?.value }

    /// The values of all the option's occurrences.
    package func values(of name: String) -> [String] { occurrences.filter { $0.name == name }.compactMap(\.value) }
}
