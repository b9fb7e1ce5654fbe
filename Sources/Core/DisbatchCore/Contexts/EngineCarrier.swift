/// The process that carries an engine's standard streams, and tells of its end.
package enum EngineCarrier: Sendable {
    /// None: what is launched is the engine's guard.
    case none
    case ssh
    /// A resource manager's program.
    case launcher

    /// Whether the carrier's end proves that nothing of the engine is left.
    ///
    /// - Parameter status: as ``EngineEnd/status``.
    package func proves(status: Int32) -> Bool {
        // Any other status may be the carrier's own, which lost sight of an engine that lives.
        self == .none || status == EngineProtocol.clearedStatus
    }
}

extension EnginePlan {
    /// The carrier of the engine's standard streams, by the place in which it runs.
    package var carrier: EngineCarrier {
        switch place {
        case .here: .none
        case .ssh: .ssh
        case .launched: .launcher
        }
    }
}
