import Foundation
import TestSupport
import Testing

/// One test's own directory, and the programs that it runs there.
///
/// Every process of it is known by a mark in its environment, or by its working directory. When the test is over none
/// may be left: that fails the test, and it is killed.
final class Sandbox {
    /// The directory, absolute, without symbolic links.
    let path: String
    /// What stands in the environment of all that is started here: `NAME=VALUE`.
    let mark: String
    private var started: [RunningProgram] = []
    private var startCount = 0
    /// The Slurm in which it has jobs.
    var cluster: SlurmCluster?

    /// Makes a sandbox, gives it to `body`, and clears it away.
    static func with(_ body: (Sandbox) throws -> Void, at location: SourceLocation = #_sourceLocation) throws {
        let sandbox = try Sandbox()
        defer { sandbox.clear(at: location) }
        do {
            try body(sandbox)
        } catch let error as HarnessError {
            throw HarnessError(error.description + sandbox.account())
        }
    }

    private init() throws {
        let name = "disbatch-test-\(UUID().uuidString)"
        let directory = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/" + name
        path = directory
        mark = "TEST_SANDBOX=\(name)"
        // The work is done in `work`; captured output stands beside it, so that tests can list their own files.
        try FileManager.default.createDirectory(atPath: directory + "/work", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: directory + "/output", withIntermediateDirectories: true)
    }

    /// The directory in which programs run, and relative names stand.
    var work: String { path + "/work" }

    /// A name in the sandbox as an absolute path.
    func at(_ name: String) -> String { name.hasPrefix("/") ? name : work + "/" + name }

    // MARK: Programs

    /// Runs a program to its end.
    @discardableResult
    func run(
        _ arguments: [String], program: String = "disbatch", environment: [String: String?] = [:],
        input: ProgramInput = .empty, within seconds: Double = 60
    ) throws -> ProgramResult {
        try start(arguments, program: program, environment: environment, input: input).wait(within: seconds)
    }

    /// Starts a program: one of ours by name, another by path.
    ///
    /// - Parameter environment: what differs from the plain environment; nil takes a variable away.
    func start(
        _ arguments: [String], program: String = "disbatch", environment: [String: String?] = [:],
        input: ProgramInput = .empty
    ) throws -> RunningProgram {
        startCount += 1
        let launch = ProgramLaunch(
            path: program.contains("/") ? program : BuildDirectory.path + "/" + program, arguments: arguments,
            environment: plainEnvironment(environment), directory: work,
            outputBase: "\(path)/output/\(startCount)", input: input)
        let running = try RunningProgram(launch)
        started.append(running)
        return running
    }

    /// The whole environment of a program that is started here.
    func plainEnvironment(_ changes: [String: String?] = [:]) -> [String] {
        let equals = mark.firstIndex(of: "=") ?? mark.endIndex
        var variables = [
            "PATH": "/usr/bin:/bin", "HOME": work, "LANG": "C.UTF-8", "USER": "tester", "SHELL": "/bin/bash",
            // What can't be heard is given up sooner than in ten seconds.
            "DISBATCH_LEASE_GRACE": "3",
            String(mark[..<equals]): String(mark[equals...].dropFirst()),
        ]
        for (name, value) in changes { variables[name] = value }
        return variables.map { "\($0)=\($1)" }.sorted()
    }

    // MARK: Processes

    /// The processes that were started here and live.
    func processes() -> [LiveProcess] {
        LiveProcess.all().filter { $0.hasVariable(mark) || $0.works(in: path) }
    }

    private func clear(at location: SourceLocation) {
        for program in started { program.closeInput() }
        var deadline = Deadline(seconds: 3)
        var left = processes()
        while !left.isEmpty, !deadline.hasPassed {
            deadline.pause()
            left = processes()
        }
        if !left.isEmpty {
            let names = left.map(\.description).joined(separator: "\n")
            Issue.record("no process may be left, but there is:\n\(names)", sourceLocation: location)
            cluster?.cancelJobs(in: work)
            repeat {
                // What runs Slurm's steps ends by itself; without it a node would not be free again.
                left = processes().filter { !$0.commandLine.hasPrefix("slurmstepd") }
                for process in left { kill(process.pid, SIGKILL) }
            } while !left.isEmpty
        }
        for program in started { program.reapNow() }
        cluster?.cancelJobs(in: work)
        try? FileManager.default.removeItem(atPath: path)
    }
}
