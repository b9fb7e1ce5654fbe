import DisbatchCore

/// How many instances a run may have, and which.
struct FleetRules: Equatable, Sendable {
    /// How many there may be at once, of whatever age: those that are being made and being deleted count.
    var limit: Int
    /// How many tasks one instance runs at once.
    var slotsPerInstance: Int
    /// In order of preference.
    var zones: [String]
    var wantsSpot = false
    /// After how many preemptions in one instance's place the next one is no spot instance.
    var spotAttempts = 2
    /// How long an instance without work is kept.
    var linger = Duration.zero
    /// Whether instances stay when the run ends, for other runs of their pool. They delete themselves when no engine
    /// came for the time that their start-up script was given.
    var staysInPool = false
    /// The smallest number of instances of a kind that are asked for in one request.
    var bulkMinimum = 3
    /// How many instances one request asks for at most. Google allows 5000.
    var bulkMaximum = 500
    /// How many requests to make instances are under way at once.
    var insertsAtOnce = 16
    /// How long an instance may take from the request until it runs, and from then until its engine is ready.
    var startLimit = Duration.seconds(600)
    /// How long one that is told of its preemption may take to be gone, before it is deleted.
    var preemptionLimit = Duration.seconds(90)
    /// How long an instance that was found may not know the run's key.
    var keyLimit = Duration.seconds(60)
    /// The pause before an engine is tried again meanwhile.
    var retryPause = Duration.seconds(1)
    /// How long the end of the run may be told after its engines were sent away.
    var endNotice = Duration.seconds(1)
    /// How long a zone without room is left alone; each time twice as long.
    var firstPause = Duration.seconds(30)
    var longestPause = Duration.seconds(600)
    /// After how many instances in a row that never had an engine, or requests in a row that failed for another reason
    /// than want of room, no more are made.
    var failureLimit = 5
    /// The beginning of the names of instances.
    var namePrefix: String

    init(limit: Int, slotsPerInstance: Int, zones: [String], namePrefix: String) {
        precondition(limit > 0 && slotsPerInstance > 0 && !zones.isEmpty, "a fleet has instances, slots and zones")
        self.limit = limit
        self.slotsPerInstance = slotsPerInstance
        self.zones = zones
        self.namePrefix = namePrefix
    }

    /// How many instances tasks can fill, within the limit.
    func wanted(waiting: Int, outstanding: Int) -> Int {
        let (tasks, overflow) = waiting.addingReportingOverflow(outstanding)
        if overflow { return limit }
        let full = tasks / slotsPerInstance
        return min(limit, full + (tasks % slotsPerInstance > 0 ? 1 : 0))
    }

    /// The pause after so many failures in a row.
    func pause(failures: Int) -> Duration {
        var pause = firstPause
        for _ in 1..<max(2, min(failures, 30)) where failures > 1 && pause < longestPause { pause = pause * 2 }
        return min(pause, longestPause)
    }
}

/// An event for the fleet. Names are those of ``FleetAction/insert(name:zone:model:)`` and
/// ``FleetAction/insertBulk(names:zone:model:)``, or of instances that were found.
enum FleetEvent: Equatable, Sendable {
    /// - Parameters:
    ///   - waiting: tasks that no engine was given; `.max` where the task file was not read to its end.
    ///   - outstanding: tasks that engines of the fleet were given, and that have not ended.
    case demandChanged(waiting: Int, outstanding: Int)
    /// The API took the request; where that was for several instances, this one is there.
    case insertAccepted(String)
    /// The request, or the operation that it began, failed.
    case insertFailed(String, CloudErrorKind, message: String)
    /// Of several instances that were asked for at once, these did not come to be, for this reason.
    ///
    /// - Parameter isRefused: whether the request was refused as a whole: no instance was tried.
    case bulkFailed([String], CloudErrorKind, message: String, isRefused: Bool)
    /// An instance of the run or of its pool that is there already, and like those that the fleet makes: to be said
    /// before the first ``demandChanged(waiting:outstanding:)``, which would have others made.
    case instanceFound(String, zone: String, model: ProvisioningModel)
    /// The instance runs: it can be connected to soon.
    case instanceRunning(String)
    /// An engine is being launched there; ``engineEnded(_:_:)`` follows.
    case engineLaunched(String)
    /// Its engine is ready for tasks.
    case engineReady(String)
    /// There is no engine, or no more: what to do next is the fleet's to say.
    case engineFailed(String, message: String)
    /// The engine that was launched is gone, or never came to be.
    case engineEnded(String, EngineDeparture)
    /// The engine has tasks, or has none.
    case instanceBusy(String)
    case instanceIdle(String)
    /// Google is about to take it back, or did; ``instanceGone(_:)`` follows.
    case instancePreempted(String)
    /// The instance is shut down, and still there: by itself, for want of an engine, or by somebody else.
    case instanceStopped(String)
    /// The instance is deleted, or never was.
    case instanceGone(String)
    /// A request to delete it failed.
    case deleteFailed(String, message: String)
    /// The time of the last ``FleetAction/setTimer(_:)`` has come.
    case timerFired
    /// No more instances are made; those without work are deleted, the others when they have none.
    case draining
    /// The run is over: all instances are deleted, or left to their pool.
    case ended
}

/// A decision of the fleet. Each ``insert(name:zone:model:)`` and ``delete(name:zone:)`` is answered by an event, and
/// so is each name of ``insertBulk(names:zone:model:)``.
enum FleetAction: Equatable, Sendable {
    case insert(name: String, zone: String, model: ProvisioningModel)
    /// Make several, alike but for their names, in one request: as many of them as there is room for.
    case insertBulk(names: [String], zone: String, model: ProvisioningModel)
    /// Log in, and start an engine; to be tried again until that succeeds or the instance is deleted.
    case connect(name: String, zone: String)
    case delete(name: String, zone: String)
    /// Have its engine go as soon as it has no task; ``FleetEvent/engineEnded(_:_:)`` tells when it has.
    case drain(name: String)
    /// Let go of it: it stays for others of its pool.
    case release(name: String, zone: String)
    /// When to say ``FleetEvent/timerFired``, instead of what was said before; nil for not at all.
    case setTimer(Instant?)
    /// No more instances are made. Those that are there go on.
    case giveUp(reason: String)
    /// For the user, in a line.
    case warn(String)
}

/// A fleet's history, for the summary.
struct FleetSummary: Equatable, Sendable {
    /// Instances that ran, those that were found included.
    var instances = 0
    var preempted = 0
    var found = 0
    /// How long instances ran together.
    var spotTime = Duration.zero
    var standardTime = Duration.zero

    mutating func add(_ instance: FleetInstance, until now: Instant) {
        guard let begin = instance.runningSince else { return }
        if instance.model == .spot {
            spotTime += now - begin
        } else {
            standardTime += now - begin
        }
    }

    /// `12 instances, 3 preempted: 4.2 hours (spot 4.0, on demand 0.2)`
    var text: String {
        var parts = [NumberText.count(instances, "instance")]
        if found > 0 { parts.append("\(found) taken over") }
        if preempted > 0 { parts.append("\(preempted) preempted") }
        let times =
            "\(hours(spotTime + standardTime)) hours (spot \(hours(spotTime)), on demand \(hours(standardTime)))"
        return parts.joined(separator: ", ") + ": " + times
    }

    private func hours(_ time: Duration) -> String {
        let hundredths = (time.wholeNanoseconds / 1_000_000_000 + 18) / 36
        let digits = String(hundredths % 100)
        return "\(hundredths / 100).\(digits.utf8.count < 2 ? "0" : "")\(digits)"
    }
}
