import TestSupport
import Testing

@testable import EndToEndSupport

/// Counts and snippets of what tasks write, and files of all of it.
@Suite(.blocking) struct OutputTests {
    private static let digits = String(repeating: "0123456789", count: 20)

    /// The snippet of so many digits, by the reference: 40, then up to 40 of the rest.
    private func snippet(_ count: Int) -> String {
        let text = Self.digits.prefix(count)
        guard count > 40 else { return "'\(text)'" }
        return "'\(text.prefix(40))...\(text.dropFirst(40).suffix(40))'"
    }

    @Test func snippetsAreRightAroundTheirLimits() throws {
        try Sandbox.with { box in
            let sizes = [0, 1, 39, 40, 41, 42, 79, 80, 81, 82, 120, 121, 200]
            // Twice: in one write, and in many.
            let lines = sizes.flatMap { size in
                let text = Self.digits.prefix(size)
                return [
                    "printf %s '\(text)'; printf %s '\(text)' >&2",
                    "for ((i=0; i<\(size); i++)); do printf $((i % 10)); printf $((i % 10)) >&2; done",
                ]
            }
            try box.runTasks(lines.joined(separator: "\n") + "\n")
            let rows = box.rows().tasks
            #expect(rows.count == lines.count)
            for (place, row) in rows.enumerated() {
                let size = sizes[place / 2]
                #expect(row.outBytes == size && row.errBytes == size, "\(row)")
                #expect(row.outSnippet == snippet(size) && row.errSnippet == snippet(size), "\(row)")
                #expect(row.flags == (size == 0 ? "    " : " OE "))
            }
        }
    }

    @Test func textIsWrittenAsPythonDoes() throws {
        try Sandbox.with { box in
            let cases = [
                (#"printf "it's""#, #""it's""#), (#"printf 'a"b'"#, #"'a"b'"#), (#"printf "a'\"b""#, #"'a\'"b'"#),
                (#"printf '\t\\\001\177'"#, #"'\t\\\x01\x7f'"#), (#"printf '\303\251'"#, "'é'"),
                (#"printf '\377'"#, "'\u{fffd}'"), (#"printf '\360\237\230\200'"#, "'😀'"),
                (#"printf '\342\200\250'"#, #"'\u2028'"#), (#"printf '\0'"#, #"'\x00'"#),
            ]
            try box.runTasks(cases.map { $0.0 + "\n" }.joined())
            let rows = box.rows().tasks
            #expect(rows.count == cases.count)
            for (row, expected) in zip(rows, cases) { #expect(row.outSnippet == expected.1) }
        }
    }

    @Test func aCommandThatIsNoTextKeepsItsBytes() throws {
        try Sandbox.with { box in
            let line = Array("printf '".utf8) + [0xff, 0xfe] + Array("' | od -An -tx1\n".utf8)
            try box.write("tasks.txt", line + Array("echo a\tb\n".utf8))
            try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            let rows = box.rows().tasks
            #expect(rows.first?.outSnippet == "' ff fe\\n'")
            #expect(rows.first?.command == #"b"printf '\xff\xfe' | od -An -tx1""#)
            #expect(rows.last?.command == "echo a\tb")
            let again = try box.run(["-s", "localhost:1", "-p", "run2", "-r", "run_status.txt", "tasks.txt"])
            #expect(again.status == 0, "\(again.error)")
            #expect(box.rows("run2").map(\.kind) == ["S", "S"])
        }
    }

    @Test func aBackgroundChildDelaysTheEndByFiveSecondsAtMost() throws {
        try Sandbox.with { box in
            let text = """
                setsid sh -c 'sleep 6; echo late; echo done > late' & echo now
                while [ ! -e late ]; do sleep 0.05; done

                """
            let result = try box.runTasks(text)
            #expect(result.status == 0, "what the child writes late does not end it")
            let row = try #require(box.rows().of(task: 0))
            #expect(row.outSnippet == "'now\\n'")
            #expect(row.elapsed < 7, "\(row)")
            #expect(box.rows().map(\.id) == [0, 1], "the task ended before its child did")
        }
    }

    @Test func aQuietBackgroundChildOutlivesTheRun() throws {
        try Sandbox.with { box in
            try box.makeFIFO("gate")
            let result = try box.runTasks("sh -c 'read x < gate; touch alive' > /dev/null 2>&1 &\n")
            #expect(result.status == 0)
            #expect(result.seconds < 4, "it holds no output of the task, so nothing waits for it")
            try box.run(["-c", "echo go > gate"], program: "/bin/sh")
            try box.waitForFile("alive")
        }
    }

    @Test func captureKeepsEverythingInPlace() throws {
        try Sandbox.with { box in
            let text = """
                echo out; echo err >&2
                true
                #DISBATCH REPEAT 1000 echo $DISBATCH_TASKID
                printf '%s' again >&2; exit 1

                """
            let result = try box.runTasks(text, ["--capture", "cap", "--retries", "1"])
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.text(of: "cap/000/0.out") == "out\n")
            #expect(try box.text(of: "cap/000/0.err") == "err\n")
            #expect(!box.exists("cap/000/1.out") && !box.exists("cap/000/1.err"), "empty files are left out")
            #expect(try box.text(of: "cap/000/999.out") == "999\n")
            #expect(try box.text(of: "cap/001/1001.out") == "1001\n")
            #expect(try box.text(of: "cap/001/1002.err") == "again")
            #expect(try box.text(of: "cap/001/1002.2.err") == "again")
            #expect(!box.exists("cap/001/1002.3.err"))
            #expect(try box.files().count { $0.hasPrefix("cap/000/") } == 1000)
            #expect(box.rows().of(task: 0)?.flags == " OE ", "counts and flags stay as they are")
        }
    }

    @Test func captureNeedsADirectory() throws {
        try Sandbox.with { box in
            try box.write("file", "")
            for place in ["file", "missing/cap"] {
                let result = try box.runTasks("true\n", ["--capture", place])
                #expect(result.status == 2, "nothing is run where output would be lost")
                #expect(result.error.contains("--capture"))
                #expect(!box.exists("run_status.txt"))
            }
        }
    }

    @Test func aFloodIsCountedAndCaptured() throws {
        try Sandbox.with { box in
            try box.makeDirectory("cap")
            try box.runTasks("head -c 30000001 /dev/zero\n", ["--capture", box.at("cap")])
            #expect(box.rows().first?.outBytes == 30_000_001)
            #expect(try box.bytes(of: "cap/000/0.out").count == 30_000_001)
        }
    }
}
