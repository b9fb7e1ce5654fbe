/// A fault in a program's arguments.
package struct OptionError: Error, Equatable {
    /// The kind of fault, for tests and for code that chooses by it.
    package enum Code: Equatable, Sendable {
        case unknownOption
        case ambiguousOption
        case missingValue
        case unexpectedValue
        case badValue
        case notAvailable
        case missingOption
        case wrongOperands
    }

    package var code: Code
    /// The fault as a sentence, without the program's name and without a newline.
    package var message: String

    /// The message may hold text that a user typed: its control characters can't disturb a terminal.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message.withoutControls(keeping: "\n")
    }

    /// The lines for standard error.
    package func report(program: String) -> String {
        "\(program): \(message)\nTry '\(program) --help'.\n"
    }
}

extension String {
    /// This text in double quotes, with control characters as `\x1b`, so that it can't disturb a terminal.
    var quoted: String { "\"\(withoutControls())\"" }

    /// This text with control characters as `\x1b`, but for one.
    fileprivate func withoutControls(keeping kept: Unicode.Scalar? = nil) -> String {
        var result = ""
        for scalar in unicodeScalars {
            if scalar != kept, scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) {
                let digits = String(scalar.value, radix: 16)
                result += digits.utf8.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
