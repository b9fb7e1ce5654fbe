import Options
import TestSupport
import Testing

@Suite(.blocking) struct CompletionTests {
    private static let table = DriverOptions.table

    /// What bash offers when the words are on its command line and the cursor is at the end of the last one.
    private func complete(_ words: [String], _ table: OptionTable = Self.table) throws -> [String] {
        let script = completionScript(for: table, shell: .bash)
        let list = words.map { "'\($0)'" }.joined(separator: " ")
        let driver = """

            COMP_WORDS=(\(list))
            COMP_CWORD=\(words.count - 1)
            compopt() { echo "compopt $*"; }
            _\(table.program) \(table.program)
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let result = try Tool.run(["/bin/bash", "--norc"], input: script + driver)
        return (result.text + result.errorText).split(separator: "\n").map(String.init)
    }

    @Test func dbutilIsCompletedToo() throws {
        #expect(try complete(["dbutil", "--stop-"], DbutilOptions.table) == ["--stop-engine", "--stop-context"])
        #expect(try complete(["dbutil", "--format", "j"], DbutilOptions.table) == ["json"])
    }

    @Test(arguments: [
        (["disbatch", "--ret"], ["--retry", "--retries", "--retire-cmd"]),
        (["disbatch", "--capt"], ["--capture"]),
        (["disBatch", "-e", "--status"], ["--status-header"]),
        // Not available yet, so not offered.
        (["disbatch", "--kvs"], []),
        (["disbatch", "--progress", ""], ["always", "auto", "never"]),
        (["disbatch", "--progress", "=", "al"], ["always"]),
        (["disbatch", "--progress", "="], ["always", "auto", "never"]),
        (["disbatch", "--progress=al"], ["--progress=always"]),
        (["disbatch", "--loglevel", "D"], ["DEBUG"]),
        (["disbatch", "--capture", ""], ["compopt -o dirnames +o default +o bashdefault"]),
        (["disbatch", "--cpus-per-task", ""], ["compopt +o default +o bashdefault"]),
        (["disbatch", "-r", ""], []),
        (["disbatch", "--", "--ret"], []),
        (["disbatch", "Ta"], []),
    ])
    func bashOffers(words: [String], expected: [String]) throws {
        #expect(try complete(words) == expected)
    }

    @Test func bashParsesItsScript() throws {
        let script = completionScript(for: Self.table, shell: .bash)
        #expect(try Tool.run(["/bin/bash", "-n"], input: script).errorText == "")
    }

    /// zsh and fish read their scripts where they are installed; elsewhere the text is all that is checked.
    @Test(arguments: [CompletionShell.zsh, .fish])
    func otherShellsParseTheirScripts(shell: CompletionShell) throws {
        guard let path = Tool.find(shell.rawValue) else { return }
        let result = try Tool.run([path, "-n", "/dev/stdin"], input: completionScript(for: Self.table, shell: shell))
        #expect(result.text + result.errorText == "")
    }

    @Test(arguments: CompletionShell.allCases)
    func scriptsNameWhatIsAvailableAndNothingElse(shell: CompletionShell) {
        let script = completionScript(for: Self.table, shell: shell)
        for option in Self.table.options {
            let spelling = shell == .fish ? "-l \(option.name) " : "--\(option.name)"
            #expect(
                script.contains(spelling) == option.isAvailable,
                "the \(shell) script and --\(option.name), available: \(option.isAvailable)")
        }
    }

    @Test(arguments: [
        (CompletionShell.zsh, #"'*'{-r+,--resume-from=}'[Skip the tasks that have a result in FILE, "#),
        (.zsh, #"an earlier run'\''s status file]:FILE:_files' \"#),
        (.zsh, #"'(-R --retry)'{-R,--retry}'[With -r, run again the tasks that failed]' \"#),
        (.zsh, ":WHEN:(always auto never)'"),
        (.zsh, #"[Use CORES cores of HOST, reached by SSH]:HOST\:CORES\[,...\]: '"#),
        (.zsh, "#compdef disbatch disBatch disBatch.py\n"),
        (.fish, "complete -c disbatch -s R -l retry -d 'With -r, run again the tasks that failed'\n"),
        (.fish, #"complete -c disbatch -s r -l resume-from -r -F -d 'Skip the tasks that have"#),
        (.fish, #"earlier run\'s status file'"#),
        (.fish, "-l progress -x -a 'always auto never' -d "),
        (.fish, "complete -c disBatch -w disbatch\n"),
    ])
    func scriptsHold(shell: CompletionShell, text: String) {
        let script = completionScript(for: Self.table, shell: shell)
        #expect(script.contains(text), "the \(shell) script lacks \(text)")
    }
}
