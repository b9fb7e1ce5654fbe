import Testing

@testable import DisbatchCore

@Suite("Suspect exits")
struct SuspectExitsTests {
    private let start = Instant(nanoseconds: 0)

    private func exit(_ task: UInt64, on engine: Int) -> TaskExit {
        TaskExit(engine: EngineID(engine), assignment: AssignmentID(task), cylinder: 0, outcome: .ended(-15))
    }

    @Test(
        "are those by the signals that managers end jobs with, a shell's word of them too",
        arguments: [-15, -10, -12, -9, 143, 138, 140, 137])
    func suspect(code: Int32) {
        #expect(SuspectExits.isSuspect(.ended(code)))
        #expect(!SuspectExits.isSuspect(.ended(code, .stopped)), "the run's own doing")
        #expect(!SuspectExits.isSuspect(.ended(code, .killed)), "the user's own doing")
    }

    @Test("are no others", arguments: [0, 1, 2, -2, -11, 124, 130, 139])
    func ordinary(code: Int32) { #expect(!SuspectExits.isSuspect(.ended(code))) }

    @Test("are results after a second without any word")
    func results() {
        var exits = SuspectExits()
        #expect(exits.nextDeadline == .distantFuture)
        exits.add(exit(1, on: 0), at: start)
        exits.add(exit(2, on: 1), at: start + .milliseconds(400))
        #expect(exits.nextDeadline == start + .seconds(1))
        #expect(exits.takeResults(at: start + .milliseconds(999)) == [])
        #expect(exits.takeResults(at: start + .seconds(1)) == [exit(1, on: 0)])
        #expect(exits.takeResults(at: start + .seconds(2)) == [exit(2, on: 1)])
        #expect(exits.nextDeadline == .distantFuture)
    }

    @Test("are stops where their engine was signalled, or all may have been")
    func stops() {
        var exits = SuspectExits()
        for (task, engine) in [(1, 0), (2, 1), (3, 0), (4, 2)] { exits.add(exit(UInt64(task), on: engine), at: start) }
        let ofOne = exits.takeStops(of: EngineID(0))
        #expect(ofOne == [SuspectExits.stopped(exit(1, on: 0)), SuspectExits.stopped(exit(3, on: 0))])
        #expect(ofOne.allSatisfy { $0.outcome.ending == .stopped && $0.outcome.returnCode == -15 })
        #expect(exits.takeStops(of: EngineID(0)) == [])
        #expect(exits.takeStops(of: nil).map(\.assignment) == [AssignmentID(2), AssignmentID(4)])
        #expect(exits.takeResults(at: start + .seconds(9)) == [])
    }

    @Test("wait anew after the driver stood still")
    func restart() {
        var exits = SuspectExits()
        exits.add(exit(1, on: 0), at: start)
        exits.restart(at: start + .seconds(50))
        #expect(exits.takeResults(at: start + .seconds(50)) == [])
        #expect(exits.nextDeadline == start + .seconds(51))
    }
}
