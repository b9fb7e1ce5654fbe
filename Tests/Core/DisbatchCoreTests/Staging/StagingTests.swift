import DisbatchCore
import Testing

/// What of tasks' files is a matter of names and numbers.
@Suite struct StagingTests {
    @Test(arguments: ["a", "a/b", ".hidden", "a..b/...", "a b"])
    func pathsBelowADirectory(path: String) {
        #expect(StagedPath.isInside(Array(path.utf8)))
    }

    @Test(arguments: ["", "/", "/etc/passwd", "..", "../a", "a/../../b", "a/..", "a//b", "a/", "./a", "a\u{0}b"])
    func pathsThatLeadElsewhere(path: String) {
        #expect(!StagedPath.isInside(Array(path.utf8)))
    }

    @Test func theTasksNumberIsFilledIn() {
        let rule = StageOutRule(pattern: Array("out_%t_%t.*".utf8), directory: Array("/all/%t/%x".utf8))
        #expect(rule.pattern(for: TaskID(12)) == Array("out_12_12.*".utf8))
        let place = rule.destination(of: Array("d/f".utf8), task: TaskID(7), home: Array("/home".utf8))
        #expect(String(decoding: place, as: UTF8.self) == "/all/7/%x/d/f")
        let plain = StageOutRule(pattern: Array("%".utf8), directory: nil)
        #expect(plain.pattern(for: TaskID(1)) == Array("%".utf8))
        let same = plain.destination(of: Array("d/f".utf8), task: TaskID(7), home: Array("/home".utf8))
        #expect(String(decoding: same, as: UTF8.self) == "/home/d/f")
    }

    @Test(arguments: [
        ("*.dat", ""), ("out/*", "out"), ("out/a/*/log*", "out/a"), ("sum", ""), ("d/sum", "d"), ("a[b]/c", ""),
        ("{a,b}/c", ""), ("a/b\\*/c", "a"),
    ])
    func wildcardsBeginSomewhere(pattern: String, fixed: String) {
        #expect(String(decoding: StageOutRule.fixedPart(of: Array(pattern.utf8)), as: UTF8.self) == fixed)
    }

    @Test func unchangedMeansSameSizeAndTime() {
        let entry = StagedEntry(
            kind: .file, path: [], source: [], size: 3, mode: 0o644, modified: 1_700_000_000_123_456_789)
        #expect(entry.isUnchanged(size: 3, modified: 1_700_000_000_123_456_789))
        #expect(entry.isUnchanged(size: 3, modified: 1_700_000_000_123_456_000), "kept in microseconds")
        #expect(entry.isUnchanged(size: 3, modified: 1_700_000_000_000_000_000), "kept in seconds")
        #expect(!entry.isUnchanged(size: 3, modified: 1_700_000_000_123_456_788))
        #expect(!entry.isUnchanged(size: 4, modified: 1_700_000_000_123_456_789))
    }

    @Test(arguments: [
        ("out:all", true, true), ("out/a:/all", true, true), ("d_%t/out:all", true, true), ("*:all", true, false),
        ("d_%t/*:all", true, false), ("out_%t:all", false, false), ("out:all/%t", false, false), ("*:%t", false, false),
        ("out", false, false), ("*", false, false),
    ])
    func filesOfTwoTasksMayHaveOnePlace(text: String, mayClash: Bool, alwaysClashes: Bool) {
        let parts = text.split(separator: ":").map { Array($0.utf8) }
        let rule = StageOutRule(pattern: parts[0], directory: parts.count > 1 ? parts[1] : nil)
        #expect(rule.mayClash == mayClash)
        #expect(rule.alwaysClashes == alwaysClashes)
    }

    @Test(arguments: [
        ("a", "a"), ("a{b,c}d", "abd acd"), ("{a,b}{c,d}", "ac ad bc bd"), ("{a,{b,c}/d}", "a b/d c/d"),
        ("a{b", "a{b"), ("a\\{b,c}", "a\\{b,c}"), ("{a\\,b,c}", "a\\,b c"),
    ])
    func bracesStandForSeveral(pattern: String, expected: String) {
        let found = StageOutRule.alternatives(of: Array(pattern.utf8)).map { String(decoding: $0, as: UTF8.self) }
        #expect(found.joined(separator: " ") == expected)
    }

    @Test func patternsBeginWhereNamesDo() {
        let rule = StageOutRule(pattern: Array("out/%t/{a,b/*}".utf8), directory: Array("/all".utf8))
        let found = rule.patterns(ofFilesFrom: TaskID(7)).map { String(decoding: $0, as: UTF8.self) }
        #expect(found == ["a", "b/*"])
    }

    @Test(arguments: [
        ("t/001/1234/a/b", "a/b"), ("t/001/1234.2/a", "a"), ("t/001/1234", nil), ("t/001/1234/", nil),
        ("t/001/1235/a", nil), ("t/001/1234./a", nil), ("t/001/1234.x/a", nil), ("t/001/12345/a", nil), ("a", nil),
    ])
    func aTasksOwnDirectoryIsKnown(path: String, rest: String?) {
        let found = TaskDirectoryPath.rest(of: Array(path.utf8), task: TaskID(1234), root: Array("t".utf8))
        #expect(found.map { String(decoding: $0, as: UTF8.self) } == rest)
    }
}
