import Foundation
import TestSupport
import Testing

@testable import LinuxSystem

@Suite(.blocking) struct WorkerThreadTests {
    @Test func joinWaitsForTheClosure() throws {
        let ran = Guarded(false)
        let thread = try WorkerThread(name: "test") { ran.withLock { $0 = true } }
        thread.join()
        #expect(ran.withLock { $0 }, "join returned before the closure ran")
    }

    @Test func nameAndBlockedSignals() throws {
        let status = Guarded("")
        try WorkerThread(name: "a-name-that-is-too-long") {
            let text = (try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)) ?? "unreadable"
            status.withLock { $0 = text }
        }.join()
        let lines = status.withLock { $0 }.split(separator: "\n")
        #expect(lines.contains("Name:\ta-name-that-is-"))
        let blocked = lines.first { $0.hasPrefix("SigBlk:") }.map { String($0.dropFirst(8)) } ?? ""
        // All of the 64 but SIGKILL (9), SIGSTOP (19) and the two that glibc keeps for itself (32, 33).
        #expect(blocked == "fffffffe7ffbfeff", "blocked signals are \(blocked)")
    }

    @Test func creatorKeepsItsSignalMask() throws {
        var before = sigset_t()
        var after = sigset_t()
        pthread_sigmask(SIG_SETMASK, nil, &before)
        try WorkerThread(name: "test") {}.join()
        pthread_sigmask(SIG_SETMASK, nil, &after)
        for signal in 1...64 {
            let (was, now) = (sigismember(&before, Int32(signal)), sigismember(&after, Int32(signal)))
            #expect(was == now, "signal \(signal) was blocked: \(was), now: \(now)")
        }
    }
}

@Suite(.blocking) struct GuardedTests {
    @Test func waitReturnsWhatAnotherThreadSignals() throws {
        let value = Guarded(0)
        let thread = try WorkerThread(name: "test") {
            value.withLock { $0 = 7 }
            value.signal()
        }
        #expect(value.wait { $0 == 0 ? nil : $0 } == 7)
        thread.join()
    }

    @Test func waitGivesUpAtItsDeadline() {
        let value = Guarded(0)
        let deadline = MonotonicTime.now + .milliseconds(20)
        let found: Int? = value.wait(until: deadline) { _ in nil }
        #expect(found == nil)
        #expect(MonotonicTime.now >= deadline, "wait ended before its deadline")
    }

    @Test func waitAsksOnceThoughItsDeadlineIsPast() {
        let value = Guarded(3)
        #expect(value.wait(until: MonotonicTime(nanoseconds: 0)) { $0 } == 3)
    }

    @Test func threadsDontLoseUpdates() throws {
        let count = Guarded(0)
        let add: @Sendable () -> Void = { for _ in 0..<20_000 { count.withLock { $0 += 1 } } }
        let thread = try WorkerThread(name: "test", add)
        add()
        thread.join()
        #expect(count.withLock { $0 } == 40_000)
    }

    @Test func additionSaturates() {
        #expect(MonotonicTime(nanoseconds: 5) + .seconds(Int64.max) == MonotonicTime(nanoseconds: .max))
        #expect(MonotonicTime(nanoseconds: 5) + .milliseconds(2) == MonotonicTime(nanoseconds: 2_000_005))
    }
}
