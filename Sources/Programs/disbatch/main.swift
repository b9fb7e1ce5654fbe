import DisbatchCore
import DriverRuntime
import EngineHosting
import Glibc
import LinuxSystem
import Options

/// The whole program: reads the command line, chooses a context, runs.
func run() -> Int32 {
    Descriptor.fillStandardStreams()
    do {
        switch try DriverOptions.read(Array(CommandLine.arguments.dropFirst())) {
        case .show(let text):
            print(text, terminator: "")
            return 0
        case .run(let options):
            for warning in options.warnings { printError("disbatch: warning: \(warning)") }
            let configuration = RunConfiguration(options, commandLine: CommandLine.arguments)
            if options.googleCloud.isDryRun { return try showMachines(options, configuration) }
            if options.isDryRun { return try DryRun.run(configuration) }
            let plan = options.hasOwnContext(ThisMachine.surroundings) ? try plan(options.context) : nil
            for warning in plan?.warnings ?? [] { printError("disbatch: warning: \(warning)") }
            return try DriverProgram.run(configuration, plan: plan)
        }
    } catch let error as OptionError {
        printError(error.report(program: "disbatch"), terminator: "")
    } catch {
        printError("disbatch: \(error)")
    }
    return 2
}

/// Chooses the context that the options ask for here.
func plan(_ options: ContextOptions) throws(ContextError) -> ContextPlan {
    try ContextChoice.plan(
        ContextKind(options.kind), sshLists: options.sshNodes, ContextRequest(options), ThisMachine.surroundings)
}

extension DriverOptions {
    /// Whether the run has engines of its own beside those that are brought to it.
    func hasOwnContext(_ surroundings: Surroundings) -> Bool {
        if startsUpOnly { return false }
        guard googleCloud.isWanted, context.kind == nil, context.sshNodes.isEmpty else { return true }
        return ContextChoice.isInAllocation(surroundings)
    }
}

/// Prints what would be asked of Google for the tasks.
func showMachines(_ options: DriverOptions, _ configuration: RunConfiguration) throws(StartError) -> Int32 {
    let tasks = try DryRun.count(configuration).map { ["--tasks=\($0)"] } ?? []
    let program = ThisMachine.program("disbatch-gce")
    let error = ChildProcess.replace(with: [program, "--dry-run"] + tasks + options.googleCloud.words)
    throw StartError("\(program): \(error.reason); install disbatch with it")
}

exit(run())
