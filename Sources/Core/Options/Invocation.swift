/// The request that a program's arguments make.
package enum Invocation<Options: Equatable & Sendable>: Equatable, Sendable {
    /// Print this to standard output and exit with status 0.
    case show(String)
    case run(Options)
}
