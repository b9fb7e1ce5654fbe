package import DisbatchCore
import LinuxSystem

/// When a request that failed is made again.
package struct RetryPolicy: Sendable {
    package var firstDelay = Duration.seconds(1)
    package var longestDelay = Duration.seconds(32)
    /// From the first attempt's beginning to the last one's.
    package var totalLimit = Duration.seconds(300)
    /// 0 up to but not 1.
    package var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

    package init() {}

    /// How long to wait before the next attempt; nil where there is to be none.
    ///
    /// Each delay is up to twice the last, and at least half of that: so those who failed together come back apart.
    /// - Parameters:
    ///   - attempts: how many were made.
    ///   - retryAfter: what the service asked for, which is honoured.
    ///   - elapsed: since the first began.
    package func delay(attempts: Int, retryAfter: Duration?, elapsed: Duration) -> Duration? {
        var base = firstDelay
        for _ in 1..<max(1, min(attempts, 40)) where base < longestDelay { base = base * 2 }
        base = min(base, longestDelay)
        let delay = max(base * (0.5 + random() / 2), retryAfter ?? .zero)
        return elapsed + delay <= totalLimit ? delay : nil
    }

    /// Makes attempts until one succeeds, or fails for good.
    ///
    /// - Throws: the last attempt's error.
    package func run<Result>(
        _ cancellation: Cancellation, _ attempt: () throws(CloudError) -> Result
    ) throws(CloudError) -> Result {
        let begin = MonotonicTime.now.nanoseconds
        var attempts = 0
        while true {
            attempts += 1
            do throws(CloudError) {
                return try attempt()
            } catch {
                let elapsed = Duration.nanoseconds(MonotonicTime.now.nanoseconds - begin)
                guard error.mayPass,
                    let delay = delay(attempts: attempts, retryAfter: error.retryAfter, elapsed: elapsed),
                    cancellation.wait(delay)
                else { throw error }
            }
        }
    }

    /// The time that a Retry-After header names: seconds, or a date (`Sun, 06 Nov 1994 08:49:37 GMT`); nil for neither.
    package static func retryAfter(_ text: String, now: Timestamp) -> Duration? {
        if text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let seconds = Int(text) {
            return .seconds(min(seconds, 86_400))
        }
        let words = text.split { $0 == " " || $0 == ":" }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard words.count == 8, words[7] == "GMT", let month = months.firstIndex(of: String(words[2])) else {
            return nil
        }
        let numbers = [words[1], words[3], words[4], words[5], words[6]].compactMap { Int($0) }
        guard numbers.count == 5, numbers.allSatisfy({ 0...9999 ~= $0 }) else { return nil }
        let days = daysSince1970(year: numbers[1], month: month + 1, day: numbers[0])
        let seconds = ((days * 24 + numbers[2]) * 60 + numbers[3]) * 60 + numbers[4]
        return .seconds(max(0, min(86_400, seconds - Int(now.microseconds / 1_000_000))))
    }

    /// In the Gregorian calendar, after 1970.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        // Years that begin in March have their leap day last.
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}

/// How many requests may be made: so many a second, and some at once.
package struct TokenBucket: Equatable, Sendable {
    private let interval: Duration
    private let burst: Int
    /// When the bucket is full again.
    private var fullAt: Instant?

    package init(perSecond: Double, burst: Int) {
        interval = .seconds(1) / perSecond
        self.burst = max(1, burst)
    }

    /// Takes one, and says how long to wait until it may be used.
    package mutating func take(at now: Instant) -> Duration {
        let begin = max(fullAt ?? now, now)
        let full = begin + interval
        fullAt = full
        return max(.zero, (full - now) - interval * burst)
    }
}

/// A bucket that several threads take from.
package final class RateLimiter: Sendable {
    private let bucket: Guarded<TokenBucket>

    /// Google allows 25 requests of a kind a second to a project.
    package init(_ bucket: TokenBucket = TokenBucket(perSecond: 15, burst: 30)) { self.bucket = Guarded(bucket) }

    /// Waits for its turn; false, at once, when cancelled.
    package func wait(_ cancellation: Cancellation) -> Bool {
        let now = Instant(nanoseconds: SystemClock.bootNanoseconds())
        let delay = bucket.withLock { $0.take(at: now) }
        return delay > .zero ? cancellation.wait(delay) : !cancellation.isCancelled
    }
}
