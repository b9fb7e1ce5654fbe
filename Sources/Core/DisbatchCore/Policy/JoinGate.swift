/// The gate that keeps ready engines from tasks while, on another node, what an earlier run left is being ended: that
/// may be the very task that an engine would be given.
package struct JoinGate: Sendable {
    /// An engine that is ready.
    package struct ReadyEngine: Equatable, Sendable {
        package var id: EngineID
        package var slots: Int
        package var roundTrip: Duration
    }

    private enum Stage: Equatable, Sendable {
        /// No engine was kept yet. Next: ``shut(until:)``, ``open``.
        case untouched
        /// Engines are kept. Next: ``open``.
        case shut(until: Instant)
        /// Engines are not kept any more: nothing is waited for twice.
        case open
    }

    private var stage = Stage.untouched
    package private(set) var waiting: [ReadyEngine] = []
    /// When the engines that are kept need a lease token, or are let in.
    package private(set) var nextDeadline = Instant.distantFuture

    /// How long engines are kept, once in a run.
    private let limit: Duration

    package init(limit: Duration) { self.limit = limit }

    /// Adds an engine. True if the gate shuts with it.
    package mutating func add(_ engine: ReadyEngine, shuts: Bool, at now: Instant) -> Bool {
        waiting.append(engine)
        guard shuts, stage == .untouched else { return false }
        stage = .shut(until: now + limit)
        return true
    }

    /// Whether engines are kept now. Opens the gate for good where they were kept long enough.
    package mutating func isShut(at now: Instant) -> Bool {
        if case .shut(let end) = stage, now < end { return true }
        stage = .open
        return false
    }

    /// Plans the next lease tokens of those that are kept.
    package mutating func serve(every interval: Duration, at now: Instant) {
        guard case .shut(let end) = stage else {
            nextDeadline = .distantFuture
            return
        }
        nextDeadline = min(end, now + interval)
    }

    /// Takes all engines out, to join.
    package mutating func takeAll() -> [ReadyEngine] {
        defer { waiting.removeAll() }
        nextDeadline = .distantFuture
        return waiting
    }

    /// Takes an engine out that has ended.
    package mutating func remove(_ engine: EngineID) { waiting.removeAll { $0.id == engine } }
}
