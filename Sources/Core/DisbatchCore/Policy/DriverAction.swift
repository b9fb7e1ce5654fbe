/// One thing that the driver's machine wants done. Performing it may tell the machine of an event at once.
package enum DriverAction: Equatable, Sendable {
    /// An action of the scheduler for tasks: any but those that concern engines' lives.
    case tasks(SchedulerAction)

    // Engines.
    /// Start what leads to an engine; ``DriverEvent/launchFailed(_:reason:)`` tells where that fails.
    case launch(EngineID)
    /// Tell an engine what it is for, and whose leavings to end first (names of guards).
    case configure(EngineID, lostGuards: [String])
    /// Send an engine a lease token with the time of sending; nil: it needs none.
    case renewLease(EngineID, Duration?)
    case shutDown(EngineID)
    /// Close an engine's channel for good; its end is told by ``DriverEvent/engineEnded(_:_:)``.
    case close(EngineID, ChannelClosing)
    /// Forget an engine's channel, log and files: nothing more comes of it.
    case forget(EngineID)

    // The run record and `<prefix>_alive`.
    case recordContext(ContextID)
    case recordEngine(EngineID, slots: Int)
    case recordEngineEnd(EngineID, reason: String)
    /// Engines may live on after the driver's death, for as long as a lease.
    case noteLease
    /// Later runs are to know an engine's guard; need not know it any more.
    case noteGuard(String, node: String)
    case forgetGuard(String)

    // Resource managers and relays.
    /// Run a command where the context is; ``DriverEvent/commandEnded(_:_:wallClock:)`` tells what came of it.
    case run([String], CommandPurpose)
    /// Tell an elastic context's relay how much there is to do.
    case tellDemand(ContextID, RelayDemand)
    /// Let a relay go: its context is over.
    case release(ContextID, text: String, isGood: Bool)
    /// Forget a relay that did not come back.
    case forgetRelay(ContextID)

    // The user.
    case log(LogLevel, String)
    /// Show the user a text; what is as serious as an error is one.
    case show(LogLevel, String)
}

/// The fate of the process that carries a channel, such as ssh, when the channel is closed from this end.
package enum ChannelClosing: Equatable, Sendable {
    /// The carrier ends by itself, with a status that tells of the engine's end.
    case keepingCarrier
    /// The carrier is told to end: the engine may not be reached any more.
    case endingCarrier
    /// The carrier is killed.
    case killingCarrier
}
