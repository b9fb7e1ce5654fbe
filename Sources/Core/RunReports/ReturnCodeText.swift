/// Return codes in words.
package enum ReturnCodeText {
    /// Such as `exit status 3`, `SIGKILL (signal 9)`, `timed out`.
    package static func words(_ code: Int, ending: [UInt8]? = nil) -> String {
        let ending = ending.map { String(decoding: $0, as: UTF8.self) }
        switch (code, ending) {
        case (-100, _): return "engine lost"
        case (_, "not started"): return "could not be started (return code \(code))"
        case (_, "timed out"): return code == 124 ? "timed out" : "timed out, return code \(code)"
        case (0, _): return "exit status 0"
        case (124, nil): return "timed out (124)"
        case (..<0, _):
            let by = ending == "killed" ? ", by dbutil" : ending == "stopped" ? ", by the run's stop" : ""
            return "\(signal(-code)) (signal \(-code)\(by))"
        case (129...192, _): return "exit status \(code): 128 + \(code - 128), \(signal(code - 128))"
        default: return "exit status \(code)"
        }
    }

    /// A signal's name.
    package static func signal(_ number: Int) -> String {
        let names = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
            9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
            24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
        ]
        return names[number] ?? "signal \(number)"
    }

    /// Why such tasks probably failed, and what may help; nil where the code says nothing.
    ///
    /// - Parameter message: the last line on standard error.
    package static func likelyReason(_ code: Int, ending: [UInt8]? = nil, message: String) -> String? {
        if let known = byEnding(code, ending.map { String(decoding: $0, as: UTF8.self) }) { return known }
        let lowered = message.lowercased()
        if let known = messages.first(where: { lowered.contains($0.words) }) { return known.reason }
        return byCode[code] ?? byCode[code > 128 ? 128 - code : code]
    }

    private static func byEnding(_ code: Int, _ ending: String?) -> String? {
        switch ending {
        case "engine lost": "its engine or node went away too often (--max-lost); the engine's log says more"
        case "timed out": "took longer than --task-timeout allows"
        case "not started": "its node could not start a process: memory, or a limit on processes (ulimit -u)"
        case "killed": "ended by its user"
        default:
            code == -100 ? "its engine or node went away too often (--max-lost); the engine's log says more" : nil
        }
    }

    private static let messages: [(words: String, reason: String)] = [
        ("command not found", "command not found: PATH on that node, a module that isn't loaded, or a typing error"),
        ("out of memory", "out of memory: fewer tasks at a time (-t), or more cores for each (-c), leave more for one"),
        ("cannot allocate memory", "out of memory: fewer tasks at a time (-t) leave more for each"),
        ("memoryerror", "out of memory: fewer tasks at a time (-t) leave more for each"),
        ("bad_alloc", "out of memory: fewer tasks at a time (-t) leave more for each"),
        ("no space left on device", "a disk is full: df -h on that node"),
        ("disk quota exceeded", "a quota is used up: quota -s"),
        ("permission denied", "a file or directory that it may not use, or a program that isn't executable"),
        ("no module named", "a Python module is missing: the environment (conda, venv, module) isn't what it needs"),
        ("error while loading shared libraries", "a library is missing on that node: LD_LIBRARY_PATH, or a module"),
        ("stale file handle", "a network file system lost its server for a while: try again"),
        ("input/output error", "a disk or network file system failed: try again, elsewhere if it stays"),
        ("too many open files", "more files open than allowed: ulimit -n"),
        ("connection refused", "a server that it needs did not answer"),
        ("connection timed out", "a server that it needs did not answer"),
        ("no such file or directory", "a file or directory that it needs isn't there, on that node at least"),
        ("syntax error", "the shell can't read the command: quotes or brackets in the task file"),
    ]

    private static let byCode: [Int: String] = [
        127: "command not found: PATH on that node, a module that isn't loaded, or a typing error",
        126: "found, but not executable: chmod +x, or a program for another kind of machine",
        125: "it succeeded, but its files could not be brought home (--stage-out)",
        124: "timed out, by timeout(1) or --task-timeout",
        -9: "killed: maybe out of memory; dmesg or the resource manager's log on that node says",
        -11: "segmentation fault: a bug in the program, or its stack (ulimit -s)",
        -6: "aborted: the program found something wrong with itself",
        -7: "bus error: a file that it maps was cut short, or a disk is full",
        -8: "arithmetic error, such as a division of integers by 0",
        -4: "illegal instruction: built for another kind of processor",
        -15: "ended by SIGTERM: a time limit, or somebody's kill",
        -2: "interrupted",
        -13: "what it wrote to had ended (SIGPIPE)",
        -24: "its CPU time was used up (ulimit -t)",
        -25: "a file became larger than allowed (ulimit -f)",
        2: "often wrong usage: an option or argument that the program does not take",
    ]
}
