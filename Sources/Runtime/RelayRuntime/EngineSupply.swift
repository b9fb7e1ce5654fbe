package import DisbatchCore

/// How an engine went.
package enum EngineDeparture: Equatable, Sendable {
    /// It was told to, and nothing of it is left.
    case inOrder
    /// The driver gave it up; something of it may be left.
    case givenUp
    /// By itself; something of it may be left.
    case failed(reason: String)
}

/// Where the engines of an elastic context come from. All is said in the relay's thread.
package protocol EngineSupply: AnyObject {
    /// Who launches the engines that are offered to it; set before anything is said.
    var relay: Relay? { get set }
    /// Becomes readable when ``takeNews()`` has something to do.
    var descriptor: Int32 { get }
    /// When ``keepTime()`` has something to do.
    var deadline: Instant { get }

    func takeNews()
    func keepTime()

    func demandChanged(_ demand: RelayDemand)
    /// An engine that was offered is being launched.
    func launched(_ id: EngineID, place: Int)
    func spoke(_ id: EngineID)
    /// An engine is gone, or could not be launched.
    func ended(_ id: EngineID, _ departure: EngineDeparture)

    /// The run is over, or lost: what there is has to go.
    func end()
    /// The user has no patience.
    func hurry()
    /// Whether nothing is left to do after ``end()``.
    var isDone: Bool { get }
}
