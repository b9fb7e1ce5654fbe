import DisbatchCore
import Testing

struct ResumeIndexTests {
    @Test func takesFortyBytesATask() {
        #expect(MemoryLayout<ResumeEntry>.stride <= 40)
    }

    @Test func saysWhereARowStands() throws {
        let rows = [row(id: 7), row(id: 2, code: 3), row(id: 5)]
        let index = try index(of: [[row(id: 9)], rows])
        let entry = try #require(index.entry(for: TaskID(2)))
        #expect(entry.file == 1)
        #expect(entry.offset == UInt64(rows[0].count + 1))
        #expect(Int(entry.length) == rows[1].count)
        #expect(entry.returnCode == 3)
        #expect(index.entries.map(\.id.rawValue) == [2, 5, 7, 9])
    }

    @Test func holdsPlacesInLargeFiles() throws {
        var builder = ResumeIndex.Builder()
        let offset: UInt64 = 1 << 48 - 1
        try row(id: 1).withUnsafeBytes {
            builder.add(try StatusRowView($0), file: ResumeEntry.maximumFileCount - 1, offset: offset)
        }
        let entry = try #require(builder.build().entry(for: TaskID(1)))
        #expect(entry.file == 65535)
        #expect(entry.offset == offset)
    }

    @Test(
        arguments: [
            ("    ", true), ("R   ", true), ("   S", true), ("R  S", true), ("   P", false), ("   Z", false),
            ("B    ", false), ("C    ", false),
        ] as [(String, Bool)])
    func countsRowsThatSayHowATaskEnded(_ flags: String, _ counts: Bool) throws {
        #expect(try index(of: [[row(flags: flags, id: 0)]]).entries.count == (counts ? 1 : 0))
    }

    /// Return codes of one task's rows, each with its finish, in the order of the file; which of them counts.
    @Test(
        arguments: [
            ([(0, "1.0"), (-100, "2.0")], 0), ([(-100, "1.0"), (0, "2.0")], 1), ([(0, "1.0"), (5, "2.0")], 0),
            ([(5, "1.0"), (1, "2.0")], 1), ([(1, "1.0"), (5, "2.0")], 1), ([(5, "2.0"), (1, "1.0")], 0),
            ([(0, "1.0"), (0, "2.0"), (3, "3.0")], 1), ([(7, "1.0"), (7, "1.0")], 1),
            ([(-100, "1.0"), (4, "2.0"), (0, "3.0"), (-9, "4.0")], 2),
        ] as [([(Int, String)], Int)])
    func prefersASuccessAndThenTheLatest(_ rows: [(Int, String)], _ expected: Int) throws {
        let lines = rows.map { row(id: 3, code: $0.0, finish: $0.1) }
        let offset = lines[..<expected].reduce(0) { $0 + $1.count + 1 }
        for surroundings: [[UInt8]] in [[], [row(id: 1)], [row(id: 4)]] {
            let index = try index(of: [lines, surroundings])
            #expect(index.entries.count == 1 + surroundings.count)
            let entry = try #require(index.entry(for: TaskID(3)))
            #expect(entry.offset == UInt64(offset))
        }
    }

    @Test func prefersASuccessInAnyFile() throws {
        let success = [row(flags: "   S", id: 3, code: 0, finish: "1.0")]
        let failure = [row(flags: "R   ", id: 3, code: -100, finish: "9.0")]
        #expect(try index(of: [success, failure]).entry(for: TaskID(3))?.file == 0)
        #expect(try index(of: [failure, success]).entry(for: TaskID(3))?.file == 1)
    }

    @Test(
        arguments: [
            (0, false, true), (0, true, true), (1, false, true), (1, true, false), (-100, true, false),
        ] as [(Int, Bool, Bool)])
    func skipsByReturnCode(_ code: Int, _ retry: Bool, _ expected: Bool) throws {
        let entry = try #require(try index(of: [[row(id: 0, code: code)]]).entry(for: TaskID(0)))
        #expect(entry.isSkipped(retry: retry) == expected)
    }

