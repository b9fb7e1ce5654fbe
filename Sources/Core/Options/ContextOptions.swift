package import DisbatchCore

/// The options of one context: where its engines run, and how.
package struct ContextOptions: Equatable, Sendable {
    /// `--context`; nil leaves it to the rest.
    package var kind: ContextKind?
    /// `-s`: each `HOST:CORES[,HOST:CORES...]` as it was written.
    package var sshLists: [String] = []
    /// `-c`, `-t`, `--fill`, `-l`
    package var sizing = ContextSizing()
    /// `--bind`, `-E`, `-g`, `-C`, `--no-retire`, `--retire-cmd`, `--margin`
    package var policy = ContextPolicy()
    /// `--ssh-client`
    package var sshClient = SSHClientChoice.auto

    package init() {}
}

extension ContextOptions {
    /// The options of a context alone, among all that were given.
    init(_ parsed: ParsedOptions) throws(OptionError) {
        var options = DriverOptions(taskSource: .standardInput)
        for occurrence in parsed.occurrences {
            guard let option = DriverOptions.option(occurrence.name), option.isOfContext else { continue }
            try option.effect.apply(&options, occurrence)
        }
        self = options.context
    }
}

extension ContextPolicy {
    /// Shares out the values of a variable to slots, once however often that is asked for.
    mutating func share(_ variable: String) {
        if !sharedVariables.contains(variable) { sharedVariables.append(variable) }
    }
}
