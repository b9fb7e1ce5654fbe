/// How an engine comes to run on a host that is logged in to: one shell command, whose standard input and output then
/// are the engine's.
///
/// Where the driver's own engine is not to be had at its path, and is not in the host's cache either, the host asks for
/// it, and gets its bytes on standard input. It is put in place whole, by a rename, so that two runs at once can't harm
/// each other.
package enum SSHBootstrap {
    /// The line that the host prints when it wants the engine's bytes.
    package static let request = Array("disbatch-bootstrap: send the engine\n".utf8)
    /// The beginning of a line that says why there can be no engine.
    package static let complaint = Array("disbatch-bootstrap: error: ".utf8)

    /// The command for the host's login shell, whichever that is: it has no line ends, and no quotes or backslashes
    /// within its quotes.
    ///
    /// - Parameters:
    ///   - path: the driver's own engine.
    ///   - hash: SHA-256 of its file, in hexadecimal digits.
    ///   - size: its length in bytes.
    ///   - machine: the processor architecture it is built for, as `uname -m` names it.
    package static func command(path: String, hash: String, size: Int, machine: String) -> String {
        let words = [script, "disbatch", quotable(path) ? path : "", hash, "\(size)", machine]
        return "exec /bin/sh -c " + words.map { "'\($0)'" }.joined(separator: " ")
    }

    /// Whether every login shell takes a text in single quotes for what it is.
    private static func quotable(_ text: String) -> Bool {
        !text.utf8.contains { $0 < 32 || "'\\!".utf8.contains($0) }
    }

    // $1 path, $2 hash, $3 size, $4 machine.
    private static let script = [
        "fail() { echo; echo \"disbatch-bootstrap: error: $1\"; exit 125; }",
        "is() { test -x \"$1\" && test \"$(sha256sum <\"$1\" | cut -c1-64)\" = \"$h\"; }",
        "p=$1 h=$2 n=$3 m=$4",
        "test \"$(uname -m)\" = \"$m\" || fail \"this host is $(uname -m), and the engine is built for $m\"",
        "test -n \"$p\" && is \"$p\" && exec \"$p\"",
        "d=${XDG_CACHE_HOME:-$HOME/.cache}/disbatch/$h e=$d/disbatch-engine",
        "is \"$e\" && exec \"$e\"",
        "mkdir -p \"$d\" 2>/dev/null || fail \"$d can not be made\"",
        "t=$d/.new.$$",
        "clean() { rm -f \"$t\"; }",
        "trap clean EXIT; trap \"exit 1\" HUP INT TERM PIPE",
        "( : >\"$t\" ) 2>/dev/null || fail \"$d can not be written to\"",
        "echo; echo \"disbatch-bootstrap: send the engine\"",
        "head -c \"$n\" >\"$t\" || fail \"the engine can not be written to $d: is the disk full?\"",
        "chmod 755 \"$t\"",
        "is \"$t\" || fail \"the engine came to $d damaged, or the disk is full\"",
        "mv -f \"$t\" \"$e\" || fail \"$e can not be put in place\"",
        "trap - EXIT",
        "exec \"$e\"",
    ].joined(separator: "; ")
}
