import DisbatchCore

/// Chooses a run's context from its options and from what the environment tells of the machine.
package enum ContextChoice {
    /// What is known of the machine.
    package struct Surroundings: Sendable {
        /// Reads a variable of the driver's environment.
        package var variable: @Sendable (String) -> String?
        /// Which of these programs stand on PATH.
        package var findPrograms: @Sendable ([String]) -> [String]

        package init(
            variable: @escaping @Sendable (String) -> String?,
            findPrograms: @escaping @Sendable ([String]) -> [String]
        ) {
            self.variable = variable
            self.findPrograms = findPrograms
        }
    }

    /// Variables that tell of an allocation: Slurm's, Grid Engine's, PBS's, LSF's.
    static let allocationVariables = ["SLURM_JOB_ID", "PE_HOSTFILE", "JOB_ID", "PBS_JOBID", "LSB_JOBID"]

    /// - Parameter sshLists: the values of `-s`.
    package static func plan(
        sshLists: [String], _ request: ContextRequest, _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        if !sshLists.isEmpty { return try SSHContext.plan(sshLists, rank: 0, request) }
        if let list = surroundings.variable("DISBATCH_SSH_NODELIST"), !list.isEmpty {
            return try SSHContext.plan([list], rank: 0, request)
        }
        guard let variable = allocationVariables.first(where: { surroundings.variable($0) != nil }) else {
            if let program = surroundings.findPrograms(LocalContext.submitPrograms).first {
                throw LocalContext.loginNodeError(program: program)
            }
            return try LocalContext.plan(request)
        }
        var plan = try LocalContext.plan(request)
        plan.warnings.append(
            "\(variable) is set, but allocations are not available yet: only this machine's cores are used")
        return plan
    }
}
