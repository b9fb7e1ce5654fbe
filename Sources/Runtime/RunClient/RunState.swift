package import DisbatchCore

/// A run as those know it who watch it: what its driver's snapshots come to.
package struct RunState: Equatable, Sendable {
    package var name: String
    /// The latest snapshot; its engines and failures are those that changed last.
    package private(set) var snapshot = RunSnapshot()
    /// All engines, by rank.
    package private(set) var engines: [EngineSnapshot] = []
    /// The latest failures, the newest last.
    package private(set) var failures: [FailureSnapshot] = []
    /// How the run ended; nil while it goes on.
    package var exitStatus: Int32?
    package var summary: String?

    private static let keptFailures = 200

    package init(name: String) { self.name = name }

    /// Updates the state with a snapshot.
    package mutating func apply(_ next: RunSnapshot) {
        snapshot = next
        for engine in next.engines {
            if engine.id.rawValue == engines.count {
                engines.append(engine)
            } else if engines.indices.contains(engine.id.rawValue) {
                engines[engine.id.rawValue] = engine
            }
        }
        failures += next.failures
        if failures.count > Self.keptFailures { failures.removeFirst(failures.count - Self.keptFailures) }
    }

    /// Seconds since the run began.
    package var elapsed: Double { Double(snapshot.time.microseconds - snapshot.start.microseconds) / 1e6 }

    /// Engines that take tasks, or hold some.
    package var liveEngines: Int { engines.count { $0.state == .active || $0.state == .leaving } }

    /// The run's phase, in a word.
    package var phaseText: String {
        if let exitStatus { return "ended with exit status \(exitStatus)" }
        return switch snapshot.phase {
        case .running: "running"
        case .draining: "draining: nothing new starts"
        case .stopping: "stopping"
        case .closing: "closing"
        }
    }
}

extension EngineSnapshot.State {
    /// As tables show it.
    package var text: String {
        switch self {
        case .starting: "starting"
        case .active: "active"
        case .leaving: "leaving"
        case .lost: "lost"
        case .gone: "gone"
        }
    }
}
