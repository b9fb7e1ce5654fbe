import Testing

@testable import DisbatchCore

@Suite("Engine stages")
struct EngineStageTests {
    private static let instant = Instant(nanoseconds: 0)
    private static let all: [EngineStage] = [
        .waiting, .connecting, .greeting(due: instant), .configuring(since: instant), .holding, .working, .leaving,
        .abandoned, .refused, .silent, .gone,
    ]

    @Test("an engine is on its way from its launch until it has said what it is")
    func onItsWay() { #expect(Self.all.filter(\.isOnItsWay) == [.connecting, .greeting(due: Self.instant)]) }

    @Test("an engine is over when its channel and what carried it have ended")
    func over() { #expect(Self.all.filter(\.isOver) == [.silent, .gone]) }

    @Test("an engine may have tasks from its joining on, unless it was told to go")
    func tasks() { #expect(Self.all.filter(\.mayHaveTasks) == [.working, .abandoned]) }
}
