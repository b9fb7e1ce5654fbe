package import DisbatchCore
package import LinuxSystem
package import SSHTransport

/// Starts what leads to the engines of one plan: on this machine, by SSH, and in an allocation.
package final class EngineStarter {
    private let enginePath: String
    /// Nil where there is no host to log in to.
    private let remote: RemoteLaunching?
    /// The paths of resource managers' programs, by name.
    private let launchers: [String: String]
    /// The lock that engines of this machine share; -1 for none.
    private let lock: Int32
    /// Words put before the engine's command on a host.
    private let wrapper: [String]
    /// Nil where no host is reached by libssh2.
    package let dialer: SSHDialer?
    /// False to wait for processes by SIGCHLD, as on kernels before 5.3.
    var usesProcessDescriptors = ChildProcess.kernelHasProcessDescriptors

    /// - Parameters:
    ///   - remote: what logging in takes; nil where the plan has no other host.
    ///   - launchers: the paths of resource managers' programs, by name.
    ///   - lock: what engines of this machine are to hold as long as they live; -1 for nothing.
    ///   - wrapper: words that go before the command on a host, such as those that enter a container.
    package init(
        engine: String, remote: RemoteLaunching?, launchers: [String: String], lock: Int32, wrapper: [String] = []
    ) throws(SystemError) {
        enginePath = engine
        self.remote = remote
        self.launchers = launchers
        self.lock = lock
        self.wrapper = wrapper
        dialer =
            if let remote, remote.choice != .openSSH { try SSHDialer(client: remote.client) } else { nil }
    }

    /// Starts what leads to an engine; or begins to dial its host, whose outcome ``SSHDialer/takeResults()`` has.
    ///
    /// - Parameters:
    ///   - errors: a file that its standard error goes to the end of.
    ///   - step: what a step of an allocation is to be called, where it can be given a name.
    package func launch(
        _ engine: EnginePlan, id: EngineID, errors: consuming Descriptor, step: String
    ) throws(SystemError) -> LaunchedEngine {
        let command = command(of: engine, step: step)
        let launched = LaunchedEngine(id: id, plan: engine, image: command.image, errors: errors)
        if case .ssh(let host) = engine.place, let dialer, let image = command.image {
            dialer.dial(token: id.rawValue, host: host, command: wrapped(image.remoteCommand), errors: launched.errors)
        } else {
            try launched.start(command, usesProcessDescriptors: usesProcessDescriptors)
        }
        return launched
    }

    /// Ends what is still being dialled.
    package func close() { dialer?.close() }

    /// Whether what libssh2 could not do is for OpenSSH's client to try.
    package func mayUseOpenSSH(after error: SSHError) -> Bool { error.needsOpenSSH && remote?.choice == .auto }

    /// Leads to an engine by OpenSSH's client.
    package func launchByOpenSSH(_ launched: LaunchedEngine) throws(SystemError) {
        try launched.start(
            command(of: launched.plan, step: ""), usesProcessDescriptors: usesProcessDescriptors)
    }

    private func wrapped(_ line: String) -> String {
        wrapper.isEmpty ? line : ShellWord.line(wrapper + ["/bin/sh", "-c", line])
    }

    private func command(of engine: EnginePlan, step: String) -> EngineCommand {
        if case .ssh(let host) = engine.place, let remote {
            return .ssh(remote.client, host: host, image: remote.image, line: wrapped(remote.image.remoteCommand))
        }
        if case .launched(var launcher) = engine.place, let program = launchers[launcher.program] {
            if let option = launcher.stepNameOption { launcher.arguments += [option, step] }
            return .launched(launcher.words(env: launchers["env"] ?? "env", program: program, engine: enginePath))
        }
        return .here(enginePath, lock: lock)
    }
}
