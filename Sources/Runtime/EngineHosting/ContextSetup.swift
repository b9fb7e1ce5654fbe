package import DisbatchCore
package import Options

extension ContextRequest {
    /// What the options ask of a context on this machine.
    package init(_ options: ContextOptions) {
        self = ThisMachine.request
        coresPerTask = options.coresPerTask
        tasksPerNode = options.tasksPerNode
        fillsNodes = options.fillsNodes
        label = options.label
    }
}

extension ContextTerms {
    /// What the options say beside that.
    package init(_ options: ContextOptions) {
        self.init()
        taskLimit = options.taskLimit
        bindsCores = options.binding.map { $0 == .cores }
        sharedVariables = options.environmentResources
        margin = options.margin
        retirement =
            switch options.retirement {
            case .standard: .standard
            case .none: .none
            case .command(let command): .command(command)
            }
    }
}

extension ContextKind {
    /// The kind of this name.
    package init?(_ name: ContextName?) {
        guard let name else { return nil }
        self.init(rawValue: name.rawValue)
    }
}

extension SSHClientChoice {
    /// The same, of the options.
    package init(_ client: SSHClient) {
        self =
            switch client {
            case .auto: .auto
            case .openssh: .openSSH
            case .libssh2: .libssh2
            }
    }
}
