import TestSupport
import Testing

@testable import EndToEndSupport

/// Simple lines are started without a shell: nothing of it may show.
@Suite(.blocking) struct DirectStartTests {
    private let lines = [
        "env -0", "/usr/bin/env -0", "./noshebang arg", "./own-script arg", "./badshebang", "./notexec", "notexec",
        "nosuchcommand a b", "./nosuchfile", "/nonexistent/prog x", "./directory", "/etc/", "directory", ".", "..",
        "tool one  two", "\ttool three ", "shadowed", "greet you", "unset-me", "echo hello", "printf x", "test -d /",
        "true", "false", "/bin/false", "[ -d / ]", "exit 3", "type env", "kill -l 9", "pwd", "/bin/pwd", "ls -d .",
        "ls *.none", "A=1 env -0", "A=1", "a=b", "cd /", ":", "if", "{", "}", "!", "time -p", "%1", "%", "-x", "--",
        "-",
        "=", "a=b c", "ls --no-such-option", "ls -d ~", "cut -d: -f1 tasks.txt", "sleep 0", "basename a=b",
        "sh -c exit@4", "nice", "command env -0", "exec env -0", "exec false", "coproc", "select", "function", "in",
        "dirname /a/b/c", "/bin/kill -9 0", "noexecbinary", "tool\u{b}x", "tool ü", "tool a\\", "tool #c", "tool &",
    ]

    private func fill(_ box: Sandbox) throws {
        try box.makeDirectory("directory")
        try box.makeDirectory("bin1")
        try box.makeDirectory("bin2/directory")
        try box.writeProgram("noshebang", "echo without $0 $1 $BASH_SUBSHELL\n")
        try box.writeProgram("own-script", "#!/bin/sh\necho script $0 $1\n")
        try box.writeProgram("badshebang", "#!/nonexistent/interpreter\n")
        try box.writeProgram("notexec", "#!/bin/sh\necho never\n", mode: 0o644)
        try box.writeProgram("bin1/tool", "#!/bin/sh\necho tool $0 \"$@\"\n")
        try box.writeProgram("bin2/tool", "#!/bin/sh\necho wrong tool\n")
        try box.writeProgram("bin1/shadowed", "#!/bin/sh\necho wrong\n", mode: 0o644)
        try box.writeProgram("bin2/shadowed", "#!/bin/sh\necho right $0\n")
        try box.writeProgram("bin1/notexec", "#!/bin/sh\necho wrong\n", mode: 0o644)
        try box.writeProgram("bin1/greet", "#!/bin/sh\necho no function\n")
        try box.writeProgram("bin2/noexecbinary", "\u{7f}ELF nonsense\u{0}\u{1}\u{2}\n")
    }

    /// Runs the lines in one way, and gives what came of each: its row, and all it wrote.
    private func run(
        _ box: Sandbox, _ text: String, shell: String, _ environment: [String: String?]
    ) throws -> [[String]] {
        let capture = "cap-" + shell
        let result = try box.runTasks(
            text, ["--shell", shell, "--capture", capture], prefix: shell, environment: environment)
        #expect(result.status == 0, "\(result.error)")
        return try box.rows(shell).tasks.map { row in
            try [row.timeless]
                + ["out", "err"].flatMap { stream in
                    let name = "\(capture)/000/\(row.id).\(stream)"
                    return box.exists(name) ? written(try box.bytes(of: name)) : []
                }
        }
    }

    /// What a task wrote, in pieces, without what must differ from run to run.
    private func written(_ bytes: [UInt8]) -> [String] {
        let varying = ["DISBATCH_JOBID=", "DISBATCH_GUARD=", "DISBATCH_CYLINDER_RANK="]
        let pieces = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        // The order of variables is nobody's business.
        return pieces.filter { piece in !varying.contains { piece.hasPrefix($0) } }.sorted()
    }

    private func expectSame(_ changes: [String: String], setUp: (Sandbox) throws -> Void = { _ in }) throws {
        try Sandbox.with { box in
            try fill(box)
            try setUp(box)
            let text = lines.joined(separator: "\n") + "\n"
            var environment: [String: String?] = ["PATH": "\(box.at("bin1")):\(box.at("bin2")):/usr/bin:/bin"]
            for (name, value) in changes { environment[name] = value.replacing("BOX", with: box.work) }
            let always = try run(box, text, shell: "always", environment)
            let auto = try run(box, text, shell: "auto", environment)
            #expect(always.count == lines.count && auto.count == lines.count)
            for (place, line) in lines.enumerated() where place < min(always.count, auto.count) {
                // The snippet may end within the variables' order: the captured bytes are compared whole.
                let (shell, direct) = (always[place], auto[place])
                #expect(
                    line.contains("env") ? shell.dropFirst() == direct.dropFirst() : shell == direct,
                    "\(line): by bash \(shell), directly \(direct)")
            }
        }
    }

    @Test func nothingDiffersFromBash() throws {
        try expectSame(["BASH_FUNC_greet%%": "() {  echo function $1\n}"])
    }

    @Test func nothingDiffersWithAFileThatBashReads() throws {
        try expectSame(["BASH_ENV": "BOX/rc"]) { box in
            try box.write("rc", "tool() { echo from rc; }\nexport FROM_RC=1\n")
        }
    }

    @Test(arguments: ["SHELLOPTS=xtrace", "BASHOPTS=extdebug", "POSIXLY_CORRECT=1", "IFS=:", "SHLVL=7", "PWD=/wrong"])
    func nothingDiffersWithVariablesThatBashHeeds(setting: String) throws {
        let parts = setting.split(separator: "=").map(String.init)
        try expectSame([parts[0]: parts[1]])
    }

    @Test(arguments: ["", ".", "bin1:/usr/bin", ":/usr/bin", "/usr/bin:", "/nonexistent"])
    func nothingDiffersWithOddPaths(path: String) throws {
        try Sandbox.with { box in
            try fill(box)
            let text = "tool a\nls -d .\nown-script b\nnotexec\n./own-script c\n/bin/ls -d .\n"
            let always = try run(box, text, shell: "always", ["PATH": path])
            let auto = try run(box, text, shell: "auto", ["PATH": path])
            #expect(always == auto)
            #expect(always.count == 6)
        }
    }
}
