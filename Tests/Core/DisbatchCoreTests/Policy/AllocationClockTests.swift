import Testing

@testable import DisbatchCore

@Suite("Allocation clock")
struct AllocationClockTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)

    /// How many seconds from now each step is taken at, where every question is answered the same at once.
    private func steps(endIn end: Duration, margin: Duration?) -> [Double] {
        var clock = AllocationClock()
        var times: [Double] = []
        clock.start(at: start)
        while times.count < 3 {
            let now = max(start, clock.nextDeadline)
            guard now < .distantFuture else { break }
            if clock.takesQuestion(at: now) { _ = clock.answered(start + end, margin: margin, at: now) }
            while clock.takeStep(at: now) != nil { times.append(Double((now - start).wholeNanoseconds) / 1e9) }
        }
        return times
    }

    struct Steps: Sendable, CustomTestStringConvertible {
        var end: Int
        var margin: Int?
        var times: [Double]
        var testDescription: String { "end in \(end) s, margin \(margin.map { "\($0) s" } ?? "as suits")" }
    }

    @Test(
        "takes its steps at a margin, a reserve and a fifth of that before the end",
        arguments: [
            Steps(end: 1000, times: [940, 985, 997]),
            // A quarter of a short time.
            Steps(end: 100, times: [75, 85, 97]), Steps(end: 8, times: [6, 6, 7.6]),
            // As the user wants it.
            Steps(end: 1000, margin: 300, times: [700, 985, 997]),
            Steps(end: 1000, margin: 10, times: [990, 990, 998]),
            // It is over, or as good as.
            Steps(end: 0, times: [0, 0, 0]), Steps(end: 100, margin: 200, times: [0, 85, 97]),
        ])
    func times(_ row: Steps) {
        let margin = row.margin.map { Duration.seconds($0) }
        #expect(steps(endIn: .seconds(row.end), margin: margin) == row.times)
    }

    @Test("takes no step while the end is not known, or never comes")
    func noEnd() {
        var clock = AllocationClock()
        #expect(clock.nextDeadline == .distantFuture)
        clock.start(at: start)
        #expect(clock.takesQuestion(at: start) == true)
        let isNew = clock.answered(nil, margin: nil, at: start)
        #expect(!isNew && clock.end == nil)
        #expect(clock.takeStep(at: start + .seconds(1_000_000)) == nil)
    }

    @Test("asks once at a time, every minute, and just before the first step")
    func questions() {
        var clock = AllocationClock()
        clock.start(at: start)
        #expect(clock.takesQuestion(at: start) == true)
        #expect(clock.takesQuestion(at: start + .seconds(1)) == false, "while the answer is awaited")
        let isNew = clock.answered(start + .seconds(150), margin: .seconds(20), at: start + .seconds(1))
        #expect(isNew)
        #expect(clock.nextDeadline == start + .seconds(61))
        #expect(clock.takesQuestion(at: start + .seconds(61)) == true)
        let isNewAgain = clock.answered(start + .seconds(140), margin: .seconds(20), at: start + .seconds(70))
        #expect(!isNewAgain, "it was known, if not so")
        #expect(clock.nextDeadline == start + .seconds(115), "the first step is at 120 s now")
        #expect(clock.end == start + .seconds(140))
    }

    @Test("asks again after 10 s where there was no answer, then after a minute")
    func failures() {
        var clock = AllocationClock()
        clock.start(at: start)
        #expect(clock.takesQuestion(at: start) == true)
        clock.failed(at: start)
        #expect(clock.nextDeadline == start + .seconds(10))
        #expect(clock.takesQuestion(at: start + .seconds(10)) == true)
        clock.failed(at: start + .seconds(10))
        #expect(clock.nextDeadline == start + .seconds(70))
    }
}
