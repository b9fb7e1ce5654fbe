import DisbatchCore

/// A fault that strikes one engine.
enum Fault: Equatable {
    /// The engine and its tasks are no more. The driver learns of it by proof, or only by silence.
    case death(isProven: Bool)
    /// Its channel ends; it lives on without noticing, or notices after a while.
    case silence(isNoticed: Bool)
    /// The engine and its tasks stand still until then.
    case freeze(until: Int64)
    /// Messages lie in the network until then: both ways, or those from the engine alone.
    case cut(until: Int64, isOneWay: Bool)
}

/// One thing that happens at a time of the virtual clock.
enum SimulatedEvent {
    case engineConnects(Int)
    case toEngine(Int, DriverFrame)
    case toDriver(Int, EngineFrame)
    /// A process was started in a cylinder of an engine; the number tells it from the cylinder's earlier ones.
    case spawned(Int, cylinder: Int, number: Int)
    case processEnds(Int, cylinder: Int, number: Int, ProcessResult)
    case outputEnds(Int, cylinder: Int, number: Int)
    /// The files of a task are sent, of which this is the end.
    case filesSent(Int, EngineFrame)
    case engineTimer(Int)
    /// The engine sees the end of its channel.
    case engineOrphaned(Int)
    case fault(Int, Fault)
    case thaw(Int)
    case linkBack(Int)
    /// The driver sees that an engine's channel and carrier have ended; hears that nothing of it is left.
    case carrierEnded(Int, status: Int32)
    case confirmedGone(Int)
    /// An engine must have spoken.
    case speechDue(Int)
    /// The result of a command to the resource manager.
    case answered(CommandPurpose, ManagerAnswer)
    /// The driver stands still until then; it goes on.
    case driverSleeps(until: Int64)
    case driverWakes
    /// All hosts are cut off until then; they are back.
    case blackout(until: Int64)
    case hostsBack
    /// The allocation of the first context ends.
    case allocationEnds
    /// Something happens at the driver that no engine has to do with.
    case atDriver(DriverEvent)
    case driverTimer
    case sourceReady
    case rowsSynced(Int)
    /// The user wants a task to end.
    case userKills
}
