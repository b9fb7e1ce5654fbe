import DisbatchCore
import Foundation
import TestSupport
import Testing

@testable import DriverRuntime

@Suite(.blocking) struct RunSummaryTests {
    private static func summary(
        _ ending: RunEnding = .completed, left: Bool = false, _ change: (inout RunTotals) -> Void
    ) -> String {
        var totals = RunTotals()
        change(&totals)
        return RunSummary(
            totals: totals, ending: ending, hasTasksLeft: left, elapsed: .milliseconds(4200),
            statusPath: "/r_status.txt",
            retryCommand: "RETRY"
        ).text
    }

    @Test func allWell() {
        #expect(
            Self.summary { $0.finished = 1 } == "disbatch: 1 task ended in 4.2 s\n  status file: /r_status.txt")
    }

    @Test func failures() {
        let text = Self.summary {
            $0.finished = 10
            $0.failed = 3
            $0.lost = 1
            $0.retried = 2
            $0.skipped = 5
            $0.skippedFailed = 4
            $0.perEngineFailed = 1
            $0.enginesLost = 2
        }
        #expect(
            text == """
                disbatch: 10 tasks ended, 3 failed, 1 of these lost with their engines, 2 retried, \
                5 skipped, 4 of these failed, 1 per-engine command failed in 4.2 s
                  2 engines lost
                  status file: /r_status.txt
                  to retry the failures: RETRY
                """)
    }

    @Test func tasksLeft() {
        #expect(
            Self.summary(left: true) { $0.finished = 2 } == """
                disbatch: 2 tasks ended, some left undone in 4.2 s
                  status file: /r_status.txt
                  to run the rest: RETRY
                """)
        let both = Self.summary(left: true) {
            $0.finished = 2
            $0.failed = 1
        }
        #expect(both.hasSuffix("  to retry the failures and run the rest: RETRY"))
    }

    @Test(
        arguments: [
            (.completed, ""), (.checkFailed, "; ended by a failed BARRIER CHECK"),
            (.failedFast, "; ended by --fail-fast"),
            (.interrupted(signal: 2), "; ended by SIGINT"), (.interrupted(signal: 15), "; ended by SIGTERM"),
            (.interrupted(signal: 40), "; ended by signal 40"), (.drained, "; drained"),
            (.noEngine, "; no engine is left"), (.recordBroken, "; the status file can't be written"),
        ] as [(RunEnding, String)])
    func endings(ending: RunEnding, text: String) {
        #expect(
            Self.summary(ending) { _ in } == "disbatch: 0 tasks ended in 4.2 s\(text)\n  status file: /r_status.txt")
    }
}

@Suite(.blocking) struct ShellWordTests {
    static let words = [
        "", "plain", "/a/b.c,d:e@f%g+h=i-j_k", "a b", "'", "''", "a'b", "it's", "\"", "$HOME", "`ls`", "\\", "a\\'b",
        "*",
        "~", "#", "!", "\n", "\t", "a\r\nb", "'\u{301}", "é", "e\u{301}'", "\u{1F600}'\u{200D}'", "-n", "=", "%", "[a]",
        "{a,b}", "a;b", "a&b", "|", "<", ">", "(", ")",
    ]

    @Test func plainWordsStayAsTheyAre() {
        #expect(ShellWord.line(["disbatch", "-r", "/x/a_status.txt", "A=1,b"]) == "disbatch -r /x/a_status.txt A=1,b")
        #expect(ShellWord.quoted("it's") == "'it'\\''s'")
        #expect(ShellWord.quoted("") == "''")
    }

    /// A shell reads back the words that were quoted.
    @Test(arguments: ["/bin/bash", "/bin/sh"])
    func aShellReadsThemBack(shell: String) throws {
        let bytes = try Tool.run([shell, "-c", "printf '%s\\001' " + ShellWord.line(Self.words)]).output
        let read = bytes.split(separator: 1, omittingEmptySubsequences: false).dropLast().map { Array($0) }
        // By bytes: strings that look the same are equal.
        #expect(read == Self.words.map { Array($0.utf8) })
    }
}
