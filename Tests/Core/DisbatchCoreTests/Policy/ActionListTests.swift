import Testing

@testable import DisbatchCore

@Suite("Actions, from the scheduler and the machine to who performs them")
struct ActionListTests {
    private let engine = EngineID(0)

    private func taken(_ list: inout ActionList) -> [DriverAction] {
        var actions: [DriverAction] = []
        while !list.isEmpty { actions.append(list.removeFirst()) }
        return actions
    }

    @Test("come out in the order in which they were put in, with those that came meanwhile")
    func inOrder() {
        var list = ActionList()
        #expect(list.isEmpty)
        list.order(.readItems)
        list.append(.launch(engine))
        #expect(list.removeFirst() == .tasks(.readItems))
        list.order(.awaitRows)
        #expect(taken(&list) == [.launch(engine), .tasks(.awaitRows)])
        list.append(.forget(engine))
        #expect(taken(&list) == [.forget(engine)])
    }

    @Test(
        "are decided on from the first order on that concerns an engine's life",
        arguments: [SchedulerAction.renewLease(EngineID(0)), .shutDown(EngineID(0)), .abandon(EngineID(0))])
    func ordersOfLife(_ order: SchedulerAction) throws {
        var list = ActionList()
        list.append(.launch(engine))
        #expect(list.removeFirst() == .launch(engine))
        list.order(.readItems)
        #expect(list.takeOrdersOfLife()?.isEmpty == nil, "there is none")
        list.order(order)
        list.order(.awaitRows)
        list.order(.shutDown(EngineID(1)))
        let orders = list.takeOrdersOfLife()
        var undecided = try #require(orders)
        #expect(list.takeOrdersOfLife()?.isEmpty == nil, "they were taken")
        #expect(taken(&list) == [.tasks(.readItems)])
        #expect(taken(&undecided) == [.tasks(order), .tasks(.awaitRows), .tasks(.shutDown(EngineID(1)))])
    }
}
