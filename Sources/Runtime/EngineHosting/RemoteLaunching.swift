package import DisbatchCore
import LinuxSystem

/// The means of logging in to hosts.
package struct RemoteLaunching: Sendable {
    package let image: EngineImage
    /// The path of OpenSSH's client.
    package let client: String
    package let choice: SSHClientChoice

    /// With a client of one's own.
    package init(image: EngineImage, client: String, choice: SSHClientChoice) {
        self.image = image
        self.client = client
        self.choice = choice
    }

    /// Nil where the plan has no other host.
    ///
    /// - Parameter engine: the path of the engine's program.
    package static func make(
        _ plan: ContextPlan, engine: String, choice: SSHClientChoice
    ) throws(StartError) -> RemoteLaunching? {
        let needsLogin = plan.engines.contains { if case .ssh = $0.place { true } else { false } }
        guard needsLogin else { return nil }
        guard let client = ChildProcess.find("ssh") else {
            throw StartError("-s: ssh is not on PATH; install OpenSSH's client (openssh-client)")
        }
        return RemoteLaunching(image: try EngineImage(path: engine), client: client, choice: choice)
    }
}
