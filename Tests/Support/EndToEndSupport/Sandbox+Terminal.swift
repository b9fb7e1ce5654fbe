extension Sandbox {
    /// Tells a tmux server of the sandbox's own to do something; what it prints is the result.
    func tmux(_ arguments: String...) throws -> String {
        let result = try run(["-S", at("tmux"), "-f", "/dev/null"] + arguments, program: "/usr/bin/tmux")
        guard result.status == 0 else { throw HarnessError("tmux \(arguments): \(result.error)") }
        return result.output
    }
}
