import Foundation
import Testing

/// What the tests of this machine's rights depend on.
enum Rights {
    static let isRoot = geteuid() == 0
    /// Whether a mount namespace of one's own can be had.
    static let canMount = isRoot && succeeds("/usr/bin/unshare", ["-m", "/bin/true"])

    private static func succeeds(_ path: String, _ arguments: [String]) -> Bool {
        var isSuccess = false
        try? Sandbox.with { box in isSuccess = (try? box.run(arguments, program: path).status) == 0 }
        return isSuccess
    }
}

/// Tasks that tell of each attempt, and of two attempts of one task that live at once.
///
/// Every process of an attempt holds a lock: that of a daemon in a session of its own too.
enum FaultTasks {
    /// A program that takes no command but stays until the file `open` is there, with a daemon behind it that only
    /// SIGKILL ends.
    static let held = """
        #!/bin/bash
        id=$DISBATCH_TASKID
        exec 9>lock.$id
        flock -n 9 || echo $id >>overlaps
        echo start >>attempts.$id
        if [ ! -e open ]; then
            setsid bash -c 'trap "" TERM HUP INT; echo on >>daemons; while :; do sleep 0.1; done' >/dev/null 2>&1 &
            while [ ! -e open ]; do sleep 0.02; done
        fi
        echo end >>attempts.$id

        """
}

extension Sandbox {
    /// Writes `count` lines that run ``FaultTasks/held``.
    ///
    /// - Parameter withDaemons: whether a task that is held leaves a daemon, which outlives it if it ends well.
    func writeHeldTasks(_ count: Int, file: String = "tasks.txt", withDaemons: Bool = true) throws {
        let lines = FaultTasks.held.split(separator: "\n", omittingEmptySubsequences: false)
        let kept = lines.filter { withDaemons || !$0.contains("setsid") }
        try writeProgram("held", kept.joined(separator: "\n"))
        try write(file, String(repeating: "./held\n", count: count))
    }

    func open() throws { try write("open", "") }

    func attempts(of task: Int) -> Int {
        ((try? lines(of: "attempts.\(task)")) ?? []).count { $0 == "start" }
    }

    /// Waits until nothing more is written to the file `ran`, by tasks that each write a line. No event tells that
    /// nothing comes.
    func waitForNoMoreTasks() throws {
        try wait(for: "nothing more to be started") {
            let before = try lines(of: "ran").count
            usleep(300_000)
            return try lines(of: "ran").count == before
        }
    }

    /// How many attempts of all held tasks were started.
    func attempts() -> Int { (0..<10).map(attempts(of:)).reduce(0, +) }

    /// The guards and engines of a driver.
    func engine(of driver: RunningProgram) throws -> (guardPid: Int32, enginePid: Int32) {
        var found: (Int32, Int32)?
        try wait(for: "an engine") {
            let all = LiveProcess.all()
            guard let outer = all.first(where: { $0.parent == driver.pid }),
                let inner = all.first(where: {
                    $0.parent == outer.pid && $0.commandLine.contains("disbatch-engine")
                })
            else { return false }
            found = (outer.pid, inner.pid)
            return true
        }
        return found ?? (0, 0)
    }

    /// Waits until nothing that was started here lives.
    func waitUntilAllIsGone(within seconds: Double = 10) throws {
        try wait(for: "the end of all processes, of which there are \(processes())", within: seconds) {
            processes().isEmpty
        }
    }

    /// Runs a bash script in which `$disbatch` is the program.
    func script(_ text: String, within seconds: Double = 60) throws -> ProgramResult {
        try startScript(text).wait(within: seconds)
    }

    func startScript(_ text: String, input: ProgramInput = .empty) throws -> RunningProgram {
        try start(
            ["-c", text], program: "/bin/bash", environment: ["disbatch": BuildDirectory.path + "/disbatch"],
            input: input)
    }

    /// A copy of the programs at a place that every user can read.
    func copyPrograms(to name: String = "bin", engine: Bool = true) throws {
        try makeDirectory(name)
        for program in ["disbatch"] + (engine ? ["disbatch-engine"] : []) {
            let source = BuildDirectory.path + "/" + program
            if link(source, at("\(name)/\(program)")) != 0 {
                try FileManager.default.copyItem(atPath: source, toPath: at("\(name)/\(program)"))
            }
        }
    }

    /// disbatch in `null/`, beside an engine whose tasks end at once with this return code, without any process.
    func writeNullEngine(returnCode: Int32) throws {
        try copyPrograms(to: "null", engine: false)
        let benchmark = BuildDirectory.path + "/benchmark"
        try writeProgram(
            "null/disbatch-engine", "#!/bin/sh\nexec '\(benchmark)' null-engine --return-code \(returnCode)\n")
    }

    /// Lets every user write into the working directory.
    func openToAll() { chmod(work, 0o777) }

    /// The most memory that a process had until now, in KiB.
    func peakMemory(of pid: Int32) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line.flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) } ?? 0
    }
}

extension [StatusLine] {
    /// How many final rows each task has, by id.
    var countsByTask: [Int] {
        let ids = filter { $0.isTask && $0.kind != "Z" }.map(\.id)
        guard let last = ids.max() else { return [] }
        var counts = [Int](repeating: 0, count: last + 1)
        for id in ids { counts[id] += 1 }
        return counts
    }
}
