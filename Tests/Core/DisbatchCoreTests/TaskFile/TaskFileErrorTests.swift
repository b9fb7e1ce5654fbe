import DisbatchCore
import Testing

@Suite struct TaskFileErrorTests {
    /// A wrong line, the message, and what stands before the caret.
    struct Case: CustomTestStringConvertible {
        var line: String
        var message: String
        var before: String
        var testDescription: String { line.debugDescription }

        init(_ line: String, _ message: String, caretAfter before: String) {
            (self.line, self.message, self.before) = (line, message, before)
        }
    }

    static let noDirective = "expected one space and a directive after #DISBATCH"
    static let noPhase = "expected one space and START or STOP after PERENGINE"
    static let noCommand = "expected one space and the command after the number"
    static let noCount = "expected the number of tasks after REPEAT"
    static let tooFar = "the last repeat index is more than 9223372036854775807"
    static let tooMany = "more than 9223372036854775807 tasks"
    static let tooLarge = "number larger than 9223372036854775807"

    @Test(arguments: [
        Case("#DISBATCH", noDirective, caretAfter: "#DISBATCH"),
        Case("#DISBATCHx", noDirective, caretAfter: "#DISBATCH"),
        Case("#DISBATCHED BY me", noDirective, caretAfter: "#DISBATCH"),
        Case("#DISBATCH ", noDirective, caretAfter: "#DISBATCH "),
        Case("#DISBATCH  BARRIER", noDirective, caretAfter: "#DISBATCH "),
        Case(
            "#DISBATCH REPAT 3 echo", "unknown directive \"REPAT\" (did you mean REPEAT?)", caretAfter: "#DISBATCH "),
        Case("#DISBATCH BARRIERx", "unknown directive \"BARRIERx\" (did you mean BARRIER?)", caretAfter: "#DISBATCH "),
        Case("#DISBATCH bariers", "unknown directive \"bariers\" (did you mean BARRIER?)", caretAfter: "#DISBATCH "),
        Case(
            "#DISBATCH perengnie x", "unknown directive \"perengnie\" (did you mean PERENGINE?)",
            caretAfter: "#DISBATCH "),
        Case("#DISBATCH SUFIX x", "unknown directive \"SUFIX\" (did you mean SUFFIX?)", caretAfter: "#DISBATCH "),
        Case("#DISBATCH PRFX x", "unknown directive \"PRFX\" (did you mean PREFIX?)", caretAfter: "#DISBATCH "),
        Case("#DISBATCH PRX x", "unknown directive \"PRX\"", caretAfter: "#DISBATCH "),
        Case("#DISBATCH UNKNOWN thing", "unknown directive \"UNKNOWN\"", caretAfter: "#DISBATCH "),
        Case("#DISBATCH # BARRIER", "unknown directive \"#\"", caretAfter: "#DISBATCH "),
        Case("#DISBATCH BARRIER  CHECK", "expected one space before CHECK", caretAfter: "#DISBATCH BARRIER "),
        Case("#DISBATCH BARRIER CHECKx", "expected one space after CHECK", caretAfter: "#DISBATCH BARRIER CHECK"),
        Case("#DISBATCH PERENGINE", noPhase, caretAfter: "#DISBATCH PERENGINE"),
        Case("#DISBATCH PERENGINE ", noPhase, caretAfter: "#DISBATCH PERENGINE "),
        Case("#DISBATCH PERENGINE  START x", noPhase, caretAfter: "#DISBATCH PERENGINE "),
        Case("#DISBATCH PERENGINE echo", noPhase, caretAfter: "#DISBATCH PERENGINE "),
        Case(
            "#DISBATCH PERENGINE start", "expected one space and a command after PERENGINE START",
            caretAfter: "#DISBATCH PERENGINE start"),
        Case("#DISBATCH REPEAT", noCount, caretAfter: "#DISBATCH REPEAT"),
        Case("#DISBATCH REPEAT  ", noCount, caretAfter: "#DISBATCH REPEAT  "),
        Case("#DISBATCH REPEAT echo x", noCount, caretAfter: "#DISBATCH REPEAT "),
        Case("#DISBATCH REPEAT -3 echo x", noCount, caretAfter: "#DISBATCH REPEAT "),
        Case("#DISBATCH REPEAT 3.5 echo x", noCommand, caretAfter: "#DISBATCH REPEAT 3"),
        Case("#DISBATCH REPEAT 12echo", noCommand, caretAfter: "#DISBATCH REPEAT 12"),
        Case("#DISBATCH REPEAT 9223372036854775808 x", tooLarge, caretAfter: "#DISBATCH REPEAT "),
        Case("#DISBATCH REPEAT 1 start 99999999999999999999 x", tooLarge, caretAfter: "#DISBATCH REPEAT 1 start "),
        Case("#DISBATCH REPEAT 0 step 9223372036854775808", tooLarge, caretAfter: "#DISBATCH REPEAT 0 step "),
        Case("#DISBATCH REPEAT 3 step 9223372036854775807 x", tooFar, caretAfter: "#DISBATCH REPEAT "),
        Case("#DISBATCH REPEAT 2 start 9223372036854775807 x", tooFar, caretAfter: "#DISBATCH REPEAT "),
        Case("#DISBATCH REPEAT 9223372036854775807 start 2 x", tooFar, caretAfter: "#DISBATCH REPEAT "),
        Case("#DISBATCH REPEAT 9223372036854775807 x", tooMany, caretAfter: "#DISBATCH REPEAT "),
    ])
    func namesLineAndPlace(_ wrong: Case) {
        let reading = read("echo a\n# comment\n\(wrong.line)\necho b\n")
        #expect(reading.items == [task(0, line: 1, "echo a")])
        let caret = String(repeating: " ", count: wrong.before.utf8.count) + "^"
        #expect(reading.error?.description == "Tasks:3: \(wrong.message)\n\(wrong.line)\n\(caret)")
    }

