/// Properties of a kind of context that the driver has to know beside its plan: what the resource manager tells by
/// signals, and what it can be asked and told. Each manager's folder holds its own.
package struct ManagerTraits: Sendable {
    /// Whether SIGUSR2 to a job's processes says that it is about to be killed; else it asks to start nothing more.
    package var warnsBySIGUSR2 = false
    /// How the step of a lost engine is ended; nil where engines are no steps.
    package var stepControl: StepControl?
    /// The shell command by which nodes are given back unless the user names another, with what
    /// ``NodeRetirement/Batch/settings`` has in its environment; nil where nodes can't be given back one by one.
    package var retirementCommand: String?
    /// Where tasks run on machines that were made for the run, and have none of the driver's directories: the run's
    /// name goes behind it. Nil on all others.
    package var homeDirectory: String?
    /// Parts of messages of the manager's launcher with which it is no use to try again.
    package var permanentFailures: [String] = []
    /// Whether a line of the launcher comes after the one that says why.
    package var saysOnlyThatItEnded: @Sendable (String) -> Bool = { _ in false }

    package init() {}

    /// The traits of a kind of context, by ``ContextPlan/kind``: nothing in particular where none are known.
    package static func of(kind: String) -> ManagerTraits { known[kind] ?? ManagerTraits() }

    /// Traits by kind of context: what a new manager is added to.
    private static let known: [String: ManagerTraits] = [
        ContextKind.slurm.rawValue: SlurmContext.traits,
        ContextKind.gridEngine.rawValue: GridEngineContext.traits,
        GoogleCloudContext.kind: GoogleCloudContext.traits,
    ]

    /// The traits of all managers.
    static var all: some Sequence<ManagerTraits> { known.values }
}

/// How a manager is asked to end one step of a job, and to say when it is no more.
package struct StepControl: Sendable {
    /// A shell command with the job's number and the step's name as its arguments: it ends with 0 where the step is no
    /// more, and with ``LostSteps/stillThere`` where it was there and is told to end.
    package var command: String

    /// The words of the whole command.
    func words(job: String, step: String) -> [String] { ["/bin/sh", "-c", command, "sh", job, step] }
}
