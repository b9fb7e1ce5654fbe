import LinuxSystem

/// Tools for the scripts in Benchmarks/ that are no programs of their own.
enum BenchmarkProgram {
    /// The whole program: what the scripts in Benchmarks/ need that is no program of its own.
    static func run(_ arguments: [String]) -> Int32 {
        do {
            guard let returnCode = returnCode(arguments) else {
                print(
                    """
                    usage: benchmark null-engine [--return-code N]

                    An engine that ends every task at once, with N or 0 (see Benchmarks/run).
                    """)
                return arguments == ["--help"] ? 0 : 2
            }
            var engine = NullEngine(returnCode: returnCode)
            try engine.run()
            return 0
        } catch {
            StandardStream.error.line("benchmark: \(error)")
            return 1
        }
    }

    /// The return code of the null engine's tasks; nil where the null engine is not asked for.
    private static func returnCode(_ arguments: [String]) -> Int32? {
        if arguments == ["null-engine"] { return 0 }
        return arguments.dropLast() == ["null-engine", "--return-code"] ? Int32(arguments[2]) : nil
    }
}
