extension GridEngineContext {
    static let traits: ManagerTraits = {
        var traits = ManagerTraits()
        // By qsub -notify it comes shortly before SIGKILL.
        traits.warnsBySIGUSR2 = true
        return traits
    }()
}
