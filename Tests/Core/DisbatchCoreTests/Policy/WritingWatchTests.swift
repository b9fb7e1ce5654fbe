import Testing

@testable import DisbatchCore

@Suite struct WritingWatchTests {
    private func sight(
        full: Bool = false, oldest: Int? = nil, bytes: Int = 0, running: Int = 1
    ) -> WritingWatch.Sight {
        WritingWatch.Sight(
            isFull: full, oldest: oldest.map { .seconds($0) }, waitingBytes: bytes, runningTasks: running)
    }

    private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: Int64(seconds) * 1_000_000_000) }

    @Test func rowsThatAreWrittenInTimeAreNoNews() {
        var watch = WritingWatch(patience: .seconds(300))
        #expect(watch.nextDeadline == .distantFuture)
        watch.handedOver(waitingBytes: 100, at: at(0))
        watch.handedOver(waitingBytes: 100, at: at(5))
        #expect(watch.nextDeadline == at(10))
        #expect(watch.look(sight(oldest: 4), at: at(10)) == nil && watch.nextDeadline == at(16))
        #expect(watch.look(sight(), at: at(16)) == nil && watch.nextDeadline == .distantFuture)
        #expect(!watch.isHolding)
    }

    @Test func aWriterThatIsStuckHoldsTheRunUntilAllIsWritten() {
        var watch = WritingWatch(patience: .seconds(300))
        watch.handedOver(waitingBytes: 100, at: at(0))
        #expect(watch.look(sight(oldest: 10), at: at(10)) == .stuck && watch.isHolding)
        #expect(watch.look(sight(oldest: 11), at: at(11)) == nil && watch.nextDeadline == at(12))
        #expect(watch.look(sight(), at: at(12)) == .goesOn && !watch.isHolding)
    }

    @Test func memoryHasABound() {
        var watch = WritingWatch(patience: .seconds(300))
        watch.handedOver(waitingBytes: WritingWatch.highWater + 1, at: at(3))
        #expect(watch.nextDeadline == at(3))
        #expect(watch.look(sight(oldest: 1, bytes: WritingWatch.highWater + 1), at: at(3)) == .stuck)
    }

    @Test func aFullDiskIsWaitedForWhileTasksRunAndThenForAsLongAsAsked() {
        var watch = WritingWatch(patience: .seconds(300))
        #expect(watch.look(sight(full: true, oldest: 0), at: at(0)) == .full && watch.isHolding)
        #expect(watch.look(sight(full: true, oldest: 9_000), at: at(9_000)) == nil)
        #expect(watch.look(sight(full: true, oldest: 9_001, running: 0), at: at(9_001)) == nil)
        #expect(watch.look(sight(full: true, oldest: 9_300, running: 0), at: at(9_300)) == nil)
        #expect(watch.look(sight(full: true, oldest: 9_301, running: 0), at: at(9_301)) == .givenUp)
    }

    @Test func roomEndsTheHold() {
        var watch = WritingWatch(patience: .seconds(300))
        _ = watch.look(sight(full: true, oldest: 0), at: at(0))
        #expect(watch.look(sight(), at: at(400)) == .room && !watch.isHolding)
    }
}
