/// What the options say of the engines' places and of the tasks' surroundings.
package struct ContextOptions: Equatable, Sendable {
    /// `--context`; nil leaves it to the rest.
    package var kind: ContextName?
    /// `-s`: each `HOST:CORES[,HOST:CORES...]` as it was written.
    package var sshNodes: [String] = []
    /// `-c`: above 0, possibly fractional.
    package var coresPerTask: Double?
    /// `-t`: at least 1.
    package var tasksPerNode: Int?
    /// `--fill`
    package var fillsNodes = false
    /// `--bind`; nil leaves it to the context.
    package var binding: CoreBinding?
    /// `-E` and what `-g` stands for, in their order, each once.
    package var environmentResources: [String] = []
    /// `--env`, in their order.
    package var environment: [EnvironmentSetting] = []
    /// `--shell`
    package var shellUse = ShellUse.auto
    /// `-C`: how many tasks a context may be given; nil for no limit.
    package var taskLimit: Int?
    /// `-l`; nil leaves it to the context.
    package var label: String?
    /// `--no-retire`, `--retire-cmd`: whichever came last.
    package var retirement = Retirement.standard
    /// `--lease`: above 0.
    package var lease = Duration.seconds(300)
    /// `--margin`; nil as suits the allocation, zero turns it off.
    package var margin: Duration?
    /// `--ssh-client`
    package var sshClient = SSHClient.auto
    /// `--reconnect`
    package var reconnects = 5
    /// `--no-quarantine` turns it off.
    package var quarantines = true
    /// `--workdir`, absolute; nil for the driver's own directory.
    package var workingDirectory: String?

    package init() {}

    mutating func addResource(_ variable: String) {
        if !environmentResources.contains(variable) { environmentResources.append(variable) }
    }
}

/// `--context`: where engines run.
package enum ContextName: String, CaseIterable, Sendable {
    case local
    case ssh
    case slurm
    case gridEngine = "sge"
    case pbs
    case lsf
}

/// `--bind`: whether each slot has cores of its own.
package enum CoreBinding: String, CaseIterable, Sendable {
    case cores
    case none
}

/// `--shell`: whether every task is started by bash, or simple lines directly.
package enum ShellUse: String, CaseIterable, Sendable {
    case auto
    case always
}

/// `--ssh-client`: by what hosts are logged in to.
package enum SSHClient: String, CaseIterable, Sendable {
    case auto
    case openssh
    case libssh2
}

/// What is done with a node that is no longer needed.
package enum Retirement: Equatable, Sendable {
    /// What suits the resource manager.
    case standard
    case none
    /// This command, by a shell.
    case command(String)
}
