import DisbatchCore
import Testing

@testable import GCERuntime

/// Fleets through courses of events, with exactly what they ask for.
struct FleetTests {
    /// A fleet with a clock that tests turn.
    struct Course {
        var fleet: Fleet
        var now = Instant(nanoseconds: 0)

        init(limit: Int = 2, slots: Int = 4, zones: [String] = ["z-a"], _ change: (inout FleetRules) -> Void = { _ in })
        {
            var rules = FleetRules(limit: limit, slotsPerInstance: slots, zones: zones, namePrefix: "r")
            change(&rules)
            fleet = Fleet(rules: rules)
        }

        mutating func tell(_ event: FleetEvent, after seconds: Int = 0) -> [FleetAction] {
            now = now + .seconds(seconds)
            var actions: [FleetAction] = []
            fleet.handle(event, at: now, into: &actions)
            return actions
        }

        /// All that a machine takes until it has tasks.
        mutating func bringUp(_ name: String) {
            for event: FleetEvent in [
                .insertAccepted(name), .instanceRunning(name), .engineReady(name), .instanceBusy(name),
            ] {
                _ = tell(event)
            }
        }

        func at(_ seconds: Int) -> Instant { Instant(nanoseconds: Int64(seconds) * 1_000_000_000) }
    }

    @Test func makesOneRunsItDeletesIt() {
        var course = Course()
        #expect(
            course.tell(.demandChanged(waiting: 3, outstanding: 0)) == [
                .insert(name: "r-0001", zone: "z-a", model: .standard)
            ])
        #expect(course.tell(.insertAccepted("r-0001"), after: 1) == [.setTimer(course.at(601))])
        #expect(
            course.tell(.instanceRunning("r-0001"), after: 9) == [
                .connect(name: "r-0001", zone: "z-a"), .setTimer(course.at(610)),
            ])
        #expect(course.tell(.engineReady("r-0001"), after: 10) == [.setTimer(nil)])
        #expect(course.tell(.instanceBusy("r-0001")) == [])
        #expect(course.tell(.demandChanged(waiting: 0, outstanding: 3)) == [])
        #expect(course.tell(.demandChanged(waiting: 0, outstanding: 0), after: 3600) == [])
        #expect(course.tell(.instanceIdle("r-0001")) == [.delete(name: "r-0001", zone: "z-a")])
        #expect(course.fleet.isEmpty == false)
        #expect(course.tell(.instanceGone("r-0001"), after: 30) == [])
        #expect(course.fleet.isEmpty)
        #expect(course.fleet.summary(at: course.now).text == "1 instance: 1.01 hours (spot 0.00, on demand 1.01)")
    }

    @Test(arguments: [
        (0, 0, 0), (1, 0, 1), (4, 0, 1), (5, 0, 2), (3, 2, 2), (0, 4, 1), (100, 0, 3), (Int.max, 7, 3), (Int.max, 0, 3),
    ])
    func asManyAsTasksCanFill(waiting: Int, outstanding: Int, expected: Int) {
        var course = Course(limit: 3)
        _ = course.tell(.demandChanged(waiting: waiting, outstanding: outstanding))
        #expect(course.fleet.instances.count == expected)
        #expect(course.fleet.wanted == expected)
    }

    @Test func insertsAreLimitedAtOnce() {
        var course = Course(limit: 10, slots: 1) {
            $0.insertsAtOnce = 2
            $0.bulkMaximum = 1
        }
        #expect(course.tell(.demandChanged(waiting: 10, outstanding: 0)).count == 2)
        #expect(
            course.tell(.insertAccepted("r-0001")) == [
                .insert(name: "r-0003", zone: "z-a", model: .standard), .setTimer(course.at(600)),
            ])
    }

    @Test func exhaustedZonesAreLeftAloneForLongerAndLonger() {
        var course = Course(limit: 1, zones: ["z-a", "z-b"])
        _ = course.tell(.demandChanged(waiting: 1, outstanding: 0))
        #expect(
            course.tell(.insertFailed("r-0001", .resourcesExhausted, message: "full")) == [
                .insert(name: "r-0002", zone: "z-b", model: .standard)
            ])
        #expect(
            course.tell(.insertFailed("r-0002", .resourcesExhausted, message: "full"), after: 10) == [
                .warn("none of the 2 zones has room for more instances; trying again later: full"),
                .setTimer(course.at(30)),
            ])
        #expect(
            course.tell(.timerFired, after: 20)
                == [.insert(name: "r-0003", zone: "z-a", model: .standard)])
        // The second time it is a minute.
        #expect(
            course.tell(.insertFailed("r-0003", .resourcesExhausted, message: "full")) == [.setTimer(course.at(40))])
        #expect(course.tell(.timerFired, after: 10) == [.insert(name: "r-0004", zone: "z-b", model: .standard)])
        #expect(
            course.tell(.insertFailed("r-0004", .resourcesExhausted, message: "full")) == [.setTimer(course.at(90))])
    }

    @Test func quotaIsTheWholeRegions() {
        var course = Course(limit: 1, zones: ["u-a", "u-b", "v-a"])
        _ = course.tell(.demandChanged(waiting: 1, outstanding: 0))
        #expect(
            course.tell(.insertFailed("r-0001", .quota, message: "CPUS")) == [
                .insert(name: "r-0002", zone: "v-a", model: .standard)
            ])
    }

    @Test func failuresAskedForTogetherCountOnce() {
        var course = Course(limit: 3, slots: 1) { $0.bulkMaximum = 1 }
        _ = course.tell(.demandChanged(waiting: 3, outstanding: 0))
        for name in ["r-0001", "r-0002", "r-0003"] {
            _ = course.tell(.insertFailed(name, .resourcesExhausted, message: "full"))
        }
        #expect(course.tell(.timerFired, after: 30).first == .insert(name: "r-0004", zone: "z-a", model: .standard))
    }

    @Test(arguments: [CloudErrorKind.permission, .invalid, .notFound, .credentials])
    func otherErrorsAreFinal(kind: CloudErrorKind) {
        var course = Course()
        _ = course.tell(.demandChanged(waiting: 8, outstanding: 0))
        #expect(
            course.tell(.insertFailed("r-0001", kind, message: "no")) == [
                .giveUp(reason: "r-0001 can't be made in z-a: no")
            ])
        #expect(course.tell(.insertFailed("r-0002", kind, message: "no")) == [])
        #expect(course.fleet.isEmpty && course.fleet.makesNoMore)
    }

    @Test func whatMayExistIsDeleted() {
        var course = Course(limit: 1)
        _ = course.tell(.demandChanged(waiting: 1, outstanding: 0))
        #expect(
            course.tell(.insertFailed("r-0001", .transport, message: "no reply")).contains(
                .delete(name: "r-0001", zone: "z-a")))
        // The limit holds for it until it is known to be gone.
        #expect(course.tell(.timerFired, after: 30) == [])
        #expect(course.tell(.instanceGone("r-0001")) == [.insert(name: "r-0002", zone: "z-a", model: .standard)])
    }

    @Test func failuresInARowAreTheEnd() {
        var course = Course(limit: 1) { $0.failureLimit = 2 }
        _ = course.tell(.demandChanged(waiting: 1, outstanding: 0))
        _ = course.tell(.insertFailed("r-0001", .rateLimited, message: "slow"))
        _ = course.tell(.timerFired, after: 30)
        #expect(
            course.tell(.insertFailed("r-0002", .rateLimited, message: "slow")).last
                == .giveUp(reason: "r-0002 can't be made: slow (2 failures in a row)"))
    }

    @Test func preemptedOnesAreReplacedAtLastByOthers() {
        var course = Course(limit: 1) { $0.wantsSpot = true }
        _ = course.tell(.demandChanged(waiting: 4, outstanding: 0))
        for (name, next, model) in [
            ("r-0001", "r-0002", ProvisioningModel.spot), ("r-0002", "r-0003", .standard),
            ("r-0003", "r-0004", .standard),
        ] {
            course.bringUp(name)
            #expect(course.tell(.instancePreempted(name)) == [.setTimer(course.now + .seconds(90))])
            #expect(
                course.tell(.instanceGone(name), after: 40) == [
                    .insert(name: next, zone: "z-a", model: model), .setTimer(nil),
                ])
        }
        #expect(course.fleet.summary(at: course.now).preempted == 3)
    }

    @Test func aPreemptedOneThatStaysIsDeleted() {
        var course = Course(limit: 1)
        _ = course.tell(.demandChanged(waiting: 4, outstanding: 0))
        course.bringUp("r-0001")
        _ = course.tell(.instancePreempted("r-0001"))
        #expect(
            course.tell(.timerFired, after: 90)
                == [.delete(name: "r-0001", zone: "z-a")])
    }

    @Test func thoseThatAreShutDownAreDeletedAndReplaced() {
        var course = Course(limit: 1) {
            $0.wantsSpot = true
            $0.spotAttempts = 1
        }
        _ = course.tell(.demandChanged(waiting: 4, outstanding: 0))
        course.bringUp("r-0001")
        #expect(course.tell(.instanceStopped("r-0001")) == [.delete(name: "r-0001", zone: "z-a")])
        #expect(
            course.tell(.instanceGone("r-0001")) == [.insert(name: "r-0002", zone: "z-a", model: .standard)])
    }

    @Test func thoseThatGoBeforeTheyWorkAreFailures() {
        var course = Course(limit: 1) { $0.failureLimit = 2 }
        _ = course.tell(.demandChanged(waiting: 4, outstanding: 0))
        _ = course.tell(.insertAccepted("r-0001"))
        #expect(course.tell(.instanceGone("r-0001")).first == .insert(name: "r-0002", zone: "z-a", model: .standard))
        _ = course.tell(.insertAccepted("r-0002"))
        #expect(
            course.tell(.instanceStopped("r-0002")).contains(
                .giveUp(reason: "r-0002 was shut down before it had an engine (2 failures in a row)")))
        _ = course.tell(.instanceGone("r-0002"))
        #expect(course.fleet.isEmpty)
    }

    @Test func idleOnesLinger() {
        var course = Course(limit: 2) { $0.linger = .seconds(60) }
        _ = course.tell(.demandChanged(waiting: 8, outstanding: 0))
        course.bringUp("r-0001")
        course.bringUp("r-0002")
        _ = course.tell(.demandChanged(waiting: 0, outstanding: 4))
        #expect(course.tell(.instanceIdle("r-0002"), after: 5) == [.setTimer(course.at(65))])
        // Work comes, and it stays.
        #expect(course.tell(.demandChanged(waiting: 4, outstanding: 4), after: 30) == [.setTimer(nil)])
        _ = course.tell(.instanceBusy("r-0002"))
        _ = course.tell(.demandChanged(waiting: 0, outstanding: 4))
        #expect(course.tell(.instanceIdle("r-0002"), after: 10) == [.setTimer(course.now + .seconds(60))])
        #expect(course.tell(.timerFired, after: 60) == [.delete(name: "r-0002", zone: "z-a")])
    }

    @Test func whatIsWantedNoMoreIsDeletedBeforeItRuns() {
        var course = Course(limit: 3, slots: 1)
        _ = course.tell(.demandChanged(waiting: 3, outstanding: 0))
        _ = course.tell(.insertAccepted("r-0001"))
        _ = course.tell(.insertAccepted("r-0002"))
        // The last one's request is under way: it is deleted when that is answered.
        #expect(course.tell(.demandChanged(waiting: 1, outstanding: 0)) == [.delete(name: "r-0002", zone: "z-a")])
        #expect(course.tell(.insertAccepted("r-0003")) == [.delete(name: "r-0003", zone: "z-a")])
    }

    @Test func enginesThatFailGetAnotherWay() {
        var course = Course(limit: 1)
        _ = course.tell(.demandChanged(waiting: 4, outstanding: 0))
        course.bringUp("r-0001")
        #expect(
            course.tell(.engineFailed("r-0001", message: "cut")) == [
                .connect(name: "r-0001", zone: "z-a"), .setTimer(course.at(600)),
            ])
        #expect(
            course.tell(.timerFired, after: 600) == [
                .warn("r-0001: it can't be connected to within 600.0 seconds"), .delete(name: "r-0001", zone: "z-a"),
            ])
    }

    @Test func deletionsAreTriedAgain() {
        var course = Course(limit: 1)
        _ = course.tell(.demandChanged(waiting: 4, outstanding: 0))
        course.bringUp("r-0001")
        _ = course.tell(.ended)
        #expect(
            course.tell(.deleteFailed("r-0001", message: "no reply")) == [
                .warn(
                    "r-0001 can't be deleted, and is tried again: no reply\n"
                        + "by hand: gcloud compute instances delete r-0001 --zone z-a"),
                .setTimer(course.at(30)),
            ])
        #expect(course.tell(.timerFired, after: 30) == [.delete(name: "r-0001", zone: "z-a")])
        #expect(course.tell(.deleteFailed("r-0001", message: "no reply")) == [.setTimer(course.at(90))])
    }

    @Test func drainingKeepsWhatWorks() {
        var course = Course(limit: 3, slots: 1)
        _ = course.tell(.demandChanged(waiting: 9, outstanding: 0))
        course.bringUp("r-0001")
        course.bringUp("r-0002")
        _ = course.tell(.instanceIdle("r-0002"))
        #expect(course.tell(.draining) == [.delete(name: "r-0002", zone: "z-a")])
        #expect(course.tell(.insertAccepted("r-0003")) == [.delete(name: "r-0003", zone: "z-a")])
        #expect(course.tell(.instanceIdle("r-0001")) == [.delete(name: "r-0001", zone: "z-a")])
    }

    @Test func theEndDeletesAll() {
        var course = Course(limit: 3, slots: 1)
        _ = course.tell(.demandChanged(waiting: 9, outstanding: 0))
        course.bringUp("r-0001")
        _ = course.tell(.insertAccepted("r-0002"))
        #expect(
            course.tell(.ended).filter { $0 != .setTimer(nil) } == [
                .delete(name: "r-0001", zone: "z-a"), .delete(name: "r-0002", zone: "z-a"),
            ])
        #expect(course.tell(.insertAccepted("r-0003")) == [.delete(name: "r-0003", zone: "z-a")])
        #expect(course.tell(.demandChanged(waiting: 9, outstanding: 0)) == [])
    }

    // MARK: Engines

    /// A fleet of one instance with an engine that is ready and has tasks.
    func withEngine(_ change: (inout FleetRules) -> Void = { _ in }) -> Course {
        var course = Course(limit: 1, change)
        _ = course.tell(.demandChanged(waiting: 4, outstanding: 0))
        for event: FleetEvent in [
            .insertAccepted("r-0001"), .instanceRunning("r-0001"), .engineLaunched("r-0001"), .engineReady("r-0001"),
            .instanceBusy("r-0001"),
        ] {
            _ = course.tell(event)
        }
        return course
    }

    @Test(arguments: [EngineDeparture.inOrder, .givenUp, .failed(reason: "cut")])
    func anEngineGoesBeforeItsInstance(departure: EngineDeparture) {
        var course = withEngine()
        _ = course.tell(.demandChanged(waiting: 0, outstanding: 0))
        #expect(course.tell(.instanceIdle("r-0001")) == [.drain(name: "r-0001")])
        #expect(course.tell(.timerFired, after: 600) == [])
        #expect(course.tell(.engineEnded("r-0001", departure)) == [.delete(name: "r-0001", zone: "z-a")])
        #expect(course.tell(.instanceGone("r-0001")) == [])
    }

    @Test func theEndWaitsForNoEngine() {
        var course = withEngine()
        _ = course.tell(.demandChanged(waiting: 0, outstanding: 0))
        _ = course.tell(.instanceIdle("r-0001"))
        #expect(course.tell(.ended) == [.delete(name: "r-0001", zone: "z-a")])
        #expect(course.tell(.engineEnded("r-0001", .inOrder)) == [])
    }

    @Test func aPreemptedOnesEngineGoesAtOnce() {
        var course = withEngine()
        #expect(
            course.tell(.instancePreempted("r-0001")) == [
                .drain(name: "r-0001"), .setTimer(course.now + .seconds(90)),
            ])
        #expect(course.tell(.engineEnded("r-0001", .inOrder)) == [])
        #expect(course.tell(.timerFired, after: 90) == [.delete(name: "r-0001", zone: "z-a")])
    }

    @Test func oneWhoseEngineWasSentAwayIsDeletedUnlessTheRunEnds() {
        var course = withEngine()
        #expect(course.tell(.engineEnded("r-0001", .inOrder)) == [.setTimer(course.now + .seconds(1))])
        #expect(course.tell(.timerFired, after: 1) == [.delete(name: "r-0001", zone: "z-a")])
        course = withEngine { $0.staysInPool = true }
        #expect(course.tell(.engineEnded("r-0001", .inOrder)) == [.setTimer(course.now + .seconds(1))])
        #expect(course.tell(.ended) == [.release(name: "r-0001", zone: "z-a"), .setTimer(nil)])
    }

    @Test func whatMayStillRunSomethingIsNotForOthers() {
        var course = withEngine { $0.staysInPool = true }
        #expect(course.tell(.ended) == [.delete(name: "r-0001", zone: "z-a")])
        course = withEngine { $0.staysInPool = true }
        #expect(
            course.tell(.engineEnded("r-0001", .failed(reason: "cut"))).first
                == .connect(name: "r-0001", zone: "z-a"))
        for event: FleetEvent in [.engineLaunched("r-0001"), .engineReady("r-0001"), .engineEnded("r-0001", .inOrder)] {
            _ = course.tell(event)
        }
        #expect(course.tell(.ended).first == .delete(name: "r-0001", zone: "z-a"))
    }

    @Test func whereTheKeyMayNotHaveComeItIsTriedAgain() {
        var course = Course(limit: 1, slots: 1) { $0.staysInPool = true }
        _ = course.tell(.instanceFound("old-0001", zone: "z-a", model: .standard))
        _ = course.tell(.demandChanged(waiting: 1, outstanding: 0))
        _ = course.tell(.instanceRunning("old-0001"))
        for seconds in [0, 10, 40] {
            _ = course.tell(.engineLaunched("old-0001"), after: seconds)
            let due = course.now + .seconds(1)
            #expect(course.tell(.engineEnded("old-0001", .failed(reason: "denied"))) == [.setTimer(due)])
            #expect(course.tell(.timerFired, after: 1).first == .connect(name: "old-0001", zone: "z-a"))
        }
        _ = course.tell(.engineLaunched("old-0001"), after: 10)
        #expect(
            course.tell(.engineEnded("old-0001", .failed(reason: "denied"))).prefix(2) == [
                .warn("old-0001: no engine: denied"), .delete(name: "old-0001", zone: "z-a"),
            ])
    }

    @Test func poolsAreTakenFromAndLeftTo() {
        var course = Course(limit: 2, slots: 1) { $0.staysInPool = true }
        #expect(course.tell(.instanceFound("old-0001", zone: "z-a", model: .spot)) == [.setTimer(course.at(600))])
        #expect(
            course.tell(.demandChanged(waiting: 5, outstanding: 0)) == [
                .insert(name: "r-0001", zone: "z-a", model: .standard)
            ])
        #expect(
            course.tell(.instanceRunning("old-0001"))
                == [.connect(name: "old-0001", zone: "z-a")])
        course = Course(limit: 1, slots: 1) { $0.staysInPool = true }
        #expect(course.tell(.demandChanged(waiting: 5, outstanding: 0)).count == 1)
        // There is no place for one more; it is not the fleet's.
        #expect(course.tell(.instanceFound("old-0001", zone: "z-a", model: .spot)) == [])
        course.bringUp("r-0001")
        #expect(course.tell(.ended) == [.release(name: "r-0001", zone: "z-a")])
        #expect(course.fleet.isEmpty)
    }
}
