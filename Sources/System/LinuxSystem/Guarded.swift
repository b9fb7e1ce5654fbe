import Glibc

/// A value that several threads share: a mutex around it, and a condition to wait for a change of it.
///
/// For the few places where a thread must wait for another; between those, threads share nothing.
///
/// Unchecked, because the compiler can't see that `value` is touched only while `mutex` is held: here, in `withLock`
/// and `wait`, and nowhere else.
package final class Guarded<Value: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    package init(_ value: Value) {
        self.value = value
        mutex.initialize(to: pthread_mutex_t())
        changed.initialize(to: pthread_cond_t())
        var clock = pthread_condattr_t()
        pthread_condattr_init(&clock)
        pthread_condattr_setclock(&clock, CLOCK_MONOTONIC)
        let failed = pthread_mutex_init(mutex, nil) != 0 || pthread_cond_init(changed, &clock) != 0
        pthread_condattr_destroy(&clock)
        precondition(!failed, "pthread_mutex_init or pthread_cond_init failed")
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Reads or changes the value. `body` must be short: whatever it does, other threads wait for.
    ///
    /// Wakes no one: who waits learns of the change by ``signal()``.
    package func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }

    /// Waits until `result` returns something, and returns that; nil if it still returns nil at `deadline`.
    ///
    /// `result` is asked at once, at each ``signal()``, at the deadline, and sometimes for no reason. It may change
    /// the value, and must be as short as a `withLock` body.
    /// - Parameter deadline: When to give up; nil is never.
    package func wait<Result>(
        until deadline: MonotonicTime? = nil, for result: (inout Value) -> Result?
    ) -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let found = result(&value) { return found }
            guard let deadline else {
                pthread_cond_wait(changed, mutex)
                continue
            }
            var limit = deadline.cValue
            if pthread_cond_timedwait(changed, mutex, &limit) == ETIMEDOUT { return result(&value) }
        }
    }

    /// Makes all that wait look at the value again. Costs a system call where someone waits, else next to nothing.
    package func signal() { pthread_cond_broadcast(changed) }
}
