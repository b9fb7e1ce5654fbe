import Glibc

/// The output of a program that was run to its end.
package struct ProgramOutput: Sendable {
    /// Nil where it was killed, because its time was over or nobody wanted it any more.
    package let end: ProcessEnd?
    /// As much of it as was kept.
    package let bytes: [UInt8]

    package var text: String { String(decoding: bytes, as: UTF8.self) }
    package var isGood: Bool { end == .exited(status: 0) }
}

extension ChildProcess {
    /// The standard streams of a program that are read.
    package enum ReadStreams: Sendable {
        /// Standard output; its standard error is ours.
        case output
        /// Standard error; its standard output goes nowhere.
        case error
        case both
    }

    /// Runs a program to its end, or kills it with all that it started.
    ///
    /// What it prints is read as long as anybody may write it: so are children's words.
    /// - Parameters:
    ///   - words: its absolute path and its arguments. Its environment is ours, and its standard input is empty.
    ///   - time: when it has not ended by then, it is killed.
    ///   - size: how many bytes are kept of what it prints; the rest is read and dropped.
    ///   - abort: a descriptor that is readable once nobody wants it any more: then it is killed; -1 for none.
    package static func output(
        of words: [String], streams: ReadStreams = .output, within time: Duration = .seconds(60), size: Int = 1 << 20,
        abort: Int32 = -1
    ) throws(SystemError) -> ProgramOutput {
        let deadline = MonotonicTime.now + time
        let pipe = try DescriptorPair.pipe()
        let null = try Descriptor.open("/dev/null", O_RDWR)
        let writing = pipe.second.raw
        let child = try start(
            words, input: null.raw, output: streams == .error ? null.raw : writing,
            error: streams == .output ? 2 : writing, wantsDescriptor: true)
        defer { child.close() }
        let reading = pipe.takeFirst()
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while wait(for: reading.raw, until: deadline, abort: abort) {
            guard case .bytes(let count) = chunk.withUnsafeMutableBytes({ reading.read(into: $0) }) else {
                // It may have closed its streams, and run on.
                guard let end = child.waitForEnd(until: deadline, abort: abort) else { break }
                return ProgramOutput(end: end, bytes: bytes)
            }
            bytes += chunk[..<min(count, size - bytes.count)]
        }
        kill(-child.pid, SIGKILL)
        _ = child.waitForEnd()
        return ProgramOutput(end: nil, bytes: bytes)
    }

    /// Waits for the process to end, and reaps it.
    ///
    /// - Parameter abort: a descriptor that is readable once nobody waits any more; -1 for none.
    /// - Returns: nil at the deadline, and when `abort` is readable: then it still runs.
    package func waitForEnd(until deadline: MonotonicTime, abort: Int32 = -1) -> ProcessEnd? {
        if pidfd >= 0 {
            return Self.wait(for: pidfd, until: deadline, abort: abort) ? waitForEnd().end : nil
        }
        // Old kernels tell of a process's end by no descriptor.
        while true {
            if let ended = reap() { return ended.end }
            let pause = min(deadline, MonotonicTime.now + .milliseconds(20))
            if Self.wait(for: abort, until: pause) || MonotonicTime.now >= deadline { return nil }
        }
    }

    /// Whether a descriptor becomes ready before the deadline, and before `abort` is.
    private static func wait(for raw: Int32, until deadline: MonotonicTime, abort: Int32 = -1) -> Bool {
        while true {
            var watched = [raw, abort].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let count = poll(&watched, 2, deadline.millisecondsFromNow)
            if count > 0 { return watched[1].revents == 0 }
            if count == 0, MonotonicTime.now >= deadline { return false }
        }
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
