import DisbatchCore
import Testing

@testable import GCERuntime

/// Instances that are asked for in one request.
struct FleetBulkTests {
    private typealias Course = FleetTests.Course

    private static func names(_ numbers: ClosedRange<Int>) -> [String] {
        numbers.map { CloudNames.name(prefix: "r", serial: $0) }
    }

    private static func bulk(
        _ numbers: ClosedRange<Int>, _ zone: String = "z-a", _ model: ProvisioningModel = .standard
    ) -> FleetAction {
        .insertBulk(names: names(numbers), zone: zone, model: model)
    }

    private func insert(_ number: Int, _ zone: String = "z-a", _ model: ProvisioningModel = .standard) -> FleetAction {
        .insert(name: CloudNames.name(prefix: "r", serial: number), zone: zone, model: model)
    }

    @Test func threeAreAskedForAtOnceTwoAreNot() {
        var course = Course(limit: 5, slots: 1)
        #expect(course.tell(.demandChanged(waiting: 2, outstanding: 0)) == [insert(1), insert(2)])
        #expect(course.tell(.demandChanged(waiting: 5, outstanding: 0)) == [Self.bulk(3...5)])
        #expect(course.tell(.insertAccepted("r-0003")).contains { $0 == insert(6) } == false)
    }

    @Test func requestsAreLimitedInSizeAndNumber() {
        var course = Course(limit: 20, slots: 1) {
            $0.bulkMaximum = 4
            $0.insertsAtOnce = 2
        }
        #expect(
            course.tell(.demandChanged(waiting: 20, outstanding: 0)) == [Self.bulk(1...4), Self.bulk(5...8)])
        // The request is answered when the first of its instances is.
        #expect(course.tell(.insertAccepted("r-0001")).first == Self.bulk(9...12))
    }

    @Test func thoseThatWereNotMadeAreAskedForInTheNextZone() {
        var course = Course(limit: 6, slots: 1, zones: ["z-a", "z-b"])
        _ = course.tell(.demandChanged(waiting: 6, outstanding: 0))
        for name in Self.names(1...2) { _ = course.tell(.insertAccepted(name)) }
        #expect(
            course.tell(
                .bulkFailed(Self.names(3...6), .resourcesExhausted, message: "full", isRefused: false)
            ).first
                == Self.bulk(7...10, "z-b"))
        #expect(course.fleet.instances.count == 6)
        #expect(
            course.tell(.bulkFailed(Self.names(7...10), .resourcesExhausted, message: "full", isRefused: true)) == [
                .warn("none of the 2 zones has room for more instances; trying again later: full"),
                .setTimer(course.at(30)),
            ])
        // One failure, however many were asked for: the pause is the first one.
        #expect(course.tell(.timerFired, after: 30).first == Self.bulk(11...14))
    }

    @Test func fewerMayFitAQuota() {
        var course = Course(limit: 10, slots: 1)
        _ = course.tell(.demandChanged(waiting: 10, outstanding: 0))
        #expect(
            course.tell(.bulkFailed(Self.names(1...10), .quota, message: "CPUS", isRefused: true)) == [
                Self.bulk(11...15), Self.bulk(16...20),
            ])
        for name in Self.names(11...15) { _ = course.tell(.insertAccepted(name)) }
        #expect(
            course.tell(.bulkFailed(Self.names(16...20), .quota, message: "CPUS", isRefused: true)) == [
                insert(21), insert(22), insert(23), insert(24), insert(25),
            ])
        // One that has no room is the end of it.
        for name in Self.names(21...24) { _ = course.tell(.insertAccepted(name)) }
        #expect(
            course.tell(.insertFailed("r-0025", .quota, message: "CPUS")).first
                == .warn("zone z-a has no room for more instances; trying again later: CPUS"))
        #expect(course.fleet.instances.count == 9)
    }

    @Test(arguments: [CloudErrorKind.unsupported, .notFound, .invalid, .permission])
    func whatIsNotOfferedIsAskedForOneByOne(kind: CloudErrorKind) {
        var course = Course(limit: 3, slots: 1)
        _ = course.tell(.demandChanged(waiting: 3, outstanding: 0))
        #expect(
            course.tell(.bulkFailed(Self.names(1...3), kind, message: "no", isRefused: true)) == [
                .warn("3 instances can't be made in z-a at once, and are made one by one: no"),
                insert(4), insert(5), insert(6),
            ])
        // For the rest of the run.
        _ = course.tell(.demandChanged(waiting: 0, outstanding: 0))
        for name in Self.names(4...6) { _ = course.tell(.insertFailed(name, .resourcesExhausted, message: "full")) }
        #expect(course.tell(.demandChanged(waiting: 3, outstanding: 0), after: 60).first == insert(7))
        // What one alone is refused for is final.
        #expect(
            course.tell(.insertFailed("r-0007", kind, message: "no")).first
                == .giveUp(reason: "r-0007 can't be made in z-a: no"))
    }

    @Test func aRequestThatFailsIsOneFailure() {
        var course = Course(limit: 8, slots: 1) { $0.failureLimit = 2 }
        _ = course.tell(.demandChanged(waiting: 8, outstanding: 0))
        let actions = course.tell(.bulkFailed(Self.names(1...8), .transport, message: "no reply", isRefused: true))
        // They may be there.
        #expect(actions.filter { if case .delete = $0 { true } else { false } }.count == 8)
        #expect(!course.fleet.makesNoMore)
        for name in Self.names(1...8) { _ = course.tell(.instanceGone(name)) }
        #expect(course.tell(.timerFired, after: 30).first == Self.bulk(9...16))
        #expect(
            course.tell(.bulkFailed(Self.names(9...16), .server, message: "trouble", isRefused: true)).contains(
                .giveUp(reason: "8 instances can't be made in z-a: trouble (2 failures in a row)")))
    }

    @Test func errorsOfInstancesAreFinal() {
        var course = Course(limit: 3, slots: 1)
        _ = course.tell(.demandChanged(waiting: 3, outstanding: 0))
        #expect(
            course.tell(.bulkFailed(["r-0003"], .invalid, message: "no", isRefused: false)) == [
                .giveUp(reason: "1 instances can't be made in z-a: no")
            ])
    }

    @Test func spotAttemptsCountForEachPlace() {
        var course = Course(limit: 4, slots: 1) {
            $0.wantsSpot = true
            $0.spotAttempts = 1
        }
        #expect(course.tell(.demandChanged(waiting: 4, outstanding: 0)) == [Self.bulk(1...4, "z-a", .spot)])
        for name in Self.names(1...4) { course.bringUp(name) }
        for name in Self.names(1...3) { _ = course.tell(.instancePreempted(name)) }
        // Room for one only at a time: one that is preempted is there until it is gone.
        #expect(course.tell(.instanceGone("r-0001")).contains(insert(5, "z-a", .standard)))
        _ = course.tell(.instanceGone("r-0002"))
        _ = course.tell(.instanceGone("r-0003"))
        #expect(course.fleet.instances.values.count { $0.model == .standard } == 3)
    }

    @Test func preemptionsAreKeptWhereNothingIsMade() {
        var course = Course(limit: 8, slots: 1, zones: ["z-a", "z-b"]) {
            $0.wantsSpot = true
            $0.spotAttempts = 1
        }
        _ = course.tell(.demandChanged(waiting: 4, outstanding: 0))
        for name in Self.names(1...4) { course.bringUp(name) }
        _ = course.tell(.demandChanged(waiting: 0, outstanding: 1))
        for name in Self.names(1...3) { _ = course.tell(.instancePreempted(name)) }
        #expect(course.tell(.demandChanged(waiting: 4, outstanding: 1)).contains(Self.bulk(5...7, "z-a", .standard)))
        let failed = FleetEvent.bulkFailed(
            Self.names(5...7), .resourcesExhausted, message: "full", isRefused: false)
        // The spot instance beside them has its place still.
        #expect(course.fleet.instances["r-0008"]?.model == .spot)
        #expect(course.tell(failed).contains(Self.bulk(9...11, "z-b", .standard)))
    }

    @Test func whatIsWantedNoMoreIsDeletedWhenItIsThere() {
        var course = Course(limit: 4, slots: 1)
        _ = course.tell(.demandChanged(waiting: 4, outstanding: 0))
        // The request is under way.
        #expect(course.tell(.ended) == [])
        #expect(course.tell(.insertAccepted("r-0001")) == [.delete(name: "r-0001", zone: "z-a")])
        #expect(
            course.tell(.bulkFailed(Self.names(2...3), .resourcesExhausted, message: "full", isRefused: false)) == [])
        #expect(
            course.tell(.bulkFailed(["r-0004"], .transport, message: "?", isRefused: false)).contains(
                .delete(name: "r-0004", zone: "z-a")))
        for name in ["r-0001", "r-0004"] { _ = course.tell(.instanceGone(name)) }
        #expect(course.fleet.isEmpty)
    }
}
