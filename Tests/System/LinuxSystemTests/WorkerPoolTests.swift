import Foundation
import Testing

@testable import LinuxSystem

/// Threads that do what may block.
@Suite struct WorkerPoolTests {
    /// What blocks until it is opened.
    private final class Gate: Sendable {
        private let state = Guarded((isOpen: false, waiting: 0))

        func pass() {
            state.withLock { $0.waiting += 1 }
            state.signal()
            let _: Bool? = state.wait { $0.isOpen ? true : nil }
        }

        func open() {
            state.withLock { $0.isOpen = true }
            state.signal()
        }

        /// Waits until so many wait here.
        func await(_ count: Int) {
            let _: Bool? = state.wait(until: .now + .seconds(60)) { $0.waiting >= count ? true : nil }
        }

        var waiting: Int { state.withLock { $0.waiting } }
    }

    private func outcomes<Outcome>(_ pool: WorkerPool<Outcome>, _ count: Int) -> [Outcome] {
        var found: [Outcome] = []
        while found.count < count {
            var ready = pollfd(fd: pool.wakeup.raw, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 60_000) > 0 else { break }
            found += pool.takeOutcomes()
        }
        return found
    }

    @Test func oneThreadKeepsTheOrder() throws {
        let pool = try WorkerPool<Int>(name: "test", limit: 1)
        for number in 0..<100 { pool.submit { pool.deliver(number) } }
        #expect(outcomes(pool, 100) == Array(0..<100))
        // It has ended by itself, or will: a later job has a thread all the same.
        pool.awaitEnd(until: .now + .seconds(60))
        pool.submit { pool.deliver(100) }
        #expect(outcomes(pool, 1) == [100])
    }

    @Test func threadsAreAsManyAsTheLimit() throws {
        let pool = try WorkerPool<Int>(name: "test", limit: 3)
        let gate = Gate()
        for number in 0..<5 {
            pool.submit {
                gate.pass()
                pool.deliver(number)
            }
        }
        gate.await(3)
        #expect(gate.waiting == 3)
        gate.open()
        #expect(outcomes(pool, 5).sorted() == Array(0..<5))
    }

    @Test func longWorkLeavesThreadsForShort() throws {
        let pool = try WorkerPool<Int>(name: "test", limit: 3, longLimit: 2)
        let gate = Gate()
        for number in 0..<4 {
            pool.submit(isLong: true) {
                gate.pass()
                pool.deliver(number)
            }
        }
        gate.await(2)
        pool.submit { pool.deliver(10) }
        #expect(outcomes(pool, 1) == [10])
        #expect(gate.waiting == 2)
        gate.open()
        #expect(outcomes(pool, 4).sorted() == Array(0..<4))
    }

    @Test func closingLeavesUndoneWhatWaits() throws {
        let pool = try WorkerPool<Int>(name: "test", limit: 1)
        let gate = Gate()
        pool.submit { pool.deliver(0) }
        var ready = pollfd(fd: pool.wakeup.raw, events: Int16(POLLIN), revents: 0)
        poll(&ready, 1, 60_000)
        let wasWanted = Guarded<Bool?>(nil)
        pool.submit {
            gate.pass()
            let isWanted = pool.deliver(1)
            wasWanted.withLock { $0 = isWanted }
        }
        pool.submit { pool.deliver(2) }
        gate.await(1)
        #expect(pool.close() == [0])
        pool.submit { pool.deliver(3) }
        pool.awaitEnd(until: .now + .milliseconds(50))
        #expect(wasWanted.withLock { $0 } == nil, "it goes on")
        gate.open()
        pool.awaitEnd()
        #expect(wasWanted.withLock { $0 } == false && pool.takeOutcomes().isEmpty)
    }
}
