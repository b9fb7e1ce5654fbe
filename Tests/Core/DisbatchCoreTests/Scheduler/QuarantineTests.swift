import Testing

@testable import DisbatchCore

@Suite("Scheduler, of an engine that fails everything")
struct QuarantineTests {
    /// Engines of one slot, which take turns: the first fails each of its tasks after `seconds`, the others fail or
    /// succeed. Whether the first is given no more before a hundred have ended.
    private func isQuarantined(limit: Int?, seconds: Double, othersFail: Bool, engines: Int = 2) -> Bool {
        var configuration = SchedulerConfiguration()
        configuration.quarantineAfter = limit
        var scheduler = Scheduler(configuration: configuration)
        var held: [EngineID: [Assignment]] = [:]
        var count = 0
        var warned = false
        func tell(_ event: SchedulerEvent) {
            for action in scheduler.orders(after: event, at: Instant(nanoseconds: 1)) {
                switch action {
                case .assign(let engine, let assignment):
                    held[engine, default: []].append(assignment)
                    if engine == EngineID(0) { count += 1 }
                case .recall(let engine, _): held[engine]?.removeAll()
                case .warn(.quarantined(EngineID(0), node: "n0", failures: limit ?? 0)): warned = true
                default: break
                }
            }
        }
        tell(.contextOpened(ContextID(0), taskLimit: nil))
        tell(.itemsRead(TaskItem.tasks(0...999)))
        for rank in 0..<engines {
            tell(.engineLaunched(EngineID(rank), in: ContextID(0), node: "n\(rank)", leased: false))
            tell(.engineJoined(EngineID(rank), slots: 1, roundTrip: .milliseconds(1)))
        }
        for turn in 0..<100 where !warned {
            let engine = EngineID(turn % engines)
            guard let assignment = held[engine]?.first else { continue }
            held[engine]?.removeFirst()
            let fails = engine == EngineID(0) || othersFail
            let outcome = TaskOutcome(
                pid: 1, returnCode: fails ? 1 : 0, start: Timestamp(microseconds: 0),
                finish: Timestamp(microseconds: Int64(seconds * 1e6)))
            tell(.taskFinished(engine, assignment.id, cylinder: 0, outcome))
        }
        guard warned else { return false }
        let before = count
        for _ in 0..<3 { tell(.timePassed) }
        #expect(count == before, "it is given no more")
        #expect(scheduler.checkInvariants() == nil)
        return true
    }

    @Test("gives it no more tasks after so many at-once failures, while others succeed")
    func quarantined() { #expect(isQuarantined(limit: 10, seconds: 0.2, othersFail: false)) }

    @Test(
        "goes on where that proves nothing",
        arguments: [
            (nil, 0.2, false, 2), (10, 1.5, false, 2), (10, 0.2, true, 2), (10, 0.2, false, 1),
        ] as [(Int?, Double, Bool, Int)])
    func notQuarantined(limit: Int?, seconds: Double, othersFail: Bool, engines: Int) {
        #expect(!isQuarantined(limit: limit, seconds: seconds, othersFail: othersFail, engines: engines))
    }
}
