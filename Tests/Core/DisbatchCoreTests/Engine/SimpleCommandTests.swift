import Foundation
import TestSupport
import Testing

@testable import DisbatchCore

struct SimpleCommandTests {
    static let plain = ["PATH=/usr/bin:/bin", "HOME=/"]

    private static func command(_ environment: [String] = plain, isOff: Bool = false) -> SimpleCommand {
        SimpleCommand(environment: environment.map { Array($0.utf8) }, isOff: isOff)
    }

    private static func words(_ line: String, _ simple: SimpleCommand = command()) -> [String]? {
        let bytes = Array(line.utf8)
        return simple.words(of: bytes)?.map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test(
        arguments: [
            ("ls", ["ls"]), ("/bin/true", ["/bin/true"]), (" \t ls  -l\t/tmp ", ["ls", "-l", "/tmp"]),
            (
                "./a.out x=1 y,z a:b me@host 50% a+b -- -",
                ["./a.out", "x=1", "y,z", "a:b", "me@host", "50%", "a+b", "--", "-"]
            ),
            ("python3 script.py --n=3", ["python3", "script.py", "--n=3"]), ("env A=1 true", ["env", "A=1", "true"]),
            ("..", [".."]), ("If", ["If"]), ("-x", ["-x"]), ("1", ["1"]), ("bash -c true", ["bash", "-c", "true"]),
        ] as [(String, [String])])
    func simpleLines(line: String, words: [String]) {
        #expect(Self.words(line) == words)
    }

    /// What bash reads otherwise, or runs by itself.
    @Test(arguments: [
        "", " ", "\t", "true", "echo a", "cd /", "test -f x", "[ a ]", "time ls", "! ls", "if", "exec ls", "exit 3",
        ".", ". x", ":", "kill 1", "printf x", "wait", "A=1", "A=1 ls", "A+=1 ls", "%1", "%", "a=b=c", "function",
        "coproc ls", "ls; ls", "ls & ls", "ls | ls", "ls > x", "ls < x", "ls $x", "ls `x`", "ls *", "ls ?", "ls [a]",
        "ls {a,b}", "~/x", "ls ~", "ls 'a'", "ls \"a\"", "ls \\a", "ls #", "#x", "ls !x", "(ls)", "ls ^a", "ls é",
        "ls\n", "ls\r", "ls\u{0}", "ls a\u{7f}",
    ])
    func otherLines(line: String) {
        #expect(Self.words(line) == nil)
    }

    @Test func bytesAboveASCIIAreForBash() {
        for byte in UInt8(0x80)...0xff { #expect(Self.command().words(of: [108, 115, 32, byte]) == nil) }
    }

    /// Environments in which bash may do something else with any line.
    @Test(
        arguments: [
            ["PATH=/bin", "BASH_ENV=/x"], ["PATH=/bin", "SHELLOPTS=xtrace"], ["PATH=/bin", "BASHOPTS=extglob"],
            ["PATH=/bin", "POSIXLY_CORRECT="], ["PATH=/bin", "EXECIGNORE=x"], ["PATH=/bin", "BASH_COMPAT=4.2"],
            ["PATH=/bin", "SECONDS=1"], ["PATH=/bin", "EPOCHREALTIME=1"],
            ["PATH="], [], ["PATH=bin"], ["PATH=/bin:"], ["PATH=:/bin"], ["PATH=/bin::/usr/bin"], ["PATH=/bin:."],
            ["PATH=~/bin"],
        ] as [[String]])
    func environmentsThatNeedBash(environment: [String]) {
        #expect(Self.words("ls", Self.command(environment)) == nil)
    }

    @Test func shellAlways() {
        #expect(Self.words("ls", Self.command(isOff: true)) == nil)
    }

    @Test func functionsOfTheEnvironmentAreForBash() {
        let simple = Self.command(Self.plain + ["BASH_FUNC_ls%%=() { :; }", "BASH_FUNC_a-b()=() { :; }"])
        #expect(Self.words("ls -l", simple) == nil)
        #expect(Self.words("a-b", simple) == nil)
        #expect(Self.words("lsx", simple) == ["lsx"])
        #expect(Self.words("/bin/ls", simple) == ["/bin/ls"])
    }

    @Test(arguments: [
        ("PATH=/usr/bin:/bin", "x", ["/usr/bin/x", "/bin/x"]), ("PATH=/usr/bin/://", "x", ["/usr/bin/x", "//x"]),
        ("PATH=/", "x", ["/x"]), ("PATH=/bin", "./x", ["./x"]), ("PATH=/bin", "a/b", ["a/b"]),
    ])
    func candidates(path: String, name: String, files: [String]) {
        let found = Self.command([path]).candidates(for: Array(name.utf8)[...])
        #expect(found.map { String(decoding: $0, as: UTF8.self) } == files)
    }

    /// This machine's bash has no builtin or reserved word that is not known here.
    @Test func everyWordOfThisBashIsKnown() throws {
        let words = try Self.bash("compgen -b; compgen -k").split(separator: 10)
        #expect(words.count > 60)
        for word in words {
            #expect(SimpleCommand.shellWords.contains(Array(word)), "\(String(decoding: word, as: UTF8.self))")
        }
    }

    /// Whatever is taken for simple, bash cuts into the same words.
    @Test func bashReadsSimpleLinesInTheSameWay() throws {
        var numbers = SeededNumbers(seed: 1)
        let pieces = Array("  \t\tab1._/,:@%+=-~*$'\"\\;&|<>(){}[]!#?^`Aé".unicodeScalars.map(String.init))
        let simple = Self.command()
        var lines: [String] = []
        while lines.count < 400 {
            // Mostly plain characters, so that enough lines are simple.
            let top = Int.random(in: 0..<8, using: &numbers) == 0 ? pieces.count : 19
            let length = Int.random(in: 1..<16, using: &numbers)
            let line = "x" + (0..<length).map { _ in pieces[Int.random(in: 0..<top, using: &numbers)] }.joined()
            // With a slash it would name a file, which no function can stand for.
            if Self.words(line, simple)?.first?.contains("/") == false { lines.append(line) }
        }
        // This function in the place of whatever the first word names prints the words.
        let handler = "command_not_found_handle() { printf '%s\\1' \"$@\"; echo; }; PATH=/none\n"
        let printed = try Self.bash(handler + lines.joined(separator: "\n")).split(
            separator: 10, omittingEmptySubsequences: false
        ).dropLast()
        try #require(printed.count == lines.count)
        for (line, output) in zip(lines, printed) {
            #expect(output.split(separator: 1).map { String(decoding: $0, as: UTF8.self) } == Self.words(line, simple))
        }
    }

    /// What bash prints when it runs a script.
    private static func bash(_ script: String) throws -> [UInt8] {
        try Tool.run(["/bin/bash"], input: script).output
    }
}
