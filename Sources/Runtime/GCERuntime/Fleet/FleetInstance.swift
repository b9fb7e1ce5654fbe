import DisbatchCore

/// An instance of a fleet, from the request on until it is known to be gone.
struct FleetInstance: Equatable, Sendable {
    /// How far it is.
    enum State: Equatable, Sendable {
        /// The request is under way: to ``starting``, or ``deleting`` where it may exist although that failed.
        case inserting
        /// The API took the request: to ``connecting`` when it runs.
        case starting
        /// The instance runs, and has no engine yet, or no more: to ``ready``.
        case connecting
        /// The instance has an engine.
        case ready
        /// The instance was told that it is taken back: gone soon, or to ``deleting``.
        case leaving
        /// The request to delete it is under way, or is to be made again.
        case deleting
    }

    let name: String
    let zone: String
    let model: ProvisioningModel
    var state: State
    /// How many preemptions its place has seen.
    var preemptions: Int
    /// When it was asked for.
    let begin: Instant
    /// When it came to its state.
    var stateBegin: Instant
    /// When it was first seen running: from then on it costs.
    var runningSince: Instant?
    /// Since when it has no work, or nobody waits for it.
    var idleSince: Instant?
    var isBusy = false
    var wasReady = false
    var wasPreempted = false
    /// Whether an engine was launched there, and has not ended.
    var hasEngine = false
    /// Whether something may be left of engines that it had.
    var mayHaveRemains = false
    /// Whether its engine is to go, so that it can be deleted.
    var isDraining = false
    /// Until when an engine that can't be had is tried again: the run's key may not have come to it.
    var retryUntil: Instant?
    /// When an engine is tried again.
    var reconnectAt: Instant?
    /// When it is taken for stopped, unless the run ends before.
    var stopAt: Instant?
    /// Whether it stands for the request that asked for it, and perhaps for others.
    var leadsRequest = true
    /// Whether it is to be deleted as soon as the request for it is answered.
    var isUnwanted = false
    /// When to ask for its deletion again; nil while that is under way.
    var deleteAt: Instant?
    var deleteFailures = 0

    /// Whether it has, or may come to have, an engine.
    var isPromising: Bool {
        switch state {
        case .inserting, .starting, .connecting, .ready: !isUnwanted
        case .leaving, .deleting: false
        }
    }
}
