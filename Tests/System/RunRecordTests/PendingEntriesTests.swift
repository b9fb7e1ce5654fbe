import DisbatchCore
import Testing

@testable import RunRecord

struct PendingEntriesTests {
    @Test func anEndReplacesItsStart() {
        var pending = PendingEntries()
        pending.add([started(0), started(1)])
        pending.add([ended(0), ended(2)])
        #expect(pending.entries == [ended(0), started(1), ended(2)])
    }

    @Test func attemptsAreToldApart() {
        var pending = PendingEntries()
        pending.add([started(0), ended(0, code: 1, isFinal: false), started(0, attempt: 2)])
        #expect(pending.entries == [ended(0, code: 1, isFinal: false), started(0, attempt: 2)])
        pending.add([ended(0, attempt: 2)])
        #expect(pending.entries == [ended(0, code: 1, isFinal: false), ended(0, attempt: 2)])
    }

    @Test func anEndOfAnotherAttemptReplacesNothing() {
        var pending = PendingEntries()
        pending.add([started(0, attempt: 2), ended(0)])
        #expect(pending.entries == [started(0, attempt: 2), ended(0)])
    }

    @Test func aReportThatWasGivenUpReplacesNothing() {
        let late = RunRecordEntry.attemptEnded(recorded(0, kind: .givenUp), isFinal: false)
        var pending = PendingEntries()
        pending.add([started(0), late])
        #expect(pending.entries == [started(0), late])
    }

    @Test func aStartThatIsWrittenIsReplacedNoMore() {
        var pending = PendingEntries()
        pending.add([started(0), started(1), ended(2)])
        pending.removeFirst(1)
        pending.add([ended(0)])
        #expect(pending.entries == [started(1), ended(2), ended(0)])
    }

    @Test func chunksAreBoundedInEntriesAndBytes() {
        var pending = PendingEntries()
        pending.add((0..<PendingEntries.chunkEntries + 10).map { ended($0) })
        let first = pending.chunk(from: 0)
        #expect(first.range == 0..<PendingEntries.chunkEntries)
        let second = pending.chunk(from: first.range.upperBound)
        #expect(second.range.count == 10)
        #expect(first.bytes + second.bytes == pending.bytes)

        var long = PendingEntries()
        let command = String(repeating: "x", count: PendingEntries.chunkBytes)
        long.add((0..<3).map { .attemptEnded(recorded($0, command: command), isFinal: true) })
        #expect(long.chunk(from: 0).range == 0..<1)
    }

    @Test(arguments: [
        (0, ""), (1, "0"), (40, String(repeating: "0", count: 40)),
        (43, String(repeating: "0", count: 40) + "...111"),
        (80, String(repeating: "0", count: 40) + "..." + String(repeating: "1", count: 40)),
    ])
    func snippet(length: Int, expected: String) {
        let edges = (0..<length).map { UInt8(ascii: $0 < 40 ? "0" : "1") }
        let shown = OutputSummary(count: UInt64(length), edges: edges).snippet
        #expect(String(decoding: shown, as: UTF8.self) == expected)
    }
}
