import Glibc
import Options

/// The whole program, for now: says what it is, and what it can't do yet.
func run() -> Int32 {
    do {
        switch try DbutilOptions.read(Array(CommandLine.arguments.dropFirst())) {
        case .show(let text): print(text, terminator: "")
        case .run: break
        }
        return 0
    } catch {
        let text = Array(error.report(program: "dbutil").utf8)
        _ = text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        return 2
    }
}

exit(run())
