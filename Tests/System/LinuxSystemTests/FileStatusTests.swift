import LinuxSystem
import Testing

/// Times and files that other programs may leave behind.
@Suite struct FileStatusTests {
    @Test(
        arguments: [
            (0, 0, 0), (1, 5, 1_000_000_005), (-1, 999_999_999, -1), (Int.max, 0, Int64.max), (Int.min, 0, Int64.min),
            (9_223_372_036, 854_775_807, Int64.max), (9_223_372_036, 854_775_808, Int64.max),
        ] as [(Int, Int, Int64)])
    func timesAreNanoseconds(seconds: Int, nanoseconds: Int, expected: Int64) {
        #expect(FileStatus.nanoseconds(seconds: seconds, and: nanoseconds) == expected)
    }

    @Test(arguments: [0, 1, -1, 1_000_000_000, -1_000_000_000, -1_000_000_001, .max] as [Int64])
    func andBack(nanoseconds: Int64) {
        let (seconds, rest) = FileStatus.seconds(of: nanoseconds)
        #expect((0..<1_000_000_000).contains(rest))
        #expect(FileStatus.nanoseconds(seconds: seconds, and: rest) == nanoseconds)
    }

    @Test func theFirstTimeThereIs() {
        let (seconds, rest) = FileStatus.seconds(of: .min)
        #expect(seconds == -9_223_372_037 && rest == 145_224_192)
    }
}
