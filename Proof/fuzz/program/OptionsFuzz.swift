import Options
import RunReports

/// Arguments of all programs: each is taken or refused with a text, and what was taken means the same when it is
/// written out in full.
enum OptionsFuzz {
    static func run(_ input: inout FuzzInput) {
        let program = input.byte()
        let words = input.rest().split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        switch program & 7 {
        case 0, 1: check(words, DriverOptions.table, without(DriverOptions.read, \.warnings, []))
        case 2, 3: check(words, DbutilOptions.table) { words throws(OptionError) in try DbutilOptions.read(words) }
        case 4:
            check(words, GoogleCloudHelperOptions.table) { words throws(OptionError) in
                try GoogleCloudHelperOptions.read(words)
            }
        case 5: check(words, EngineOptions.table) { words throws(OptionError) in try EngineOptions.read(words) }
        case 6: for word in words { checkTexts(word) }
        default: checkShell(words)
        }
    }

    private static func check<Taken: Equatable>(
        _ words: [String], _ table: OptionTable, _ read: ([String]) throws(OptionError) -> Taken
    ) {
        let parsed: ParsedOptions
        do throws(OptionError) { parsed = try OptionParser(table).parse(words) } catch {
            let again = result { () throws(OptionError) in try read(words) }
            return check(error, again.1)
        }
        let full = inFull(parsed)
        let taken = result { () throws(OptionError) in try read(words) }
        if let error = taken.1 { check(error, error) }
        guard parsed.immediate == nil else { return }
        let again = result { () throws(OptionError) in try OptionParser(table).parse(full) }
        expectEqual(
            again.0?.occurrences.map { "\($0.name)=\($0.value ?? "-")" },
            parsed.occurrences.map { "\($0.name)=\($0.value ?? "-")" }, "options in full: \(full)")
        expectEqual(again.0?.operands, parsed.operands, "operands")
        let takenAgain = result { () throws(OptionError) in try read(full) }
        expectEqual(taken.0, takenAgain.0, "what they mean")
        expectEqual(taken.1?.code, takenAgain.1?.code, "what is wrong with them")
    }

    private static func result<Value>(
        _ body: () throws(OptionError) -> Value
    ) -> (Value?, OptionError?) {
        do throws(OptionError) { return (try body(), nil) } catch { return (nil, error) }
    }

    /// Long names, values behind `=`, operands behind `--`.
    private static func inFull(_ parsed: ParsedOptions) -> [String] {
        parsed.occurrences.map { given in "--\(given.name)" + (given.value.map { "=\($0)" } ?? "") } + ["--"]
            + parsed.operands
    }

    private static func check(_ error: OptionError, _ again: OptionError?) {
        expectEqual(error, again, "the error of the parser is that of the program")
        let report = error.report(program: "disbatch")
        expect(report.utf8.last == UInt8(ascii: "\n"), "an end")
        expect(
            report.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) },
            "no control characters: \(String(reflecting: report))")
    }

    private static func without(
        _ read: @escaping ([String]) throws(OptionError) -> Invocation<DriverOptions>,
        _ path: WritableKeyPath<DriverOptions, [String]>, _ value: [String]
    ) -> ([String]) throws(OptionError) -> Invocation<DriverOptions> {
        { words throws(OptionError) in
            guard case .run(var options) = try read(words) else { return try read(words) }
            options[keyPath: path] = value
            return .run(options)
        }
    }

    /// Values that have a language of their own.
    private static func checkTexts(_ word: String) {
        if let duration = parseDuration(word) { expect(.zero ... .seconds(10_000 * 86_400) ~= duration, "a duration") }
        _ = result { () throws(OptionError) in try DriverOptions.read(["-s", word, "f"]) }
        do throws(ReportError) {
            let filter = try TaskFilter(word)
            _ = filter.excludesWaiting
        } catch { expect(!error.description.isEmpty, "a text") }
        _ = try? TaskField.list(word)
        let pattern = GlobPattern(word)
        if !word.utf8.contains(UInt8(ascii: "?")) {
            expect(pattern.matches(Array(word.utf8)), "a pattern matches itself")
        }
    }

    /// What a shell is to read as these words.
    private static func checkShell(_ words: [String]) {
        let line = ShellText.line(words)
        expectEqual(ShellText.words(line), words, "words of a line")
        _ = ShellText.retry(words)
    }
}
