import DisbatchCore
import EngineHosting
import Foundation
import Options
import Testing

@testable import DriverRuntime

struct TaskFeedTests {
    let directory = DriverTestDirectory()

    private func feed(
        _ tasks: String, statuses: [String] = [], _ change: (inout RunConfiguration) -> Void = { _ in }
    ) throws -> (TaskFeed, ResumeFiles) {
        let files = try statuses.enumerated().map { try directory.write($1, to: "s\($0)_status.txt") }
        let resume = try ResumeFiles(files)
        return (try TaskFeed(.reading(directory.write(tasks, to: "Tasks"), change), resume: resume), resume)
    }

    /// All that a feed gives, as text: tasks by id and command, the rest by what it is.
    private func all(_ feed: TaskFeed, by count: Int = 1000) -> (items: [String], last: TaskFeed.Batch) {
        var items: [String] = []
        while true {
            let batch = feed.next(count)
            items += batch.items.map { item in
                switch item {
                case .task(let task): "\(task.id.rawValue) \(String(decoding: task.command, as: UTF8.self))"
                case .barrier(let barrier): "\(barrier.id.rawValue) barrier"
                case .perEngine: "per engine"
                case .skipped(let count, let failed): "skipped \(count), \(failed) failed"
                }
            }
            if batch.end != nil { return (items, batch) }
        }
    }

    static let tasks = "a\nb\n#DISBATCH BARRIER\nc\nd\n"

    @Test(arguments: [1, 2, 3, 1000])
    func everythingInOrder(count: Int) throws {
        let (feed, _) = try feed(Self.tasks)
        let (items, last) = all(feed, by: count)
        #expect(items == ["0 a", "1 b", "2 barrier", "3 c", "4 d"])
        #expect(last.end == .complete)
    }

    @Test(
        arguments: [
            (1, ["0 a"], .limited), (2, ["0 a", "1 b", "2 barrier"], .limited),
            (3, ["0 a", "1 b", "2 barrier", "3 c"], .limited),
            (4, ["0 a", "1 b", "2 barrier", "3 c", "4 d"], .complete),
            (9, ["0 a", "1 b", "2 barrier", "3 c", "4 d"], .complete),
        ] as [(Int, [String], SourceEnd)])
    func limit(limit: Int, expected: [String], end: SourceEnd) throws {
        let (feed, _) = try feed(Self.tasks) { $0.options.runTaskLimit = limit }
        let (items, last) = all(feed)
        #expect(items == expected && last.end == end)
    }

