import Options
import Testing

/// A small table with one option of each sort, for tests of the parser.
let smallTable = OptionTable(
    program: "small",
    synopses: ["[OPTION]..."],
    summary: "A table to test with.",
    groups: [
        .init(
            "Options",
            options: [
                OptionSpec("exit-code", "e", help: "A flag."),
                OptionSpec("retry", "R", winsAbbreviations: true, help: "An older flag."),
                OptionSpec("retries", value: .required("N"), help: "A newer option."),
                OptionSpec("retain", help: "Another one."),
                OptionSpec("cpusPerTask", "c", aliases: ["cpus-per-task"], value: .required("N"), help: "A number."),
                OptionSpec("server", "v", value: .optional("HOST:PORT"), help: "An optional value."),
                OptionSpec("from", "r", value: .required("FILE"), isRepeatable: true, help: "Repeatable."),
                OptionSpec("to", value: .required("ADDR"), help: "Needed by another."),
                OptionSpec("every", value: .required("N"), needs: "to", help: "Needs another."),
                OptionSpec("later", "l", availability: .notYet("Use --to."), help: "Not yet."),
                OptionSpec("never", availability: .notYet(""), help: "Not yet either."),
                .version,
                .help,
            ])
    ])

extension OptionTable: CustomTestStringConvertible {
    package var testDescription: String { "the options of \(program)" }
}

/// The message of the error that `body` throws; nil if it throws none.
func message<Result>(of body: () throws(OptionError) -> Result) -> String? {
    do throws(OptionError) {
        _ = try body()
        return nil
    } catch {
        return error.message
    }
}

extension DriverOptions {
    /// The options that `words` ask for; nil if they ask to show something.
    static func run(_ words: [String]) throws(OptionError) -> DriverOptions? {
        if case .run(let options) = try read(words) { options } else { nil }
    }
}
