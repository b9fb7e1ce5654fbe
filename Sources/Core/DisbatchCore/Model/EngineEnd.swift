/// How an engine came to its end, as the process knows that launched it.
package struct EngineEnd: Equatable, Sendable {
    /// The exit status of its carrier, or minus the number of the signal that killed it.
    package var status: Int32
    /// Why, where that is known.
    package var reason: String?
    /// Output from before it spoke.
    package var printedBefore: String
    /// Whether it is no use to try again.
    package var isHopeless: Bool

    package init(status: Int32, reason: String?, printedBefore: String, isHopeless: Bool) {
        self.status = status
        self.reason = reason
        self.printedBefore = printedBefore
        self.isHopeless = isHopeless
    }
}
