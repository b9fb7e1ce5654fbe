import DisbatchCore
package import EngineHosting
import Glibc
import LinuxSystem
import Options
import RunClient

/// The whole of a relay: a process that brings a context to a run, and carries its engines' frames.
package enum RelayProgram {
    /// Brings the context, and stays as long as it has engines.
    ///
    /// - Returns: 0 when its engines went in order, 1 when not, 130 and the like when it was ended by a signal.
    /// - Throws: ``StartError`` where nothing was launched.
    package static func run(_ request: RelayRequest) throws(StartError) -> Int32 {
        SignalSource.ignore([SIGPIPE])
        let signals = try takeSignals()
        let join: RelayJoin
        do throws(RunClientError) { join = try RelayJoin(runFile: request.runFile, version: request.version) } catch {
            throw StartError("\(error)")
        }
        let plan = try plan(request, join.conditions)
        var policy = request.context.policy
        if policy.sharedVariables.isEmpty { policy.sharedVariables = join.conditions.sharedVariables }
        let remote = try RemoteLaunching.make(plan, engine: request.enginePath, choice: request.context.sshClient)
        let launchers = try LauncherPrograms.find(plan)
        let offer = ContextOffer(
            plan: plan, policy: policy, hasOwnLabel: request.context.sizing.label != nil,
            origin: "\(OwnHost.name) (\(getpid()))")
        do throws(SystemError) {
            let starter = try EngineStarter(
                engine: request.enginePath, remote: remote, launchers: launchers, lock: -1)
            let relay = try Relay(join, offer, starter, signals, say: Self.say)
            return try relay.run()
        } catch {
            throw StartError("\(error)")
        }
    }

    private static func plan(
        _ request: RelayRequest, _ conditions: RelayConditions
    ) throws(StartError) -> ContextPlan {
        let context = request.context
        var sizing = context.sizing
        sizing.coresPerTask = sizing.coresPerTask ?? conditions.coresPerTask
        sizing.tasksPerNode = sizing.tasksPerNode ?? conditions.tasksPerNode
        do throws(ContextError) {
            return try ContextChoice.plan(
                context.kind, sshLists: context.sshLists, rank: conditions.contextCount, sizing,
                ThisMachine.surroundings)
        } catch {
            throw StartError("\(error)")
        }
    }

    private static func takeSignals() throws(StartError) -> SignalSource {
        do throws(SystemError) {
            return try SignalSource(SignalSource.endingNumbers + [SIGUSR1, SIGUSR2, SIGCHLD])
        } catch {
            throw StartError("\(error)")
        }
    }

    /// Prints a line on standard error.
    static func say(_ text: String) { StandardStream.error.line("dbutil: \(text)") }
}
