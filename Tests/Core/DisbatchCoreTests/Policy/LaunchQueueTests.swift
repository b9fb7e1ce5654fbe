import Testing

@testable import DisbatchCore

@Suite("Launch queue")
struct LaunchQueueTests {
    private let start = Instant(nanoseconds: 0)

    @Test("lets a host wait longer after each failure, up to a minute")
    func pauses() {
        let pauses = [1, 2, 3, 4, 5, 6, 7, 8, 100].map(LaunchQueue.pause(afterFailures:))
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60])
    }

    @Test("gives an engine out when its time has come")
    func due() {
        var queue = LaunchQueue()
        #expect(queue.isEmpty && queue.nextDeadline(onTheirWay: 0) == .distantFuture)
        queue.add(EngineID(0), due: start + .seconds(2))
        queue.add(EngineID(1), due: start + .seconds(1))
        #expect(queue.nextDeadline(onTheirWay: 0) == start + .seconds(1))
        #expect(queue.takeNext(at: start, onTheirWay: 0) == nil)
        #expect(queue.takeNext(at: start + .seconds(1), onTheirWay: 0) == EngineID(1))
        #expect(queue.takeNext(at: start + .seconds(1), onTheirWay: 0) == nil)
        #expect(queue.takeNext(at: start + .seconds(2), onTheirWay: 0) == EngineID(0))
        #expect(queue.isEmpty)
    }

    @Test("gives none out while 32 are on their way")
    func full() {
        var queue = LaunchQueue()
        queue.add(EngineID(0), due: start)
        #expect(queue.nextDeadline(onTheirWay: 32) == .distantFuture)
        #expect(queue.takeNext(at: start, onTheirWay: 32) == nil)
        #expect(queue.nextDeadline(onTheirWay: 31) == start)
        #expect(queue.takeNext(at: start, onTheirWay: 31) == EngineID(0))
    }

    @Test("forgets an engine that is not wanted any more")
    func removal() {
        var queue = LaunchQueue()
        queue.add(EngineID(0), due: start)
        queue.add(EngineID(1), due: start)
        queue.remove(EngineID(0))
        #expect(queue.takeNext(at: start, onTheirWay: 0) == EngineID(1))
        #expect(queue.isEmpty)
    }
}
