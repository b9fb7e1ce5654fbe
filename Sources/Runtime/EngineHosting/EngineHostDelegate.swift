package import DisbatchCore

/// The owner of an ``EngineHost``, which is told in the loop's thread what happens to the engines.
///
/// All is told within the host's own calls, but for `launch`, which only notes something, and for `flush` and `close`
/// of an engine, which tell nothing: what they bring about comes with the next call. So engines may be launched,
/// flushed and closed at any time, while something is told too.
package protocol EngineHostDelegate: AnyObject {
    /// The engine's first line has come: what follows is the protocol.
    func engineSpoke(_ id: EngineID)

    /// The next bytes have come from an engine. They are valid during the call only.
    func engineSaid(_ id: EngineID, _ bytes: UnsafeRawBufferPointer)

    /// There is room to send, or the host has something of its own to send before: the engine is to be flushed.
    func engineNeedsFlush(_ id: EngineID)

    /// Channel and carrier have ended, or there never was a way: nothing more comes of this engine. It is told once,
    /// and last.
    func engineEnded(_ id: EngineID, _ end: EngineEnd)

    /// Something is of use in a log, such as `launched, pid 7`. The first comes before `launch` returns.
    func engineNoted(_ engine: HostedEngine, _ text: String)
}
