import DisbatchContexts
import DriverRuntime
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
            let plan = try Machine.plan(options.context)
            for warning in plan.warnings { printError("disbatch: warning: \(warning)") }
            return try DriverProgram.run(configuration, plan: plan)
        }
    } catch let error as OptionError {
        printError(error.report(program: "disbatch"), terminator: "")
    } catch {
        printError("disbatch: \(error)")
    }
    return 2
}

exit(run())
