package import DisbatchCore

/// The way to one engine, whatever carries it.
package protocol EngineTransport: AnyObject {
    /// Sends as much as is taken now.
    func flush(_ writer: inout FrameWriter)

    /// Closes the channel for good. The engine's end is told once its carrier has ended too.
    func close(_ closing: ChannelClosing)

    /// Whether something can be sent.
    var isOpen: Bool { get }
}

/// What becomes of an engine's carrier when its channel is closed.
package enum ChannelClosing: Sendable {
    /// It ends by itself, with a status that tells how the engine ended.
    case keepingCarrier
    /// It is told to end by SIGTERM, and by SIGKILL where it does not. Engines of this machine, which have none, end by
    /// themselves.
    case endingCarrier
    /// SIGKILL ends it at once, or the engine's guard where there is none.
    case killingCarrier
}
