package import DisbatchCore

/// The source of an elastic context's engines. All is said in the relay's thread.
package protocol ElasticBackend: AnyObject {
    /// The relay that launches the engines that are offered to it; set before anything is said.
    var relay: Relay? { get set }
    /// Becomes readable when ``takeEvents()`` has something to do.
    var descriptor: Int32 { get }
    /// When ``keepTime()`` has something to do.
    var deadline: Instant { get }

    func takeEvents()
    func keepTime()

    func demandChanged(_ demand: RelayDemand)
    /// An engine that was offered is being launched.
    func launched(_ id: EngineID, planIndex: Int)
    func spoke(_ id: EngineID)
    /// An engine that was being launched is gone, or never came to be.
    func ended(_ id: EngineID, _ departure: EngineDeparture)

    /// The run is over, or lost: what there is has to go.
    func end()
    /// The user has no patience: what there is has to go within seconds.
    func endQuickly()
    /// Whether nothing is left to do after ``end()``.
    var isDone: Bool { get }
}
