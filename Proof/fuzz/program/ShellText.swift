import DisbatchCore

/// Command lines as texts.
enum ShellText {
    static func line(_ words: [String]) -> String { ShellWord.line(words) }
    static func words(_ line: String) -> [String] { ShellWord.words(line) }
    static func retry(_ words: [String]) -> String { RetryCommand.line(words, status: "s") }
}
