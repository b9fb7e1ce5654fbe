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
