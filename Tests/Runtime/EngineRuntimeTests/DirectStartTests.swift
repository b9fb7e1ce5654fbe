import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import EngineRuntime

/// A directly started program sees what bash would have given it.
@Suite(.blocking) struct DirectStartTests {
    /// Environments that bash changes, hands on, or finds odd.
    static let environments: [(String, [String])] = [
        ("plain", []), ("wrong PWD", ["PWD=/nowhere"]), ("relative PWD", ["PWD=here"]), ("empty PWD", ["PWD="]),
        ("PWD by a link", ["PWD=LINK"]), ("right PWD", ["PWD=HERE"]), ("OLDPWD", ["OLDPWD=/tmp"]),
        ("wrong OLDPWD", ["OLDPWD=/nowhere"]), ("SHLVL", ["SHLVL=5"]), ("no number as SHLVL", ["SHLVL=x"]),
        ("negative SHLVL", ["SHLVL=-3"]),
        ("empty SHLVL", ["SHLVL="]), ("IFS", ["IFS=:"]), ("names that are none", ["a-b=1", "1x=2", "a.b=3", "é=4"]),
        ("a function", ["BASH_FUNC_f%%=() {  echo f\n}"]),
        ("a name twice", ["A=1", "B=2", "A=3"]), ("underscore", ["_=/bin/other"]), ("no value", ["A="]),
        ("newlines", ["A=1\n2\n", "B=\u{1}"]), ("OPTIND and LINENO", ["OPTIND=7", "LINENO=9"]),
        ("bash's own", ["BASH=/x", "BASH_VERSION=1", "BASHPID=3", "RANDOM=5", "UID=7", "PPID=9", "HOSTNAME=q"]),
        ("arrays", ["DIRSTACK=a", "GROUPS=b", "FUNCNAME=c", "BASH_ARGV=d", "PIPESTATUS=e"]),
        ("prompt", ["PS1=x", "PS4=y", "PROMPT_COMMAND=echo z", "HISTFILE=/h", "TMOUT=5", "MAILCHECK=1"]),
        ("a locale", ["LC_ALL=C.UTF-8", "LANG=C"]), ("two terms", ["TERM=dumb", "COLUMNS=5", "LINES=6"]),
        ("PATH with a slash", ["PATH=/usr/bin/:/bin"]), ("PATH with two", ["PATH=/usr/bin//:/bin"]),
        ("PATH with dots", ["PATH=/nowhere:/usr/./bin:/usr/bin/../bin"]),
        ("a run's own", ["DISBATCH_TASKID=77", "DISBATCH_OTHER=1"]),
    ]

    @Test(arguments: environments)
    func seesWhatBashWouldGive(name: String, variables: [String]) throws {
        for line in ["env -0", "/usr/bin/env -0", "../usr-bin/env -0"] {
            let direct = try Self.environment(line, variables, always: false)
            let shell = try Self.environment(line, variables, always: true)
            #expect(direct.sorted() == shell.sorted(), "\(name): \(line)")
        }
    }

    /// What `env -0` in a task prints. Unless a shell is to be used, it is run until it is started directly.
    private static func environment(_ line: String, _ variables: [String], always: Bool) throws -> [String] {
        // Names in the environment that depend on where we are must be the same for both.
        let root = TestDirectory().path
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root + "/here", withIntermediateDirectories: true)
        symlink("here", root + "/link")
        symlink("/usr/bin", root + "/usr-bin")
        let engine = try EngineClient()
        try engine.configure { configuration in
            configuration.workingDirectory = Array((root + "/here").utf8)
            let changed = variables.map {
                $0.replacing("LINK", with: root + "/link").replacing("HERE", with: root + "/here")
            }
            let path = changed.contains { $0.hasPrefix("PATH=") } ? [] : ["PATH=/usr/bin:/bin"]
            configuration.environment = (path + ["HOME=/root"] + changed).map { Array($0.utf8) }
            configuration.captureDirectory = Array(root.utf8)
            configuration.tasks.alwaysUsesShell = always
        }
        for _ in 0..<500 {
            let id = try engine.assign(line)
            let outcome = try engine.outcome(of: id)
            let output = FileManager.default.contents(atPath: "\(root)/000/\(id).out") ?? Data()
            let entries = output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            try #require(outcome.returnCode == 0 && outcome.err.count == 0)
            guard always || isDirect(entries) else { continue }
            // What tells this run and this task from others.
            return entries.filter {
                !["DISBATCH_GUARD=", "DISBATCH_TASKID", "DISBATCH_STREAM_INDEX"].contains(where: $0.hasPrefix)
            }.map { $0.replacing(root, with: "ROOT") }
        }
        throw ClientError(description: "never started directly")
    }

    /// The engine puts a task's own variables behind all others, in their order; bash has them as its tables fall.
    private static func isDirect(_ entries: [String]) -> Bool {
        entries.suffix(7).map { String($0.prefix { $0 != "=" }) } == [
            "DISBATCH_TASKID", "DISBATCH_TASKID_ZP", "DISBATCH_STREAM_INDEX", "DISBATCH_STREAM_INDEX_ZP",
            "DISBATCH_REPEAT_INDEX", "DISBATCH_REPEAT_INDEX_ZP", "DISBATCH_CYLINDER_RANK",
        ]
    }

    /// What can't be executed as it is, bash runs or explains, before and after direct starts are possible.
    @Test func whatCantBeExecutedIsForBash() throws {
        let engine = try EngineClient()
        try engine.configure()
        try engine.directory.write("echo script $1\nexit 3\n", to: "script", executable: true)
        try engine.directory.write("#!/no/interpreter\n", to: "lost", executable: true)
        try engine.directory.write("x", to: "plain")
        for _ in 0..<40 {
            let script = try engine.run("./script a")
            #expect(script.returnCode == 3 && script.out.edges == Array("script a\n".utf8))
            #expect(try engine.run("./plain").returnCode == 126)
            #expect(try engine.run("./lost").returnCode == 126 || engine.run("./lost").returnCode == 127)
            #expect(try engine.run("./missing").returnCode == 127)
            #expect(try engine.run("..").returnCode == 127 || engine.run("..").returnCode == 126)
            let missing = try engine.run("missing-program")
            #expect(missing.returnCode == 127 && missing.err.count > 0)
        }
    }

    /// bash warns of some environments, of each task; so must we, or let it.
    @Test(arguments: ["LC_ALL=xx_XX", "SHLVL=999", "SHLVL=1000", "BASH_FUNC_g%%=() { if"])
    func aWarningOfBashIsOfEveryTask(variable: String) throws {
        let engine = try EngineClient()
        try engine.configure { $0.environment = ["PATH=/usr/bin:/bin", variable].map { Array($0.utf8) } }
        let first = try engine.run("/bin/true")
        #expect(first.err.count > 0)
        for _ in 0..<60 { #expect(try engine.run("/bin/true").err == first.err) }
    }
}
