import DisbatchCore
import Testing

@Suite struct RepeatTests {
    /// A REPEAT line, its command and its indices, as disBatch's regular expression groups it.
    struct Case: CustomTestStringConvertible {
        var text: String
        var command: String
        var indices: [Int]
        var testDescription: String { text.debugDescription }

        init(_ text: String, _ command: String, _ indices: [Int]) {
            (self.text, self.command, self.indices) = (text, command, indices)
        }
    }

    @Test(arguments: [
        Case("REPEAT 3 echo x", "echo x", [0, 1, 2]),
        Case("repeat 2", "", [0, 1]),
        Case("REPEAT 2 ", "", [0, 1]),
        Case("REPEAT 2 \t", "\t", [0, 1]),
        Case("REPEAT 2\t\t", "", [0, 1]),
        Case("REPEAT 1  two blanks  ", " two blanks  ", [0]),
        Case("REPEAT \t 002 x", "x", [0, 1]),
        Case("REPEAT\t2 x", "x", [0, 1]),
        Case("REPEAT 3 start 100 step 50 echo", "echo", [100, 150, 200]),
        Case("REPEAT 3 Start 5 echo", "echo", [5, 6, 7]),
        Case("REPEAT 3 STEP 5 echo", "echo", [0, 5, 10]),
        Case("REPEAT 2\tstart\t5  step \t2 echo", "echo", [5, 7]),
        Case("REPEAT 2 start 5 step 2", "", [5, 7]),
        Case("REPEAT 2 start 5 step 2\t", "", [5, 7]),
        Case("REPEAT 3 start 7 step 0 x", "x", [7, 7, 7]),
        Case("REPEAT 2 step 3 start 5 c", "start 5 c", [0, 3]),
        Case("REPEAT 2 start x", "start x", [0, 1]),
        Case("REPEAT 2 start", "start", [0, 1]),
        Case("REPEAT 2 start 5x", "start 5x", [0, 1]),
        Case("REPEAT 2 start5 x", "start5 x", [0, 1]),
        Case("REPEAT 2 start 5\tx", "start 5\tx", [0, 1]),
        Case("REPEAT 2 start 5 step", "step", [5, 6]),
        Case("REPEAT 2 start 5 step 2x", "step 2x", [5, 6]),
        Case("REPEAT 2 start 5 step 2\tx", "step 2\tx", [5, 6]),
        Case("REPEAT 2 step 2\tx", "step 2\tx", [0, 1]),
        Case("REPEAT 2 started 5", "started 5", [0, 1]),
        Case("REPEAT 1 # no comment", "# no comment", [0]),
        Case("REPEAT 0 x", "", []),
        Case("REPEAT 0 start 9223372036854775807 step 9223372036854775807 x", "", []),
        Case("REPEAT 1 start 9223372036854775807 step 9223372036854775807 x", "x", [.max]),
        Case("REPEAT 2 start 9223372036854775806 x", "x", [.max - 1, .max]),
        Case("REPEAT 2 step 9223372036854775807 x", "x", [0, .max]),
    ])
    func expandsAsDisBatchDoes(_ repetition: Case) {
        let reading = read("#DISBATCH \(repetition.text)\nlast")
        #expect(reading.error == nil)
        let first = repetition.indices.enumerated().map {
            task($0.offset, line: 1, index: $0.element, repetition.command)
        }
        #expect(reading.items == first + [task(first.count, line: 2, "last")])
    }

    @Test func takesPrefixAndSuffixAsTheyWereAtItsLine() {
        let reading = read("#DISBATCH PREFIX <\n#DISBATCH SUFFIX >\n#DISBATCH REPEAT 2 x\n#DISBATCH REPEAT 1\n")
        #expect(reading.commands == ["<x>", "<x>", "<>"])
    }

    @Test func isReadLazily() throws {
        var reader = TaskFileReader(name: "Tasks")
        reader.append("#DISBATCH REPEAT 1000000000 start 5 echo\nx\n".utf8)
        for index in 0..<3 { #expect(try reader.next() == task(index, line: 1, index: 5 + index, "echo")) }
        #expect(reader.bufferedBytes == 2)
        #expect(reader.idCount == 3)
    }

    @Test func copiesShareOneCommand() throws {
        var reader = TaskFileReader(name: "Tasks")
        reader.append("#DISBATCH REPEAT 2 echo\n".utf8)
        var addresses: Set<UInt> = []
        var kept: [TaskItem] = []
        while let item = try reader.next() {
            kept.append(item)
            guard case .task(let spec) = item else { continue }
            spec.command.withUnsafeBytes { _ = addresses.insert(UInt(bitPattern: $0.baseAddress)) }
        }
        #expect(kept.count == 2)
        #expect(addresses.count == 1)
    }
}
