/// How an engine of an elastic context went.
package enum EngineDeparture: Equatable, Sendable {
    /// Told to go; nothing of it is left.
    case inOrder
    /// The driver gave it up; something of it may be left.
    case givenUp
    /// By itself; something of it may be left.
    case failed(reason: String)
}
