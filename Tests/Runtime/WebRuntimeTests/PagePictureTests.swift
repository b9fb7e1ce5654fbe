import DisbatchCore
import Foundation
import RunClient
import Testing

@testable import WebRuntime

/// What browsers are sent.
@Suite struct PagePictureTests {
    private let file = RunFileText(
        name: "run", version: "1.2", host: "login1", pid: 42, start: Timestamp(microseconds: 1_000_000),
        workingDirectory: "/data/\"here\"")

    private func state(engines: Int = 2, failures: Int = 1) -> RunState {
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
                state: rank % 2 == 1 ? .gone : .active, slots: 2, assigned: 3, finished: rank, failed: 0,
                heard: Timestamp(microseconds: 60_500_000))
        }
        snapshot.failures = (0..<failures).map { number in
            FailureSnapshot(
                task: TaskID(number), line: number + 1, node: "node0", returnCode: 3,
                finish: Timestamp(microseconds: 2_000_000), elapsed: 0.5,
                error: Array("a\nb\u{1b}[0m</script>\u{202e}\"\\".utf8) + [0xff], command: Array("exit 3".utf8))
        }
        var state = RunState(name: "run")
        state.apply(snapshot)
        return state
    }

    private func object(_ state: RunState, trouble: String? = nil) throws -> [String: Any] {
        let text = PagePicture.json(state, file, PageHistory(), trouble: trouble)
        #expect(!text.contains("\n"), "an event is one line")
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func itSaysHowFarTheRunIs() throws {
        let object = try object(state())
        #expect(object["done"] as? Int == 50 && object["failed"] as? Int == 2 && object["waiting"] as? Int == 140)
        #expect(object["elapsed"] as? Double == 60 && object["left"] as? Double == 75)
        #expect(object["phase"] as? String == "running" && object["isOver"] as? Bool == false)
        #expect(object["directory"] as? String == "/data/\"here\"" && object["liveEngines"] as? Int == 1)
        #expect(object["exitStatus"] is NSNull && object["trouble"] is NSNull)
        let engine = try #require((object["engines"] as? [[String: Any]])?.first)
        #expect(engine["node"] as? String == "node0" && engine["running"] as? Int == 2)
        #expect(engine["heard"] as? String == "0.5 s ago")
    }

    @Test func hostileTextsStayTexts() throws {
        let failure = try #require((try object(state())["failures"] as? [[String: Any]])?.first)
        #expect(failure["error"] as? String == "a b [0m</script> \"\\\u{fffd}")
    }

    @Test func itSaysHowTheRunEnded() throws {
        var over = state()
        over.exitStatus = 4
        over.summary = "line\nline"
        let ended = try object(over)
        #expect(ended["isOver"] as? Bool == true && ended["phase"] as? String == "ended")
        #expect(ended["exitStatus"] as? Int == 4 && ended["summary"] as? String == "line\nline")
        #expect(try object(state(), trouble: "gone")["trouble"] as? String == "gone")
    }

    @Test func itIsBounded() throws {
        let object = try object(state(engines: 3000, failures: 150))
        let engines = try #require(object["engines"] as? [[String: Any]])
        #expect(engines.count == 1000 && object["moreEngines"] as? Int == 2000)
        #expect(engines.allSatisfy { $0["state"] as? String == "active" }, "those that are gone are left out first")
        let failures = try #require(object["failures"] as? [[String: Any]])
        #expect(failures.map { $0["task"] as? Int } == (100..<150).reversed().map { $0 })
    }

    @Test func anEventIsFramed() {
        #expect(PagePicture.event("{}") == Array("event: picture\ndata: {}\n\n".utf8))
    }

    // MARK: The page

    @Test func thePageNeedsNothingElse() {
        let page = PageText.html(nonce: "n0nce")
        #expect(page.contains("<style nonce=\"n0nce\">") && page.contains("<script nonce=\"n0nce\">"))
        #expect(!page.contains("innerHTML") && !page.contains("insertAdjacentHTML") && !page.contains("document.write"))
        for match in page.matches(of: /https?:\/\/[^"' ]*/) { #expect(match.output == "http://www.w3.org/2000/svg") }
        #expect(!page.contains(" src=") && !page.contains(" href=") && !page.contains("@import"))
        #expect(!page.contains(" style=\"") && page.matches(of: /\ on[a-z]+="/).isEmpty, "the policy forbids them")
    }
}

/// How a long run is kept in few samples.
@Suite struct PageHistoryTests {
    private func sample(_ time: Double) -> PageHistory.Sample {
        PageHistory.Sample(time: time, done: Int(time * 10), running: 2, failed: 0)
    }

    @Test(arguments: [(10, 12), (50, 51), (100, 51), (100_000, 51)])
    func itIsBoundedAndReachesFromTheBeginningToNow(seconds: Int, most: Int) throws {
        var history = PageHistory(limit: 50)
        for time in 0...seconds { history.note(sample(Double(time))) }
        history.close(with: sample(Double(seconds) + 0.5))
        #expect(history.samples.count <= most && history.samples.count > min(seconds, 24))
        #expect(history.samples.first?.time == 0 && history.samples.last?.time == Double(seconds) + 0.5)
        let times = history.samples.map(\.time)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func whatComesTooSoonIsLeftOut() {
        var history = PageHistory()
        for time in [0, 0.5, 0.95, 1.2, 2] { history.note(sample(time)) }
        #expect(history.samples.map(\.time) == [0, 0.95, 2])
        history.close(with: sample(2))
        #expect(history.samples.map(\.time) == [0, 0.95, 2])
    }
}
