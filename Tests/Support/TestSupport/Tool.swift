import Foundation

/// Other programs, as tests ask them.
///
/// Not by Foundation's Process: it takes the end of a pipe for the end of its child, and any process that another
/// test starts at that moment may hold the pipe open for as long as it lives.
package enum Tool {
    /// How a program ended, and what it wrote.
    package struct Result {
        /// The exit status; minus the signal's number where one ended it.
        package var status: Int32
        package var output: [UInt8]
        package var error: [UInt8]

        package var text: String { String(decoding: output, as: UTF8.self) }
        package var errorText: String { String(decoding: error, as: UTF8.self) }
    }

    /// Why a program could not be run.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// The path of a program on PATH, or nil.
    package static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - words: its path, and its arguments.
    ///   - environment: all of it, or the tests' own.
    ///   - directory: where it is run, or the tests' own.
    package static func run(
        _ words: [String], environment: [String: String]? = nil, directory: String? = nil, input: String = ""
    ) throws -> Result {
        let streams = try (0..<3).map { _ in try temporaryFile() }
        defer { for stream in streams { close(stream) } }
        let bytes = Array(input.utf8)
        guard bytes.withUnsafeBytes({ pwrite(streams[0], $0.baseAddress, $0.count, 0) }) == bytes.count else {
            throw Failure(description: "the input of \(words[0]) can't be written")
        }
        let pid = try start(words, environment: environment, directory: directory, streams: streams)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw Failure(description: "\(words[0]): \(String(cString: strerror(errno)))") }
        }
        let signal = status & 0x7f
        return Result(
            status: signal == 0 ? (status >> 8) & 0xff : -signal, output: contents(streams[1]),
            error: contents(streams[2]))
    }

    /// Writes a program that somebody will start.
    ///
    /// Another process writes it: while this one has a program open for writing, any test may fork, and the kernel
    /// refuses to execute what a child still has open.
    package static func writeProgram(_ path: String, _ text: String, mode: Int = 0o755) throws {
        let script = "cat >\"$1\" && chmod \"$2\" \"$1\""
        let result = try run(["/bin/sh", "-c", script, "sh", path, String(mode, radix: 8)], input: text)
        guard result.status == 0 else { throw Failure(description: "\(path): \(result.errorText)") }
    }

    /// Starts a program; who calls this waits for its end.
    ///
    /// - Parameter streams: what become its standard input, output and error; further descriptors are not passed on.
    package static func start(
        _ words: [String], environment: [String: String]? = nil, directory: String? = nil, streams: [Int32]
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, stream) in streams.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, stream, Int32(target))
        }
        // env changes the directory and becomes the program: Glibc's module lacks what lets posix_spawn do it.
        let line = directory.map { ["/usr/bin/env", "-C", $0] + words } ?? words
        let variables = (environment ?? ProcessInfo.processInfo.environment).map { "\($0.key)=\($0.value)" }
        var arguments: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) } + [nil]
        var entries: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + entries { free(text) } }
        // Threads of the tests have signals blocked, which a program of its own would not.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pid: pid_t = 0
        let code = posix_spawn(&pid, line[0], &actions, &attributes, &arguments, &entries)
        guard code == 0 else { throw Failure(description: "\(line[0]): \(String(cString: strerror(code)))") }
        return pid
    }

    /// A file without a name.
    private static func temporaryFile() throws -> Int32 {
        let name = "\(NSTemporaryDirectory())/disbatch-tool-\(UUID().uuidString)"
        let file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure(description: "no temporary file: \(String(cString: strerror(errno)))") }
        unlink(name)
        return file
    }

    private static func contents(_ file: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(lseek(file, 0, SEEK_END)))
        let count = bytes.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        return Array(bytes.prefix(max(0, count)))
    }
}
