import Glibc

/// The files of processes, at /proc: by them a program knows its arguments, where it stands, and what it left running.
package enum ProcessFiles {
    /// Ends a program that has none, with a word why.
    package static func require(for program: String) {
        guard access("/proc/self/stat", R_OK) != 0 else { return }
        StandardStream.error.line(
            "\(program): /proc is not there, and nothing goes without it\nMount it: mount -t proc proc /proc")
        exit(2)
    }
}
