import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options
import RelayRuntime
import RunClient

/// The actions of `dbutil` that need the run's driver, or another program.
struct LiveCommands {
    let version: String

    /// The exit status; nil where the action is another.
    func run(_ options: DbutilOptions) -> Int32? {
        guard isLive(options.action) else { return nil }
        if case .googleCloud(let words) = options.action { return runHelper(words) }
        guard let prefix = DbutilProgram.prefix(options) else { return 1 }
        let path = RunPaths(prefix: prefix).runFile
        if case .addMachines(let machines) = options.action { return runHelper(machines.words + [path]) }
        if case .add(let context) = options.action { return add(context, path) }
        do throws(RunClientError) { return try perform(options, path) } catch {
            DbutilProgram.say("\(error)")
            return 1
        }
    }

    private func isLive(_ action: DbutilOptions.Action) -> Bool {
        switch action {
        case .monitor, .status, .watch, .wait, .tail, .ask, .add, .addMachines, .googleCloud: true
        case .list, .show, .stats, .report, .rebuild, .remaining: false
        }
    }

    /// Brings a context to the run.
    private func add(_ options: ContextOptions, _ path: String) -> Int32 {
        let request = RelayRequest(
            runFile: path, version: version, enginePath: ThisMachine.program("disbatch-engine"),
            context: options)
        do throws(StartError) { return try RelayProgram.run(request) } catch {
            DbutilProgram.say("\(error)")
            return 2
        }
    }

    /// Becomes the program that knows Google's services.
    private func runHelper(_ words: [String]) -> Int32 {
        let error = ChildProcess.replace(with: [ThisMachine.program("disbatch-gce")] + words)
        DbutilProgram.say("disbatch-gce can't be started: \(error.reason); install disbatch with it")
        return 2
    }

    private func perform(_ options: DbutilOptions, _ path: String) throws(RunClientError) -> Int32 {
        let commands = RunCommands(path: path, version: version)
        switch options.action {
        case .monitor: return try MonitorProgram.run(path: path, version: version)
        case .status: return try commands.status(asJSON: options.format == .json)
        case .watch: return try commands.watch()
        case .wait: return try commands.wait()
        case .tail(let task): return try commands.tail(TaskID(task))
        case .ask(let control): return try commands.control(control)
        default: return 0
        }
    }
}
