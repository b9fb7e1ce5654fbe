/// Virtual machines of Google Compute Engine that are made for a run.
package enum GoogleCloudContext {
    /// See ``ContextPlan/kind``.
    package static let kind = "gce"

    static let traits: ManagerTraits = {
        var traits = ManagerTraits()
        traits.homeDirectory = "/home/disbatch/"
        return traits
    }()
}