    @Test(
        arguments: [
            (4, -1, "true", true), (5, -1, "true", false), (4, 0, "true", false), (4, -1, "true ", false),
            (4, -1, "", false), (4, -1, "\0true", false), (4, -1, "true\0", false),
        ] as [(Int, Int, String, Bool)])
    func knowsTheTaskByItsHash(_ line: Int, _ repeatIndex: Int, _ command: String, _ expected: Bool) throws {
        let entry = try #require(try index(of: [[row(id: 3, line: 4)]]).entry(for: TaskID(3)))
        let task = TaskSpec(
            id: TaskID(3), streamIndex: line, repeatIndex: repeatIndex, command: Array(command.utf8))
        #expect(entry.matchesHash(of: task) == expected)
    }

    /// No two of many short and long commands, each one byte from another, may share a hash.
    @Test func tellsSimilarCommandsApart() throws {
        let base = Array("printf 0123456789 >> out.txt".utf8)
        for position in base.indices {
            for length in [position + 1, base.count] {
                let command = Array(base[..<length])
                var changed = command
                changed[position] ^= 1
                let line = row(id: 0, command: String(decoding: command, as: UTF8.self))
                let entry = try #require(try index(of: [[line]]).entry(for: TaskID(0)))
                #expect(entry.matchesHash(of: TaskSpec(id: TaskID(0), streamIndex: 1, command: command)))
                #expect(!entry.matchesHash(of: TaskSpec(id: TaskID(0), streamIndex: 1, command: changed)))
            }
        }
    }

    @Test func findsEachIDAndNoOther() throws {
        let ids = [12, 3, 4, 90, 5, 30, 3]
        let index = try index(of: [ids.map { row(id: $0) }])
        var cursor = ResumeIndex.Cursor(index)
        for id in 0...100 {
            let expected = ids.contains(id) ? TaskID(id) : nil
            #expect(index.entry(for: TaskID(id))?.id == expected)
            #expect(cursor.entry(for: TaskID(id))?.id == expected)
            #expect(cursor.entry(for: TaskID(id))?.id == expected)
        }
    }

    @Test func isEmptyWithoutRows() {
        let index = ResumeIndex.Builder().build()
        var cursor = ResumeIndex.Cursor(index)
        #expect(index.entry(for: TaskID(0)) == nil)
        #expect(cursor.entry(for: TaskID(0)) == nil)
    }
}

struct ResumeMismatchTests {
    @Test func namesBothTasks() throws {
        let task = TaskSpec(id: TaskID(5), streamIndex: 13, repeatIndex: 2, command: Array("exit 3 ".utf8))
        let mismatch = try withView(row(id: 5, line: 12, command: "exit 3")) {
            ResumeMismatch(file: "Tasks_status.txt", rowNumber: 17, row: $0, task: task)
        }
        #expect(
            mismatch.description == """
                Tasks_status.txt:17: task 5 is not the one that ran before:
                  then: line 12, repeat index -1, command 'exit 3'
                  now:  line 13, repeat index 2, command 'exit 3 '
                Give the task file that ran before, or --force-resume to skip such tasks all the same.
                """)
    }

    @Test func undoesLiteralsAndShowsBytes() throws {
        let task = TaskSpec(id: TaskID(5), streamIndex: 1, command: Array("é".utf8) + [0xFF])
        let mismatch = try withView(row(id: 5, command: #"b'\xff'"#)) {
            ResumeMismatch(file: "s", rowNumber: 1, row: $0, task: task)
        }
        #expect(mismatch.recorded.command == [0xFF])
        #expect(mismatch.description.contains(#"then: line 1, repeat index -1, command b'\xff'"#))
        #expect(mismatch.description.contains(#"now:  line 1, repeat index -1, command b'\xc3\xa9\xff'"#))
    }
}
