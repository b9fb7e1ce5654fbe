import DisbatchCore
import EngineHosting
import LinuxSystem

/// The driver's end of the way to one engine: frames, over whatever carries them.
final class EngineConnection {
    let id: EngineID
    let context: ContextID
    let plan: EnginePlan
    let transport: any EngineTransport
    /// Where the engine's log lines go.
    let log: Int
    /// When something last came from the engine.
    var heard = RunClock.now
    var writer = FrameWriter()
    private var frames = FrameBuffer()
    var hasUnsent = false
    var files = EngineFiles()
    var processors = ProcessorUse()
    /// The engine's end, while files of its tasks are still being written.
    var end: EngineEnd?

    init(_ engine: DriverEngine, _ transport: any EngineTransport, log: Int) {
        id = engine.id
        context = engine.context
        plan = engine.plan
        self.transport = transport
        self.log = log
    }

    var node: String { plan.node }

    /// Whether something can be sent.
    var isOpen: Bool { transport.isOpen }

    func send(_ frame: DriverFrame) { frame.encode(into: &writer) }

    /// Sends as much as is taken now.
    func flush() { transport.flush(&writer) }

    /// Takes the next bytes from the engine.
    func take(_ bytes: UnsafeRawBufferPointer) { frames.append(bytes) }

    func nextFrame() throws(WireError) -> EngineFrame? {
        try frames.next { (kind, reader) throws(WireError) in try EngineFrame.decode(kind: kind, &reader) }
    }
}
