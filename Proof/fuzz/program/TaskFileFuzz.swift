import DisbatchCore
import RunReports

/// Task files: read in pieces they are the same as at once, and what is left of one is a task file of the same tasks.
enum TaskFileFuzz {
    /// What came of a file, as far as it was read.
    private struct Reading: Equatable {
        var items: [TaskItem] = []
        var error: TaskFileError?
        var isWhole = false
        var ids = 0
        var tasks = 0
        var hasCarriageReturns = false
    }

    private static let most = 2000

    static func run(_ input: inout FuzzInput) {
        let seed = input.byte()
        let limit = input.byte()
        let bytes = input.rest()
        let lineLimit = limit == 0 ? TaskFileReader.longestLine : Int(limit)
        let whole = read([bytes[...]], lineLimit)
        var pieces: [ArraySlice<UInt8>] = []
        var cutter = FuzzPieces(seed: seed)
        cutter.cut(bytes) { pieces.append($0) }
        expectEqual(whole, read(pieces, lineLimit), "at once and in pieces")
        checkAlone(bytes, lineLimit, whole)
        let lines = 1 + bytes.count { $0 == UInt8(ascii: "\n") }
        if let error = whole.error { check(error, lines: lines) }
        for item in whole.items { check(item, lines: lines) }
        if lineLimit == TaskFileReader.longestLine { checkRemaining(whole.items) }
    }

    private static func read(_ pieces: [ArraySlice<UInt8>], _ lineLimit: Int) -> Reading {
        var reader = TaskFileReader(name: "tasks", lineLimit: lineLimit)
        var reading = Reading()
        do throws(TaskFileError) {
            for piece in pieces {
                piece.withUnsafeBytes { reader.append($0) }
                if try !take(from: &reader, into: &reading) { return reading }
            }
            reader.finish()
            if try !take(from: &reader, into: &reading) { return reading }
            reading.isWhole = true
            expect(reader.isAtEnd, "at the end of the file")
        } catch {
            reading.error = error
            do throws(TaskFileError) {
                _ = try reader.next()
                expect(false, "an error is thrown again")
            } catch let again {
                expectEqual(error, again, "the same error again")
            }
        }
        reading.ids = reader.idCount
        reading.tasks = reader.taskCount
        reading.hasCarriageReturns = reader.hasCarriageReturns
        return reading
    }

    /// False where there are more items than are looked at.
    private static func take(
        from reader: inout TaskFileReader, into reading: inout Reading
    ) throws(TaskFileError) -> Bool {
        while let item = try reader.next() {
            reading.items.append(item)
            if reading.items.count >= most { return false }
        }
        return true
    }

    /// Going over it without making anything finds the same error, and counts the same.
    private static func checkAlone(_ bytes: [UInt8], _ lineLimit: Int, _ whole: Reading) {
        guard whole.isWhole || whole.error != nil else { return }
        var reader = TaskFileReader(name: "tasks", lineLimit: lineLimit)
        var found: TaskFileError?
        do throws(TaskFileError) {
            bytes.withUnsafeBytes { reader.append($0) }
            reader.finish()
            try reader.check()
        } catch {
            found = error
        }
        expectEqual(found, whole.error, "the error of check()")
        expectEqual(reader.idCount, whole.ids, "ids of check()")
        expectEqual(reader.taskCount, whole.tasks, "tasks of check()")
        expectEqual(reader.hasCarriageReturns, whole.hasCarriageReturns, "CR of check()")
    }

    private static func check(_ error: TaskFileError, lines: Int) {
        expect(1...lines ~= error.line, "line \(error.line) of \(lines)")
        expect(0...100 ~= error.caret, "caret at \(error.caret)")
        expect(error.text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "text for a terminal")
        expectEqual(
            error.description.split(separator: "\n", omittingEmptySubsequences: false).count, 3, "lines of an error")
    }

    private static func check(_ item: TaskItem, lines: Int) {
        switch item {
        case .task(let spec): check(spec, lines: lines)
        case .perEngine(let command): check(command.spec, lines: lines)
        case .barrier(let barrier): expect(1...lines ~= barrier.streamIndex, "line of a barrier")
        case .skipped: expect(false, "nothing is skipped")
        }
    }

    private static func check(_ spec: TaskSpec, lines: Int) {
        expect(1...lines ~= spec.streamIndex, "line \(spec.streamIndex) of \(lines)")
        expect(!spec.command.contains { $0 == 0 || $0 == UInt8(ascii: "\n") }, "NUL or LF in a command")
    }

    /// A task file of all tasks has the same tasks.
    private static func checkRemaining(_ items: [TaskItem]) {
        var writer = RemainingTasks()
        var expected: [TaskItem] = []
        for item in items.prefix(200) {
            switch item {
            case .task(let spec):
                writer.add(spec)
                let first = spec.command.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
                let isNothing = spec.repeatIndex < 0 && (first == nil || first == UInt8(ascii: "#"))
                expected.append(.task(plain(spec, isNothing ? Array(": ".utf8) + spec.command : spec.command)))
            case .perEngine(let command):
                writer.add(command)
                expected.append(
                    .perEngine(PerEngineCommand(phase: command.phase, spec: plain(command.spec, command.spec.command))))
            case .barrier, .skipped: break
            }
        }
        let text = writer.take()
        let again = read([text[...]], TaskFileReader.longestLine)
        expectEqual(again.error, nil, "what is left is a task file")
        let found = again.items.map { item -> TaskItem in
            switch item {
            case .task(let spec): .task(plain(spec, spec.command))
            case .perEngine(let command):
                .perEngine(PerEngineCommand(phase: command.phase, spec: plain(command.spec, command.spec.command)))
            case .barrier, .skipped: item
            }
        }
        expectEqual(expected, found, "what is left")
    }

    /// A task without the numbers that its place in a file gives it.
    private static func plain(_ spec: TaskSpec, _ command: [UInt8]) -> TaskSpec {
        TaskSpec(id: TaskID(0), streamIndex: 0, repeatIndex: spec.repeatIndex, command: command)
    }
}