    static let nearly = "a directive begins with #DISBATCH, in upper case and at the beginning of the line"

    @Test(arguments: [
        Case("#Disbatch BARRIER", nearly, caretAfter: ""), Case("#disbatch barrier", nearly, caretAfter: ""),
        Case("# DISBATCH BARRIER", nearly, caretAfter: ""), Case(" #DISBATCH BARRIER", nearly, caretAfter: " "),
        Case("  # disBatch Barrier CHECK key", nearly, caretAfter: "  "),
        Case("#disbatch Repeat 3 echo", nearly, caretAfter: ""),
        Case("#disbatch perengine start module load", nearly, caretAfter: ""),
        Case("# DISBATCH PREFIX cd x; ", nearly, caretAfter: ""),
        Case(
            "#DISBATCH PERNODE x", "unknown directive \"PERNODE\" (did you mean PERENGINE START?)",
            caretAfter: "#DISBATCH "),
    ])
    func commentsThatWereToBeDirectives(_ wrong: Case) { namesLineAndPlace(wrong) }

    @Test(arguments: [
        "#disbatch", "# disBatch runs this file", "#DISbatchBARRIER", "#disbatch BARRIERS", "##DISBATCH BARRIER",
        "# disbatch barrier goes here once all is known", "# disbatch prefix and suffix are not used",
        "# disbatch repeat as needed", "# see #DISBATCH BARRIER", "#disbatch perengine commands come first",
    ])
    func commentsStayComments(line: String) {
        let reading = read("\(line)\necho b\n")
        #expect(reading.error == nil && reading.items == [task(0, line: 2, "echo b")])
    }

    /// The same with a tab, which shows as a space.
    @Test(arguments: [
        Case("#DISBATCH\tBARRIER", noDirective, caretAfter: "#DISBATCH"),
        Case("#DISBATCH PREFIX\tx", "expected one space after PREFIX", caretAfter: "#DISBATCH PREFIX"),
        Case("#DISBATCH SUFFIX\tx", "expected one space after SUFFIX", caretAfter: "#DISBATCH SUFFIX"),
        Case("#DISBATCH BARRIER\tCHECK", "expected one space after BARRIER", caretAfter: "#DISBATCH BARRIER"),
        Case("#DISBATCH BARRIER check\tk", "expected one space after CHECK", caretAfter: "#DISBATCH BARRIER check"),
        Case("#DISBATCH PERENGINE\tSTART x", noPhase, caretAfter: "#DISBATCH PERENGINE"),
        Case("#DISBATCH PERENGINE STOP\tx", "expected one space after STOP", caretAfter: "#DISBATCH PERENGINE STOP"),
        Case("#DISBATCH REPEAT 3\techo", noCommand, caretAfter: "#DISBATCH REPEAT 3"),
        Case("#DISBATCH REPEAT 3\tstart 5\techo", noCommand, caretAfter: "#DISBATCH REPEAT 3"),
        Case("#DISBATCH REPEAT\t\tx", noCount, caretAfter: "#DISBATCH REPEAT\t\t"),
    ])
    func showsTabsAsSpaces(_ wrong: Case) {
        let error = read("\(wrong.line)\n").error
        let line = String(wrong.line.map { $0 == "\t" ? " " : $0 })
        let caret = String(repeating: " ", count: wrong.before.utf8.count) + "^"
        #expect(error?.description == "Tasks:1: \(wrong.message)\n\(line)\n\(caret)")
    }

