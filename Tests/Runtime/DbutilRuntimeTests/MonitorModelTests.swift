import DisbatchCore
import RunClient
import Testing

@testable import DbutilRuntime

/// The monitor's picture, without a terminal.
@Suite struct MonitorModelTests {
    private func snapshot(engines: Int) -> RunSnapshot {
        var snapshot = RunSnapshot()
        snapshot.start = Timestamp(microseconds: 1_000_000)
        snapshot.time = Timestamp(microseconds: 61_000_000)
        snapshot.totals.finished = 50
        snapshot.totals.failed = 2
        snapshot.totalTasks = 200
        snapshot.running = 10
        snapshot.rate = 2
        snapshot.engines = (0..<engines).map { rank in
            EngineSnapshot(
                id: EngineID(rank), context: ContextID(0), label: "SSH0", node: "node\(rank)",
                state: rank == 1 ? .lost : .active, slots: 2, assigned: 3, finished: rank, failed: engines - rank,
                heard: Timestamp(microseconds: 60_500_000))
        }
        if engines > 0 { snapshot.engines[0].cpuShare = 0.973 }
        return snapshot
    }

    private func model(engines: Int) -> MonitorModel {
        var model = MonitorModel(RunState(name: "run"))
        _ = model.take(.snapshot(snapshot(engines: engines)))
        return model
    }

    private func text(_ model: inout MonitorModel, rows: Int = 20, columns: Int = 100) -> [String] {
        model.screen(rows: rows, columns: columns).map(\.text)
    }

    @Test func itSaysHowFarTheRunIs() {
        var model = model(engines: 3)
        let lines = text(&model)
        #expect(lines.count == 20)
        #expect(lines[0] == "disbatch run  running  1 min 0 s")
        #expect(lines[1].hasSuffix("  25 %"))
        #expect(lines[2] == "tasks: 50 done, 2 failed, 10 running, 140 waiting")
        #expect(lines[3] == "engines: 2 with 4 slots   rate: 2.0/s   left: 1 min 15 s")
        #expect(lines[7] == "   0  SSH0     node0  active      2        2         3     0       3  97 %  0.5 s ago")
        #expect(lines[8].contains("lost"))
    }

    @Test(arguments: [(1, 1), (3, 10), (5, 200), (24, 80), (200, 20)])
    func itFitsAnyScreen(rows: Int, columns: Int) {
        var model = model(engines: 100)
        for view in ["e", "r", "f", "?"] {
            _ = model.press(.character(Character(view)))
            let lines = model.screen(rows: rows, columns: columns)
            #expect(lines.count == rows)
            #expect(lines.allSatisfy { $0.text.count <= columns })
        }
    }

    @Test func anEnginesTasksAlone() {
        var model = model(engines: 3)
        _ = model.press(.down)
        #expect(model.press(.enter) == [.send(.listRunning)])
        _ = model.take(
            .running(
                (0..<4).map { number in
                    RunningTask(
                        task: TaskID(number), line: number + 1, attempt: 1, engine: EngineID(number % 2), node: "n",
                        seconds: Double(number), command: Array("run \(number)".utf8))
                }))
        var lines = text(&model)
        #expect(lines[5] == "Running tasks of engine 1")
        #expect(lines[7].hasSuffix("run 3") && lines[8].hasSuffix("run 1") && lines[9].isEmpty)
        _ = model.press(.down)
        #expect(model.press(.character("K")).isEmpty)
        #expect(text(&model).last == "End task 1 on n, not to be run again? (y/n)")
        #expect(model.press(.character("y")) == [.send(.control(.kill(TaskID(1))))])
        _ = model.press(.character("e"))
        _ = model.press(.character("r"))
        lines = text(&model)
        #expect(lines[5] == "Running tasks" && lines[10].hasSuffix("run 0"))
    }

    @Test func manyEnginesScroll() {
        var model = model(engines: 10_000)
        _ = model.press(.end)
        #expect(text(&model).contains { $0.contains("node9999") })
        #expect(text(&model).contains { $0.contains("of 10000)") })
        for _ in 0..<3 { _ = model.press(.up) }
        let selected = model.screen(rows: 20, columns: 100).first { $0.spans.contains { $0.style == .selected } }
        #expect(selected?.text.contains("node9996") == true)
        _ = model.press(.home)
        #expect(text(&model).contains { $0.contains("node0 ") })
    }

    @Test func enginesAreSortedAndFiltered() {
        var model = model(engines: 12)
        for _ in 0..<4 { _ = model.press(.character("s")) }
        #expect(text(&model)[5] == "Engines, by failed")
        #expect(text(&model)[7].contains("node0"))
        for character in "/node11" { _ = model.press(.character(character)) }
        #expect(text(&model).last == "show only what has: node11_")
        _ = model.press(.backspace)
        _ = model.press(.character("0"))
        _ = model.press(.enter)
        let lines = text(&model)
        #expect(lines[5] == "Engines, by failed, with \"node10\"")
        #expect(lines[7].contains("node10") && lines[8].isEmpty)
    }

    @Test func nothingIsDoneWithoutAYes() {
        var model = model(engines: 3)
        _ = model.press(.down)
        _ = model.press(.down)
        #expect(model.press(.character("E")) == [])
        #expect(text(&model).last == "Stop engine 2 on node2 after its running tasks? (y/n)")
        #expect(model.press(.character("n")) == [])
        #expect(text(&model).last == "nothing was done")
        _ = model.press(.character("E"))
        #expect(model.press(.character("y")) == [.send(.control(.stopEngine(EngineID(2))))])
        _ = model.press(.character("C"))
        #expect(model.press(.character("y")) == [.send(.control(.stopContext(label: "SSH0")))])
        #expect(model.press(.character("q")) == [.quit])
    }

    @Test func theLastPictureStays() {
        var model = model(engines: 1)
        _ = model.take(.ended(exitStatus: 1, summary: "over"))
        #expect(model.isOver)
        let lines = text(&model)
        #expect(lines[0].contains("ended with exit status 1"))
        #expect(lines.last == "the run is over; q quits")
        _ = model.press(.character("E"))
        #expect(text(&model).last == "the run is over")
    }

    @Test func whatTasksWriteCannotHarmTheTerminal() {
        var model = model(engines: 1)
        var next = snapshot(engines: 0)
        next.failures = [
            FailureSnapshot(
                task: TaskID(7), line: 9, node: "n", returnCode: 1, finish: Timestamp(microseconds: 0), elapsed: 1,
                error: Array("\u{1b}[2Jred\u{7}\r\nalert\u{202e}\n".utf8) + [0xff], command: Array("x\ty".utf8))
        ]
        _ = model.take(.snapshot(next))
        _ = model.press(.character("f"))
        let line = text(&model)[7]
        #expect(line.contains("[2Jred") && line.contains("alert") && line.contains("x y"))
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 32 && $0 != "\u{202e}" })
    }
}
