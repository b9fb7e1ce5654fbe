import Foundation
import LinuxSystem

/// What a program reads from its standard input.
enum ProgramInput {
    /// /dev/null.
    case empty
    /// These bytes, then the end.
    case bytes([UInt8])
    /// A pipe, for ``RunningProgram/send(_:)``.
    case pipe

    static func text(_ text: String) -> ProgramInput { .bytes(Array(text.utf8)) }
}

/// How a program is to be started.
struct ProgramLaunch {
    var path: String
    var arguments: [String]
    /// The whole of it.
    var environment: [String]
    var directory: String
    /// Standard output and error go to files of this name, with `.out` and `.err`.
    var outputBase: String
    var input: ProgramInput

    private static let env = "/usr/bin/env"

    /// Starts it, in a process group of its own, with no signal blocked or ignored.
    ///
    /// - Returns: its pid, and our end of the pipe to its standard input, or -1.
    func start() throws -> (pid: pid_t, input: Int32) {
        let (reading, writing) = try makeInput()
        defer { close(reading) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        let (output, error) = (open(outputBase + ".out", flags, 0o600), open(outputBase + ".err", flags, 0o600))
        defer {
            close(output)
            close(error)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in [reading, output, error].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
        }
        return (try spawn(&actions), writing)
    }

    private func makeInput() throws -> (reading: Int32, writing: Int32) {
        switch input {
        case .empty: return (open("/dev/null", O_RDONLY | O_CLOEXEC), -1)
        case .bytes(let bytes):
            let file = outputBase + ".in"
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            return (open(file, O_RDONLY | O_CLOEXEC), -1)
        case .pipe:
            // Closed on exec from the first: other tests start programs at this moment.
            let ends = try DescriptorPair.pipe().release()
            return (ends.first, ends.second)
        }
    }

    private func spawn(_ actions: inout posix_spawn_file_actions_t) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        // env changes the directory and becomes the program: Glibc's module lacks what lets posix_spawn do it.
        let line = [Self.env, "-C", directory, path] + arguments
        var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, Self.env, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw HarnessError("can't start \(path): \(String(cString: strerror(code)))") }
        return pid
    }
}
