import Testing

@testable import DisbatchCore

@Suite("Lost steps")
struct LostStepsTests {
    private let start = Instant(nanoseconds: 0)
    private let engine = EngineID(3)

    private func asked(until end: Duration = .seconds(60)) -> LostSteps {
        var steps = LostSteps()
        steps.add(engine, until: start + end, at: start)
        #expect(steps.nextDeadline == start)
        #expect(steps.takeQuestions(at: start) == [engine])
        #expect(steps.takeQuestions(at: start + .seconds(5)) == [], "while the answer is awaited")
        #expect(steps.nextDeadline == .distantFuture)
        return steps
    }

    @Test("are asked of until they are no more: soon where they were there, in a while without an answer")
    func again() {
        var steps = asked()
        var isGone = steps.answered(engine, ManagerAnswer(status: LostSteps.stillThere, text: ""), at: start)
        #expect(!isGone && steps.nextDeadline == start + .milliseconds(500))
        #expect(steps.takeQuestions(at: start + .seconds(1)) == [engine])
        isGone = steps.answered(engine, ManagerAnswer(status: nil, text: "no squeue"), at: start + .seconds(1))
        #expect(!isGone && steps.nextDeadline == start + .seconds(11))
        #expect(steps.takeQuestions(at: start + .seconds(11)) == [engine])
        isGone = steps.answered(engine, ManagerAnswer(status: 0, text: ""), at: start + .seconds(12))
        #expect(isGone && steps.nextDeadline == .distantFuture)
    }

    @Test("are not asked of when their lease is over")
    func end() {
        var steps = asked(until: .seconds(5))
        _ = steps.answered(engine, ManagerAnswer(status: LostSteps.stillThere, text: ""), at: start + .seconds(4))
        #expect(steps.takeQuestions(at: start + .seconds(5)) == [])
        #expect(steps.nextDeadline == .distantFuture)
    }

    @Test("take no answer about a step that nobody asked of")
    func stranger() {
        var steps = asked()
        let isGone = steps.answered(EngineID(4), ManagerAnswer(status: 0, text: ""), at: start)
        #expect(!isGone)
    }

    @Test("know a command's context")
    func purposes() {
        let context = ContextID(2)
        let purposes: [CommandPurpose] = [
            .allocationEnd(context), .lostStep(context, engine), .retirement(context, nodes: "a"),
        ]
        #expect(purposes.allSatisfy { $0.context == context })
    }
}
