import DisbatchCore
import Testing

@Suite struct TaskFileReaderTests {
    @Test func emptyFileHasNoItems() {
        #expect(read("") == Reading())
        #expect(read("\n\n") == Reading())
    }

    @Test func linesAreKeptAsTheyStand() {
        let reading = read("echo a\n  echo b  \n\techo c\t\necho d # not a comment")
        #expect(reading.error == nil)
        #expect(
            reading.items == [
                task(0, line: 1, "echo a"), task(1, line: 2, "  echo b  "), task(2, line: 3, "\techo c\t"),
                task(3, line: 4, "echo d # not a comment"),
            ])
    }

    @Test(arguments: [
        "", " ", "\t \u{0B}\u{0C}", "#", "# text", "   # indented", "\t#", "#DISBATC", "#DISBATcH",
        "\u{0C}#DISBATCH nonsense", "#!/bin/bash", "\r", " \r",
    ])
    func blankLinesAndCommentsAreNoTasks(line: String) {
        #expect(read("\(line)\necho x\n").items == [task(0, line: 2, "echo x")])
    }

    @Test func bytesThatAreNotUTF8AreKept() {
        let bytes: [UInt8] = [0x65, 0xFF, 0xC3, 0x0A, 0x80, 0x01, 0x7F]
        #expect(read(chunks: [bytes]).tasks.map(\.command) == [[0x65, 0xFF, 0xC3], [0x80, 0x01, 0x7F]])
    }

    @Test(arguments: [("", []), ("\necho b", [task(1, line: 2, "echo b")])])
    func aByteOrderMarkIsNoPartOfTheFirstLine(rest: String, items: [TaskItem]) {
        let text = Array("\u{FEFF}#DISBATCH PREFIX a\u{FEFF}\n".utf8)
        #expect(read(chunks: [text]).error == nil)
        #expect(read("\u{FEFF}echo a\(rest)").items == [task(0, line: 1, "echo a")] + items)
    }

    @Test func anotherEncodingIsToldAsThat() {
        let reading = read(chunks: [[0xFF, 0xFE, 0x61, 0, 0x0A, 0]])
        #expect(reading.error?.message == "UTF-16 text, where UTF-8 is needed: iconv -f UTF-16 -t UTF-8")
    }

    @Test func onlyOneCarriageReturnBeforeALineFeedIsDropped() {
        let reading = read("a\r\nb\r\r\nc\rd\n#DISBATCH BARRIER k\r\n\r\ne\r")
        #expect(reading.hasCarriageReturns)
        #expect(
            reading.items == [
                task(0, line: 1, "a"), task(1, line: 2, "b\r"), task(2, line: 3, "c\rd"),
                barrier(3, line: 4, key: "k", "#DISBATCH BARRIER k"), task(4, line: 6, "e\r"),
            ])
        #expect(!read("a\rb\nc\r").hasCarriageReturns)
        #expect(read("# comment\r\n").hasCarriageReturns)
    }

    @Test func prefixAndSuffixJoinUntilCleared() {
        let reading = read(
            """
            #DISBATCH PREFIX cd x;\u{20}
            #DISBATCH suffix  > log\u{20}\u{20}
            one
            #DISBATCH Prefix
            two
            #DISBATCH SUFFIX\u{20}
            three
            #DISBATCH PREFIX  a\tb
              four
            """)
        #expect(reading.commands == ["cd x; one > log  ", "two > log  ", "three", " a\tb  four"])
        #expect(reading.tasks.map(\.streamIndex) == [3, 5, 7, 9])
    }

    @Test func barriersTakeTaskIDs() {
        let reading = read(
            """
            #DISBATCH BARRIER
            x
            #DISBATCH barrier CHECK
            #DISBATCH BARRIER CHECK  some key\u{20}
            #DISBATCH Barrier check
            #DISBATCH BARRIER mykey
            #DISBATCH BARRIER checkpoint
            #DISBATCH BARRIER\u{20}
            #DISBATCH BARRIER CHECK\u{20}
            y
            """)
        #expect(
            reading.items == [
                barrier(0, line: 1, "#DISBATCH BARRIER"), task(1, line: 2, "x"),
                barrier(2, line: 3, checks: true, "#DISBATCH barrier CHECK"),
                barrier(3, line: 4, checks: true, key: " some key ", "#DISBATCH BARRIER CHECK  some key "),
                barrier(4, line: 5, checks: true, "#DISBATCH Barrier check"),
                barrier(5, line: 6, key: "mykey", "#DISBATCH BARRIER mykey"),
                barrier(6, line: 7, key: "checkpoint", "#DISBATCH BARRIER checkpoint"),
                barrier(7, line: 8, "#DISBATCH BARRIER "),
                barrier(8, line: 9, checks: true, "#DISBATCH BARRIER CHECK "), task(9, line: 10, "y"),
            ])
    }

    @Test func perEngineCommandsCountByPhase() {
        let reading = read(
            """
            #DISBATCH PREFIX (\u{20}
            #DISBATCH PERENGINE START a
            #DISBATCH SUFFIX  )
            #DISBATCH PERENGINE STOP b\u{20}
            #DISBATCH perengine start  c
            #DISBATCH PERENGINE stop\u{20}
            x
            """)
        #expect(
            reading.items == [
                perEngine(.start, 0, line: 2, "( a"), perEngine(.stop, 0, line: 4, "( b  )"),
                perEngine(.start, 1, line: 5, "(  c )"), perEngine(.stop, 1, line: 6, "(  )"),
                task(0, line: 7, "( x )"),
            ])
    }

    @Test func endIsKnown() throws {
        var reader = TaskFileReader(name: "Tasks")
        #expect(try reader.next() == nil)
        #expect(!reader.isAtEnd)
        reader.append("a\n#DISBATCH REPEAT 2 b".utf8)
        #expect(reader.bufferedBytes == 22)
        #expect(try reader.next() == task(0, line: 1, "a"))
        #expect(reader.bufferedBytes == 20)
        #expect(try reader.next() == nil)
        reader.finish()
        #expect(!reader.isAtEnd)
        #expect(try reader.next() == task(1, line: 2, index: 0, "b"))
        #expect(!reader.isAtEnd)
        #expect(try reader.next() == task(2, line: 2, index: 1, "b"))
        #expect(reader.isAtEnd)
        #expect(try reader.next() == nil)
        #expect(reader.bufferedBytes == 0)
        #expect(reader.idCount == 3)
    }

    @Test func checkFindsTheErrorAndCountsTheIDs() throws {
        var reader = TaskFileReader(name: "Tasks")
        reader.append("a\n#DISBATCH REPEAT 1000000000000 b\n#DISBATCH BARRIER\nc\n".utf8)
        try reader.check()
        #expect(reader.idCount == 1_000_000_000_003)
        reader.append("#DISBATCH NO\nd\n".utf8)
        let error = #expect(throws: TaskFileError.self) { try reader.check() }
        #expect(error?.line == 5)
    }

    @Test func checkSkipsTheRestOfARepeat() throws {
        var reader = TaskFileReader(name: "Tasks")
        reader.append("#DISBATCH REPEAT 10 b\nc\n".utf8)
        reader.finish()
        #expect(try reader.next() == task(0, line: 1, index: 0, "b"))
        try reader.check()
        #expect(reader.idCount == 11)
        #expect(reader.isAtEnd)
    }
}