    @Test func finishedTasksAreSkipped() throws {
        let status =
            statusRow(1, line: 2, command: "b") + statusRow(0, line: 1, code: 3, command: "a")
            + statusRow(4, line: 5, command: "d")
        let (feed, resume) = try feed(Self.tasks, statuses: [status])
        let survey = try feed.survey()
        #expect(survey.ids == 5 && survey.tasks == 4 && survey.skippedCount == 3 && !survey.hasCarriageReturns)
        #expect(survey.skippedEntries == [true, true, true])
        #expect(resume.warnings.isEmpty)
        let batch = feed.next(100)
        #expect(batch.end == .complete)
        #expect(
            batch.skipped == [
                TaskFeed.SkippedRange(first: TaskID(0), last: TaskID(1), failed: 1),
                TaskFeed.SkippedRange(first: TaskID(4), last: TaskID(4), failed: 0),
            ])
        #expect(batch.items.first == .skipped(count: 2, failed: 1) && batch.items.last == .skipped(count: 1, failed: 0))
        #expect(batch.rows.isEmpty, "of a regular file the rows are written before the first task")
    }

    @Test func failuresAreRetriedWhereAskedFor() throws {
        let status =
            statusRow(0, line: 1, code: 3, command: "a") + statusRow(1, line: 2, command: "b")
            + statusRow(3, line: 4, code: -100, command: "c")
        let (feed, _) = try feed(Self.tasks, statuses: [status]) {
            $0.options.retriesFailures = true
            $0.options.runTaskLimit = 2
        }
        #expect(try feed.survey().skippedEntries == [false, true, false])
        let (items, last) = all(feed)
        #expect(items == ["0 a", "skipped 1, 0 failed", "2 barrier", "3 c"] && last.end == .limited)
    }

    /// A success in any file counts.
    @Test func severalFiles() throws {
        let first = statusRow(0, line: 1, command: "a") + statusRow(1, line: 2, code: 1, command: "b")
        let second =
            statusRow(0, line: 1, code: -100, command: "a") + statusRow(1, line: 2, flags: "   S", command: "b")
        let (feed, _) = try feed(Self.tasks, statuses: [first, second]) { $0.options.retriesFailures = true }
        #expect(try feed.survey().skippedCount == 2)
        #expect(all(feed).items == ["skipped 2, 0 failed", "2 barrier", "3 c", "4 d"])
    }

    @Test func aChangedCommandIsAnError() throws {
        let status =
            "ROE[ PSZ]\tTaskID\n" + statusRow(0, line: 1, command: "a") + statusRow(1, line: 2, command: "other")
        let rows = status.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().joined(separator: "\n")
        let (feed, _) = try feed(Self.tasks, statuses: [rows])
        let text = """
            \(directory.path)/s0_status.txt:2: task 1 is not the one that ran before:
              then: line 2, repeat index -1, command 'other'
              now:  line 2, repeat index -1, command 'b'
            Give the task file that ran before, or --force-resume to skip such tasks all the same.
            """
        #expect(throws: StartError(text)) { try feed.survey() }
        let (forced, _) = try self.feed(Self.tasks, statuses: [rows]) { $0.options.forcesResume = true }
        #expect(try forced.survey().skippedCount == 2)
    }

    @Test func aTornLineIsLeftOut() throws {
        let whole = statusRow(0, line: 1, command: "a")
        let torn = whole + statusRow(1, line: 2, command: "b").dropLast(3)
        let (feed, resume) = try feed(Self.tasks, statuses: [torn])
        let path = directory.path + "/s0_status.txt"
        let length = torn.utf8.count - whole.utf8.count
        #expect(resume.warnings == ["\(path): the last line is torn (\(length) bytes without an end) and ignored"])
        #expect(try resume.tornLength(of: #require(RunFiles.identity(of: path))) == length)
        #expect(try resume.tornLength(of: #require(RunFiles.identity(of: directory.path))) == nil)
        #expect(try feed.survey().skippedCount == 1)
    }

    @Test func filesThatAreNoStatusFiles() throws {
        let path = try directory.write("hello\n", to: "x")
        #expect(throws: StartError("-r \(directory.path)/none: No such file or directory")) {
            _ = try ResumeFiles([directory.path + "/none"])
        }
        #expect(
            throws: StartError("-r \(directory.path): not a regular file; -r takes the status file of an earlier run")
        ) { _ = try ResumeFiles([directory.path]) }
        let error = #expect(throws: StartError.self) { _ = try ResumeFiles([path]) }
        #expect(error?.description.hasPrefix("-r \(path):1: ") == true)
        #expect(error?.description.hasSuffix("\nIs this the status file of a run?") == true)
    }

    @Test func skippedRows() throws {
        let status = statusRow(0, line: 1, code: 3, flags: "R   ", command: "a\tb")
        let (_, resume) = try feed("a\tb\n", statuses: [status])
        var rows: [UInt8] = []
        try resume.appendSkippedRow(of: resume.index.entries[0], to: &rows)
        #expect(String(decoding: rows, as: UTF8.self) == statusRow(0, line: 1, code: 3, flags: "R  S", command: "a\tb"))
    }

    /// Rows in the order of ids, though they stand in the file as they ended: far from each other.
    @Test func manyRowsInAnyOrder() throws {
        let ids = (0..<20_000).map { $0 * 7919 % 20_000 }
        let status = ids.map { statusRow($0, line: $0 + 1, command: "echo \($0)") }.joined()
        let (feed, resume) = try feed((0..<20_000).map { "echo \($0)\n" }.joined(), statuses: [status])
        #expect(try feed.survey().skippedCount == 20_000)
        var rows: [UInt8] = []
        for place in stride(from: 0, to: 20_000, by: 97) {
            try resume.appendSkippedRow(of: resume.index.entries[place], to: &rows)
        }
        let expected = stride(from: 0, to: 20_000, by: 97).map {
            statusRow($0, line: $0 + 1, flags: "   S", command: "echo \($0)")
        }
        #expect(String(decoding: rows, as: UTF8.self) == expected.joined())
    }

    @Test func taskFilesThatAreNone() throws {
        let resume = try ResumeFiles([])
        #expect(throws: StartError("/no/such/Tasks: No such file or directory")) {
            _ = try TaskFeed(.reading("/no/such/Tasks"), resume: resume)
        }
        #expect(throws: StartError("\(directory.path): a directory; a file of tasks, one on a line, is needed")) {
            _ = try TaskFeed(.reading(directory.path), resume: resume)
        }
        let (feed, _) = try feed("a\n#DISBATCH REPAT 3\n")
        let error = #expect(throws: StartError.self) { try feed.survey() }
        #expect(error?.description.hasPrefix("\(directory.path)/Tasks:2: ") == true)
    }

    /// What is added to the file later is not read; what is taken away is missed.
    @Test func aFileThatChanges() throws {
        let (feed, _) = try feed("a\n")
        _ = try directory.write("a\nb\n", to: "Tasks")
        #expect(all(feed).items == ["0 a"])
        let (longer, _) = try self.feed(String(repeating: "echo\n", count: 1000))
        truncate(directory.path + "/Tasks", 0)
        let batch = longer.next(10)
        #expect(batch.end == .broken && batch.error == "\(directory.path)/Tasks: became shorter while it was read")
    }

    @Test func carriageReturns() throws {
        let (feed, _) = try feed("a\r\nb\r\n")
        #expect(try feed.survey().hasCarriageReturns)
        #expect(all(feed).items == ["0 a", "1 b"])
    }
}