    @Test(arguments: [("echo", 2), ("#DISBATCH REPEAT 0", 2), ("#DISBATCH BARRIER", 2)])
    func latePerEngineNamesTheFirstTask(first: String, line: Int) {
        let reading = read("#DISBATCH PERENGINE START x\n\(first)\necho\n#DISBATCH PERENGINE STOP y\n")
        #expect(
            reading.error?.description == """
                Tasks:4: PERENGINE must come before the first task, REPEAT or BARRIER (line \(line))
                #DISBATCH PERENGINE STOP y
                          ^
                """)
    }

    @Test func showsAByteThatIsNULUnderItsCaret() {
        #expect(
            read("ok\necho a\0b\0c\n").error?.description
                == "Tasks:2: a line can't hold a NUL byte\necho a\u{2400}b\u{2400}c\n      ^")
        #expect(
            read("# comment\0").error?.description
                == "Tasks:1: a line can't hold a NUL byte\n# comment\u{2400}\n         ^")
        #expect(read("#DISBATCH NO\0\r\n").error?.message == "a line can't hold a NUL byte")
    }

    @Test func isThrownAgain() {
        var reader = TaskFileReader(name: "standard input")
        reader.append("#DISBATCH x\necho never\n".utf8)
        let first = #expect(throws: TaskFileError.self) { try reader.next() }
        reader.append("echo never\n".utf8)
        reader.finish()
        let second = #expect(throws: TaskFileError.self) { try reader.next() }
        let third = #expect(throws: TaskFileError.self) { try reader.check() }
        #expect(first?.description == "standard input:1: unknown directive \"x\"\n#DISBATCH x\n          ^")
        #expect(first == second && second == third)
        #expect(!reader.isAtEnd)
        #expect(reader.bufferedBytes == 0)
    }

    @Test func tooManyTasksIsAnError() throws {
        var reader = TaskFileReader(name: "Tasks")
        reader.append("#DISBATCH REPEAT 9223372036854775807 x\n".utf8)
        try reader.check()
        #expect(reader.idCount == .max)
        reader.append("echo\n".utf8)
        let error = #expect(throws: TaskFileError.self) { try reader.check() }
        #expect(error?.description == "Tasks:2: \(Self.tooMany)\necho\n^")
    }

    @Test func lineLongerThanTheLimitIsAnError() {
        #expect(TaskFileReader.longestLine == 33_554_432)
        let limit = 50
        let longest = String(repeating: "x", count: limit)
        #expect(read("a\n\(longest)\n", lineLimit: limit).commands == ["a", longest])
        #expect(read(longest, lineLimit: limit).commands == [longest])
        let expected = "Tasks:2: line longer than 50 bytes\n\(longest)\n^"
        for text in ["a\n\(longest)x\n", "a\n\(longest)x", "a\n\(longest)\r\n", "a\n\(longest)xxxx\nmore"] {
            let bytes = Array(text.utf8)
            #expect(read(chunks: [bytes], lineLimit: limit).error?.description == expected)
            #expect(read(chunks: bytes.map { [$0] }, lineLimit: limit).error?.description == expected)
        }
        let error = read("# y\n", lineLimit: 1 << 20).error
        #expect(error == nil)
        let mebibytes = read(String(repeating: "y", count: (2 << 20) + 1), lineLimit: 2 << 20).error
        #expect(mebibytes?.message == "line longer than 2 MiB")
    }
}
