import DisbatchCore
import Testing

@testable import DriverRuntime

/// When progress is shown, by a made-up clock.
struct ProgressPaceTests {
    private static func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    /// Looks every second, and says at which of them a line was due.
    private func lines(_ seconds: Range<Int>, total: Int?, done: (Int) -> Int) -> [Int] {
        var pace = ProgressPace(isRedrawn: false, at: Self.at(0))
        return seconds.filter { pace.isDue(at: Self.at(Double($0)), done: done($0), total: total) }
    }

    @Test("a fast run gets a line every five minutes")
    func fastRun() {
        // A quarter of it in five minutes.
        #expect(lines(0..<1200, total: 1200) { $0 } == [300, 600, 900])
    }

    @Test("a slow run gets a line every twentieth of it, each of them")
    func slowRun() {
        // 5 % in 1000 s; of 20 tasks each, of which no sum of fractions may miss one.
        #expect(lines(0..<20_001, total: 20) { $0 / 1000 } == Array(stride(from: 1000, through: 20_000, by: 1000)))
        #expect(lines(0..<20_001, total: 1_000_000) { $0 * 50 } == Array(stride(from: 1000, through: 20_000, by: 1000)))
    }

    @Test("what comes to five per cent between two lines' times is told at once")
    func unevenRun() {
        #expect(lines(0..<2000, total: 100) { $0 < 421 ? 4 : 5 } == [421])
        #expect(lines(0..<2000, total: 100) { $0 < 10 ? 0 : 90 } == [300])
    }

    @Test("a stream of unknown length gets a line every five minutes")
    func stream() {
        #expect(lines(0..<1000, total: nil) { _ in 0 } == [300, 600, 900])
    }

    @Test("a run that stands still, or has nothing to do, says nothing")
    func nothing() {
        #expect(lines(0..<10_000, total: 10) { _ in 0 } == [])
        #expect(lines(0..<10_000, total: 0) { _ in 0 } == [])
    }

    @Test("it is looked at again five minutes after a line, or after there was too little for one")
    func nextLook() {
        var pace = ProgressPace(isRedrawn: false, at: Self.at(0))
        #expect(pace.nextLook == Self.at(300))
        var isDue = pace.isDue(at: Self.at(300), done: 1, total: 100)
        #expect(!isDue)
        #expect(pace.nextLook == Self.at(600))
        isDue = pace.isDue(at: Self.at(450), done: 5, total: 100)
        #expect(isDue)
        #expect(pace.nextLook == Self.at(750))
        isDue = pace.isDue(at: Self.at(749), done: 100, total: 100)
        #expect(!isDue)
        #expect(pace.nextLook == Self.at(750), "what came too early is no look")
    }

    @Test("a terminal's line is drawn five times a second at most, and once at least, whatever is new")
    func redrawn() {
        var pace = ProgressPace(isRedrawn: true, at: Self.at(0))
        var shown: [Int] = []
        for tick in 1...100 where pace.isDue(at: Self.at(Double(tick) / 100), done: 0, total: 1000) {
            shown.append(tick)
        }
        #expect(shown == [20, 40, 60, 80, 100])
        #expect(pace.nextLook == Self.at(2))
    }
}
