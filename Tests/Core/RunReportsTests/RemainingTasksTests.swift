import DisbatchCore
import Testing

@testable import RunReports

/// Each line must be read as the very task that it was made of.
@Suite struct RemainingTasksTests {
    private func read(_ bytes: [UInt8]) throws -> [TaskItem] {
        var reader = TaskFileReader(name: "left")
        bytes.withUnsafeBytes { reader.append($0) }
        reader.finish()
        var items: [TaskItem] = []
        while let item = try reader.next() { items.append(item) }
        return items
    }

    @Test(arguments: [-1, 0, 7])
    func commandsComeBackAsTheyWere(index: Int) throws {
        var commands =
            [
                "true", " leading blank", "trailing blank ", "start 5 x", "step 5 x", "  step 3 x", "STEP 9", "step",
                "s",
                "ends in CR\r", "a\tb", "10 is no count", "start", "é",
            ].map { Array($0.utf8) } + [[0x61, 0xff, 0x80]]
        if index >= 0 { commands += ["", " ", "  ", "# comment", "\t"].map { Array($0.utf8) } }
        for command in commands {
            var left = RemainingTasks()
            left.add(TaskSpec(id: TaskID(4), streamIndex: 9, repeatIndex: index, command: command))
            let items = try read(left.take())
            guard items.count == 1, case .task(let task) = items[0] else {
                Issue.record("not one task: \(items) of \(String(decoding: command, as: UTF8.self))")
                continue
            }
            #expect(task.command == command && task.repeatIndex == index, "\(String(decoding: command, as: UTF8.self))")
        }
    }

    @Test func whatAPrefixMadeACommentStaysATask() throws {
        var left = RemainingTasks()
        left.add(TaskSpec(id: TaskID(0), streamIndex: 1, command: Array("# echo off".utf8)))
        let items = try read(left.take())
        let expected = TaskSpec(id: TaskID(0), streamIndex: 1, command: Array(": # echo off".utf8))
        #expect(items == [.task(expected)])
    }

    @Test func barriersAndPerEngineCommandsStay() throws {
        var left = RemainingTasks()
        let barrier = Barrier(
            id: TaskID(1), streamIndex: 2, checks: true, key: nil, line: Array("#DISBATCH BARRIER CHECK".utf8))
        let start = TaskSpec(id: TaskID(0), streamIndex: 1, command: Array("cd here && make".utf8))
        left.add(comment: "made of\nnothing")
        left.add(PerEngineCommand(phase: .start, spec: start))
        left.pass(hasFailed: true)
        left.pass(hasFailed: false)
        left.add(barrier)
        left.add(TaskSpec(id: TaskID(3), streamIndex: 3, command: Array("echo".utf8)))
        left.add(barrier)
        #expect(left.passedChecks.map(\.failed) == [1] && left.passedChecks.map(\.line) == [2])
        let text = left.take()
        #expect(
            String(decoding: text, as: UTF8.self) == """
                # made of␊nothing
                #DISBATCH PERENGINE START cd here && make
                echo
                #DISBATCH BARRIER CHECK

                """)
        #expect(try read(text).count == 3)
    }
}
