import DisbatchCore
import Testing

/// Which files of earlier runs go when an attempt begins.
@Suite struct StaleCapturesTests {
    private static let names = [
        "1001.out", "1001.err", "1001.2.err", "1001.10.out", "1002.out", "1001.1.out", "01001.out", "1001.x.out",
        "1001.txt", "1001", ".out", "notes", "1001.2.3.out", "-1.out",
    ].map { Array($0.utf8) }

    @Test(arguments: [
        (1, ["1001.out", "1001.err", "1001.2.err", "1001.10.out"]), (2, ["1001.2.err", "1001.10.out"]),
        (3, ["1001.10.out"]), (11, []),
    ])
    func anAttemptTakesItsOwnAndLaterOnes(attempt: Int, expected: [String]) {
        var stale = StaleCaptures()
        var groups: [String] = []
        let gone = stale.take(TaskID(1001), from: attempt) { group in
            groups.append(group)
            return Self.names
        }
        #expect(gone == expected.map { Array("001/\($0)".utf8) })
        #expect(stale.take(TaskID(1001), from: 1) { _ in Self.names }.isEmpty, "they are gone")
        #expect(stale.take(TaskID(1002), from: 1) { _ in [] } == [Array("001/1002.out".utf8)], "looked at once")
        #expect(groups == ["001"])
    }
}
