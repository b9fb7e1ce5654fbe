import Testing

@testable import DisbatchCore

struct TimeTests {
    private static let huge = Duration(secondsComponent: .max, attosecondsComponent: 999_999_999_999_999_999)
    private static let tiny = Duration(secondsComponent: .min, attosecondsComponent: -999_999_999_999_999_999)

    @Test(
        arguments: [
            (.zero, 0), (.nanoseconds(1), 1), (.seconds(3), 3_000_000_000), (.nanoseconds(-1), -1),
            (.nanoseconds(Int64.max), .max), (.nanoseconds(Int64.min), .min), (huge, .max), (tiny, .min),
            (.nanoseconds(Int64.max) + .nanoseconds(1), .max), (.nanoseconds(Int64.min) - .nanoseconds(1), .min),
            (Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999), 1),
            (.milliseconds(-1500), -1_500_000_000),
        ] as [(Duration, Int64)])
    func wholeNanoseconds(duration: Duration, nanoseconds: Int64) {
        #expect(duration.wholeNanoseconds == nanoseconds)
    }

    @Test(
        arguments: [
            (0, .seconds(1), 1_000_000_000), (5, .nanoseconds(-5), 0), (.max, .nanoseconds(1), .max), (1, huge, .max),
            (.min, .nanoseconds(-1), .min), (-5, tiny, .min), (.max, .nanoseconds(-1), .max - 1), (-2, .zero, -2),
        ] as [(Int64, Duration, Int64)])
    func addition(start: Int64, duration: Duration, end: Int64) {
        #expect(Instant(nanoseconds: start) + duration == Instant(nanoseconds: end))
    }

    @Test(
        arguments: [
            (5, 3, 2), (3, 5, -2), (.max, .min, .max), (.min, .max, .min), (.max, -1, .max), (.min, 1, .min),
            (-1, .max, .min),
            (.min, .min, 0),
        ] as [(Int64, Int64, Int64)])
    func subtraction(later: Int64, earlier: Int64, difference: Int64) {
        let duration = Instant(nanoseconds: later) - Instant(nanoseconds: earlier)
        #expect(duration == .nanoseconds(difference))
    }

    @Test func order() {
        #expect(Instant(nanoseconds: -1) < Instant(nanoseconds: 0))
        #expect(Instant(nanoseconds: .max - 1) < .distantFuture)
        #expect(Timestamp(microseconds: 1) < Timestamp(microseconds: 2))
    }
}
