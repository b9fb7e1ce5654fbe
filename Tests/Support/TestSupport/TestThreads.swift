package import Testing

/// Lets tests that wait do so on threads of their own.
///
/// Swift runs tests on as many threads as there are cores. Ours start programs and wait for them: on two cores two
/// tests would run at a time, both of them mostly asleep.
package struct TestThreads: SuiteTrait, TestTrait, TestScoping {
    fileprivate let queue: TestQueue

    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(queue) { try await function() }
    }
}

extension Trait where Self == TestThreads {
    /// For tests that wait for something: eight of them run at a time, or `TEST_THREADS`.
    package static var blocking: Self { TestThreads(queue: .shared) }

    /// For tests that take so much of the machine that others would come too late, or that would come too late beside
    /// others: each runs while no other test of these two traits does.
    ///
    /// It is done here and not by a second `swift test`, so that it holds however tests are chosen, and there is one
    /// list of results. Such tests begin when no other waits for a thread, that is, at the end of a run: in its midst
    /// each would leave threads idle.
    package static var alone: Self { TestThreads(queue: .alone) }
}
