/// One thing that happened, as the driver's machine is told of it.
package enum DriverEvent: Sendable {
    // The run.
    /// The run begins: tasks are wanted.
    case runBegan
    /// An event for the scheduler, of tasks alone: items, starts, tasks that came back, rows, users' requests.
    case tasks(SchedulerEvent)
    /// A task, or a per-engine command, has ended.
    case taskEnded(TaskExit)
    /// There is something to do for an engine: those of the run's own context are launched, once.
    case engineNeeded
    /// This process got a signal, by its number.
    case signalled(Int32)
    /// Nothing but time went by.
    case timePassed
    /// The run is over: relays are let go.
    case runEnded

    // Contexts.
    /// A context came to be. One of a relay gets its engines at once, the run's own by ``engineNeeded``.
    indirect case contextAdded(NewContext)
    /// A relay's connection is lost; it is back.
    case relayLost(ContextID)
    case relayReturned(ContextID)
    /// A relay got a signal, by its number.
    case relaySignalled(ContextID, Int32)
    /// The user wants a context to start nothing more, and to go.
    case contextStopped(ContextID)
    /// An elastic context can have another engine, will have none any more.
    indirect case engineOffered(ContextID, EnginePlan)
    case contextComplete(ContextID)
    /// A command to a resource manager has ended. `wallClock` is the time of day.
    indirect case commandEnded(CommandPurpose, ManagerAnswer, wallClock: Timestamp)

    // Engines, in the order in which they come.
    /// The launch of an engine failed at once: what leads to it could not be started.
    case launchFailed(EngineID, reason: String)
    /// An engine's first line has come.
    case engineSpoke(EngineID)
    indirect case engineGreeted(EngineID, EngineHello)
    case engineReady(EngineID, slots: Int)
    /// An engine says why it can't be used.
    case engineRefused(EngineID, reason: String)
    /// An engine sent what can't be: it is cut off.
    case engineMisbehaved(EngineID, reason: String)
    /// An engine got a signal, by its number.
    case engineSignalled(EngineID, Int32)
    /// An engine's channel has ended, and what carried it, or there never was a way.
    indirect case engineEnded(EngineID, EngineEnd)
    /// Proof has come that nothing of an engine is left.
    case engineConfirmedGone(EngineID)
}
