import DbutilRuntime
import Glibc
import LinuxSystem
import Options

/// The whole program: reads the command line, and does what it says.
func run() -> Int32 {
    Descriptor.fillStandardStreams()
    do {
        switch try DbutilOptions.read(Array(CommandLine.arguments.dropFirst())) {
        case .show(let text):
            print(text, terminator: "")
            return 0
        case .run(let options): return LiveCommands.run(options) ?? DbutilProgram.run(options)
        }
    } catch {
        let text = Array(error.report(program: "dbutil").utf8)
        _ = text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        return 2
    }
}

exit(run())
