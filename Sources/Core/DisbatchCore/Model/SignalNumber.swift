/// The numbers of the signals that decisions are made of, as Linux has them on every machine that disbatch runs on.
package enum SignalNumber {
    package static let interrupt: Int32 = 2
    package static let kill: Int32 = 9
    package static let user1: Int32 = 10
    package static let user2: Int32 = 12
    package static let terminate: Int32 = 15
}

/// The names of signals.
package enum SignalName {
    private static let names: [Int32: String] = [
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
        9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
        24: "SIGXCPU", 25: "SIGXFSZ",
    ]

    /// The name, or the number where it has none that is common.
    package static func of(_ number: Int32) -> String { names[number] ?? "signal \(number)" }
}
