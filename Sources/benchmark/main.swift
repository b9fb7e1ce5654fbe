import Glibc

/// The whole program: what the scripts in Benchmarks/ need that is no program of its own.
func run(_ arguments: [String]) -> Int32 {
    do {
        switch arguments {
        case ["null-engine"]:
            var engine = NullEngine()
            try engine.run()
            return 0
        default:
            print("usage: benchmark null-engine    an engine that ends every task at once (see Benchmarks/run)")
            return arguments == ["--help"] ? 0 : 2
        }
    } catch {
        let line = Array("benchmark: \(error)\n".utf8)
        _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
        return 1
    }
}

exit(run(Array(CommandLine.arguments.dropFirst())))
