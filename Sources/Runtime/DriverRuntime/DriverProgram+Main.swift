import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options

extension DriverProgram {
    /// The whole program: reads the command line, chooses a context, runs.
    package static func main(version: String) -> Never {
        NameServices.useBuiltIn()
        Descriptor.fillStandardStreams()
        ProcessFiles.require(for: "disbatch")
        do {
            switch try DriverOptions.read(Array(CommandLine.arguments.dropFirst())) {
            case .show(let text):
                print(text, terminator: "")
                exit(0)
            case .run(let options): exit(try run(options, version))
            }
        } catch let error as OptionError {
            StandardStream.error.write(error.report(program: "disbatch"))
        } catch {
            StandardStream.error.line("disbatch: \(error)")
        }
        exit(ExitStatus.usage)
    }

    private static func run(_ options: DriverOptions, _ version: String) throws -> Int32 {
        for warning in options.warnings { StandardStream.error.line("disbatch: warning: \(warning)") }
        let configuration = RunConfiguration(options, version: version, commandLine: CommandLine.arguments)
        if options.googleCloud.isDryRun { return try showMachines(options, configuration) }
        if options.isDryRun { return try DryRun.run(configuration) }
        let plan = options.hasOwnContext(ThisMachine.surroundings) ? try plan(options.context) : nil
        for warning in plan?.warnings ?? [] { StandardStream.error.line("disbatch: warning: \(warning)") }
        return try run(configuration, plan: plan)
    }

    /// Chooses the context that the options ask for here.
    private static func plan(_ options: ContextOptions) throws(ContextError) -> ContextPlan {
        try ContextChoice.plan(
            options.kind, sshLists: options.sshLists, options.sizing, ThisMachine.surroundings)
    }

    /// Prints what would be asked of Google for the tasks.
    private static func showMachines(
        _ options: DriverOptions, _ configuration: RunConfiguration
    ) throws(StartError) -> Int32 {
        let tasks = try DryRun.count(configuration).map { ["--tasks=\($0)"] } ?? []
        let program = ThisMachine.program("disbatch-gce")
        let error = ChildProcess.replace(with: [program, "--dry-run"] + tasks + options.googleCloud.words)
        throw StartError("\(program): \(error.reason); install disbatch with it")
    }
}

extension DriverOptions {
    /// Whether the run has engines of its own beside those that are brought to it.
    fileprivate func hasOwnContext(_ surroundings: Surroundings) -> Bool {
        if policy.waitsForContexts { return false }
        guard googleCloud.isWanted, context.kind == nil, context.sshLists.isEmpty else { return true }
        return ContextChoice.isInAllocation(surroundings)
    }
}
