import Foundation
import LinuxSystem

/// Tests that wait for one of the threads on which tests block.
///
/// A test that is not asynchronous, as none is, is one job from its beginning to its end.
final class TestQueue: TaskExecutor {
    /// Of tests that may run beside each other.
    static let shared = TestQueue()
    /// Of tests that run beside none of either queue.
    static let alone = TestQueue()

    private struct Waiting {
        let job: UnownedJob
        let queue: TestQueue
    }

    /// What the threads share.
    private struct State {
        var shared: [Waiting] = []
        var alone: [Waiting] = []
        var runningCount = 0
        var isOneAlone = false

        /// The job that may run now. The last to come is the first: tests of a serialised suite come one by one, and
        /// each would wait for all others.
        mutating func next() -> Waiting? {
            guard !isOneAlone else { return nil }
            if shared.isEmpty {
                guard runningCount == 0, !alone.isEmpty else { return nil }
                isOneAlone = true
            }
            runningCount += 1
            return isOneAlone ? alone.removeLast() : shared.removeLast()
        }

        mutating func end() {
            runningCount -= 1
            isOneAlone = false
        }
    }

    private static let state = Guarded(State())

    /// Starts the threads when it is first asked.
    private static let threads: Void = {
        let wanted = ProcessInfo.processInfo.environment["TEST_THREADS"].flatMap { Int($0) } ?? 8
        for number in 1...max(1, wanted) {
            do {
                try WorkerThread(name: "test \(number)") { work() }.detach()
            } catch {
                preconditionFailure("\(error)")
            }
        }
    }()

    func enqueue(_ job: consuming ExecutorJob) {
        let waiting = Waiting(job: UnownedJob(job), queue: self)
        Self.state.withLock { state in
            if self === Self.alone { state.alone.append(waiting) } else { state.shared.append(waiting) }
        }
        Self.state.signal()
        Self.threads
    }

    private static func work() {
        showFaults()
        while let next = state.wait(for: { $0.next() }) {
            next.job.runSynchronously(on: next.queue.asUnownedTaskExecutor())
            state.withLock { $0.end() }
            state.signal()
        }
    }

    /// A thread of ours begins with all signals blocked: a fault of a test would end the process without a word.
    private static func showFaults() {
        var faults = sigset_t()
        sigemptyset(&faults)
        for number in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { sigaddset(&faults, number) }
        pthread_sigmask(SIG_UNBLOCK, &faults, nil)
    }
}
