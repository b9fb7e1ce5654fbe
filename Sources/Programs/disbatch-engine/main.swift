import EngineRuntime
import Glibc
import Options

/// The whole program: `disbatch` starts it without arguments.
func run() -> Int32 {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments == [EngineProgram.printEnvironmentArgument] { return EngineProgram.printEnvironment() }
    do {
        switch try EngineOptions.read(arguments) {
        case .show(let text):
            print(text, terminator: "")
            return 0
        case .run: return EngineProgram.run(version: disbatchVersion)
        }
    } catch {
        let text = Array(error.report(program: "disbatch-engine").utf8)
        _ = text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        return 2
    }
}

exit(run())
