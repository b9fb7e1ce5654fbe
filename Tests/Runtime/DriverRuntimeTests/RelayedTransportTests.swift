import DisbatchCore
import Testing

@testable import DriverRuntime

struct RelayedTransportTests {
    /// A relay that says more went into an engine's channel than was sent opens the window, and no more.
    @Test func moreForwardedThanWasSent() {
        let relay = RelaySession(number: 0)
        let transport = RelayedTransport(EngineID(0), relay)
        for _ in 0..<3 { transport.forwarded(.max) }
        var writer = FrameWriter()
        writer.append([UInt8](repeating: 0, count: 6 << 20))
        transport.flush(&writer)
        #expect(writer.count == 2 << 20)
    }
}
