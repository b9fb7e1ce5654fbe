/// Engines that are to be launched, each when its time has come, and not too many at once.
package struct LaunchQueue: Sendable {
    /// How many engines may be on their way at a time; the others wait until these have answered.
    package static let atOnce = 32
    private static let longestPause = 60

    private var waiting: [(engine: EngineID, due: Instant)] = []

    package init() {}

    package var isEmpty: Bool { waiting.isEmpty }

    /// Adds an engine that is to be launched at a time.
    package mutating func add(_ engine: EngineID, due: Instant) { waiting.append((engine, due)) }

    /// Takes an engine out that is not to be launched any more.
    package mutating func remove(_ engine: EngineID) { waiting.removeAll { $0.engine == engine } }

    /// When the next engine may be launched, while this many have not answered yet.
    package func nextDeadline(onTheirWay: Int) -> Instant {
        guard !waiting.isEmpty, onTheirWay < Self.atOnce else { return .distantFuture }
        return waiting.reduce(.distantFuture) { min($0, $1.due) }
    }

    /// Takes the next engine out whose time has come.
    package mutating func takeNext(at now: Instant, onTheirWay: Int) -> EngineID? {
        guard onTheirWay < Self.atOnce, let index = waiting.firstIndex(where: { $0.due <= now }) else { return nil }
        return waiting.remove(at: index).engine
    }

    /// The seconds to wait before a host is tried again that failed this often in a row.
    package static func pause(afterFailures count: Int) -> Int { min(longestPause, 1 << min(count - 1, 10)) }
}
