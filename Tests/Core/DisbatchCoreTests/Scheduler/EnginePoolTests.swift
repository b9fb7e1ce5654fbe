import Testing

@testable import DisbatchCore

@Suite("Engine pool")
struct EnginePoolTests {
    /// Engines that take tasks, with these slots.
    private func pool(slots: Int...) -> EnginePool {
        var pool = EnginePool()
        for count in slots {
            let engine = EngineID(pool.engines.count)
            let index = pool.add(EngineState(id: engine, context: ContextID(0), node: "n", isLeased: false))
            pool[index].slots = count
            pool.setLife(.active, of: index)
        }
        return pool
    }

    /// Assigns as many tasks to an engine.
    private func assign(_ count: Int, to index: Int, of pool: inout EnginePool, _ table: inout InFlightTable) {
        for _ in 0..<count {
            _ = table.insert(
                WaitingTask(spec: .task(0)), kind: .task, engine: pool[index].id, at: Instant(nanoseconds: 0),
                list: &pool[index].assigned)
        }
        pool.settle(index)
    }

    @Test("gives engines with idle slots their turn, and drops the others")
    func idle() {
        var pool = pool(slots: 1, 2, 1)
        var table = InFlightTable()
        #expect(pool.idleSlots == 4 && pool.acceptingCount == 3 && pool.liveCount == 3)
        assign(1, to: 0, of: &pool, &table)
        #expect(pool.takeIdle(passedOver: 0) == 1)
        pool.putBackIdle(1)
        #expect(pool.takeIdle(passedOver: 1) == 2)
        pool.putBackIdle(2)
        #expect(pool.takeIdle(passedOver: 2) == nil, "all that are left were passed over")
        #expect(pool.checkInvariants() == nil && pool.idleSlots == 3 && pool.looks == 3)
    }

    @Test("lets engines take as many tasks ahead as they soon finish")
    func hungry() {
        var pool = pool(slots: 1, 1)
        var table = InFlightTable()
        pool[1].noteTaskTime(seconds: 0.01)
        for index in 0...1 { assign(1, to: index, of: &pool, &table) }
        #expect(pool.takeHungry(passedOver: 0) == 1)
        pool.putBackHungry(1)
        #expect(pool.checkInvariants() == nil && pool.idleSlots == 0)
    }

    @Test("asks back what waits while slots idle elsewhere, and no more than that")
    func recalls() {
        var pool = pool(slots: 1, 2)
        var table = InFlightTable()
        assign(4, to: 0, of: &pool, &table)
        let first = pool.nextToRecall()
        #expect(first?.index == 0 && first?.count == 2)
        pool.recalled(2, from: 0)
        #expect(pool.nextToRecall() == nil)
        #expect(!pool.hasNothingToRecall && pool.checkInvariants() == nil)
        pool.recallAnswered(by: 0)
        #expect(pool.hasNothingToRecall)
        pool.settle(0)
        #expect(pool.nextToRecall()?.count == 2)
    }

    @Test("expects no answer of an engine that is out of reach")
    func silence() {
        var pool = pool(slots: 1, 2)
        var table = InFlightTable()
        assign(4, to: 0, of: &pool, &table)
        pool.recalled(2, from: 0)
        pool.setHearing(.cutOff, of: 0)
        #expect(pool.recallsPending == 0 && pool.acceptingCount == 1 && pool.liveCount == 2)
        #expect(pool.nextToRecall() == nil)
        #expect(pool.checkInvariants() == nil)
    }

    @Test("remembers engines that have no assignments")
    func rest() {
        var pool = pool(slots: 1, 1)
        #expect(pool.mayHaveIdle)
        #expect(pool.firstAtRest() == 0)
        pool.dropFirstAtRest()
        #expect(pool.firstAtRest() == 1)
        pool.noteAtRest(0)
        pool.noteAtRest(0)
        pool.dropFirstAtRest()
        pool.dropFirstAtRest()
        #expect(pool.firstAtRest() == nil)
        #expect(pool.checkInvariants() == nil)
    }

    @Test("finds its broken invariants")
    func invariants() {
        var pool = pool(slots: 1, 1)
        #expect(pool.checkInvariants() == nil)
        var changed = pool
        changed[0].slots = 2
        #expect(changed.checkInvariants() == "engine 0: 2 slots idle, counted 1")
        changed = pool
        changed[1].life = .leaving
        changed[1].countedIdle = 0
        #expect(changed.checkInvariants() == "1 slots idle, counted 2")
        changed = pool
        changed[1].recallPending = 1
        #expect(changed.checkInvariants() == "1 tasks asked back, counted 0")
        _ = pool.takeIdle(passedOver: 0)
        #expect(pool.checkInvariants() == "2 engines are in the idle ring, which has 1")
    }
}
