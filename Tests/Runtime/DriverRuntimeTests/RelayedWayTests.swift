import DisbatchCore
import Testing
@testable import DriverRuntime

struct RelayedWayTests {
    /// A relay that says more went into an engine's channel than was sent opens the window, and no more.
    @Test func morePassedOnThanWasSent() {
        let relay = RelaySession(number: 0)
        let way = RelayedWay(relay)
        for _ in 0..<3 { way.passedOn(.max) }
        var writer = FrameWriter()
        writer.append([UInt8](repeating: 0, count: 6 << 20))
        way.flush(&writer, to: EngineID(0))
        #expect(writer.count == 2 << 20)
    }
}
