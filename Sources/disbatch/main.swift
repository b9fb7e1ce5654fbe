import ContextSetup
import DisbatchContexts
import DriverRuntime
import EngineLaunching
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
            if options.isDryRun { return try DryRun.run(configuration) }
            let plan = options.startsUpOnly ? nil : try plan(options.context)
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

exit(run())
