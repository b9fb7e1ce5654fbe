/// Command lines as a shell takes them.
package enum ShellWord {
    /// The word, quoted where a shell would read it otherwise.
    package static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "_./,:@%+=-".utf8.contains(byte)
            }
        }
        if plain, !word.isEmpty { return word }
        // Not by characters: a quote with an accent on it is one of its own, and still ends what a shell quotes.
        let parts = word.unicodeScalars.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + parts.map { String($0) }.joined(separator: "'\\''") + "'"
    }

    /// The words as one line.
    package static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    /// The words of a line that ``line(_:)`` made.
    package static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        var (isInWord, isQuoted, isEscaped) = (false, false, false)
        for scalar in line.unicodeScalars {
            if isEscaped {
                word.append(scalar)
                isEscaped = false
            } else if scalar == "'" {
                isQuoted.toggle()
                isInWord = true
            } else if isQuoted {
                word.append(scalar)
            } else if scalar == "\\" {
                (isEscaped, isInWord) = (true, true)
            } else if scalar == " " {
                if isInWord { words.append(String(word)) }
                (word, isInWord) = (String.UnicodeScalarView(), false)
            } else {
                word.append(scalar)
                isInWord = true
            }
        }
        return isInWord ? words + [String(word)] : words
    }
}

/// The command that does what a run left.
package enum RetryCommand {
    /// A run's command line again, with its status file and `-R`, less what must not be the same.
    ///
    /// - Parameters:
    ///   - commandLine: the words, the program's name first.
    ///   - status: the run's status file.
    ///   - retriesFailures: whether what failed is run again too.
    package static func line(_ commandLine: [String], status: String, retriesFailures: Bool = true) -> String {
        var words = withoutLimit(commandLine)
        if words.isEmpty { words = [""] }
        words[0] = "disbatch"
        var options = ["-r", status]
        if retriesFailures, !commandLine.dropFirst().contains(where: isRetry) { options.append("-R") }
        words.insert(contentsOf: options, at: 1)
        return ShellWord.line(words)
    }

    /// Whether a word is `-R` or `--retry`, shortened or in a bundle (`-eR`).
    private static func isRetry(_ word: String) -> Bool {
        if word.utf8.starts(with: "--".utf8) { return word.utf8.count >= 5 && "--retry".hasPrefix(word) }
        return word.utf8.first == UInt8(ascii: "-") && word.dropFirst().allSatisfy { "efRSkw".contains($0) }
            && word.contains("R")
    }

    /// The command line less `--limit N`, in full or shortened: what a first batch was limited to is not the rest.
    private static func withoutLimit(_ words: [String]) -> [String] {
        var kept: [String] = []
        var skipsNext = false
        for (place, word) in words.enumerated() {
            let name = word.prefix { $0 != "=" }
            if skipsNext {
                skipsNext = false
            } else if word == "--" {
                return kept + words[place...]
            } else if name.utf8.count >= 4, "--limit".hasPrefix(name) {
                skipsNext = name == word
            } else {
                kept.append(word)
            }
        }
        return kept
    }
}
