import Glibc

extension ChildProcess {
    /// Runs a program to its end.
    ///
    /// - Parameter words: its absolute path and its arguments. Its environment is ours, its standard error too.
    /// - Returns: how it ended, and what it printed.
    package static func output(of words: [String]) throws(SystemError) -> (end: ProcessEnd, output: [UInt8]) {
        let pipe = try DescriptorPair.pipe()
        let null = try Descriptor.open("/dev/null", O_RDONLY)
        let child = try start(words, input: null.raw, output: pipe.second.raw, error: 2)
        let reading = pipe.takeFirst()
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 12)
        while case .bytes(let count) = chunk.withUnsafeMutableBytes({ reading.read(into: $0) }) {
            bytes += chunk[..<count]
        }
        return (child.waitForEnd().end, bytes)
    }

    /// Starts a program with our environment.
    ///
    /// - Parameters:
    ///   - words: its absolute path and its arguments.
    ///   - extra: a descriptor that it gets as its descriptor 3; -1 for none.
    package static func start(
        _ words: [String], input: Int32, output: Int32, error: Int32, extra: Int32 = -1, wantsDescriptor: Bool = false
    ) throws(SystemError) -> ChildProcess {
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        return try arguments.withUnsafeMutableBufferPointer { arguments in
            Result { () throws(SystemError) in
                var request = SpawnRequest(
                    path: UnsafePointer(arguments[0]!), arguments: UnsafePointer(arguments.baseAddress!),
                    environment: UnsafePointer(environ), input: input, output: output, error: error)
                request.extra = extra
                return try start(request, wantsDescriptor: wantsDescriptor)
            }
        }.get()
    }

    /// The path of a program on PATH, or nil.
    package static func find(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}
