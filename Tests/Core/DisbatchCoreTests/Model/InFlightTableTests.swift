import Testing

@testable import DisbatchCore

struct InFlightTableTests {
    /// What the table says, kept in the plainest way: assignments by engine, in order.
    private struct Model {
        var lists: [[(id: AssignmentID, task: Int, started: Bool)]] = [[], [], []]
        var gone: [AssignmentID] = []
        var all: [AssignmentID] { lists.flatMap { $0.map(\.id) } }
    }

    private static func waiting(_ number: Int) -> WaitingTask {
        WaitingTask(spec: TaskSpec(id: TaskID(number), streamIndex: 1, command: []))
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func doesWhatADictionaryDoes(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        var table = InFlightTable()
        var lists = [InFlightList(), InFlightList(), InFlightList()]
        var model = Model()
        for step in 0..<600 {
            let engine = Int.random(in: 0..<3, using: &numbers)
            switch Int.random(in: 0..<5, using: &numbers) {
            case 0, 1:
                let id = table.insert(
                    Self.waiting(step), kind: .task, engine: EngineID(engine), at: Instant(nanoseconds: 0),
                    list: &lists[engine])
                #expect(!model.all.contains(id) && !model.gone.contains(id), "an id must never come again")
                model.lists[engine].append((id, step, false))
            case 2 where !model.lists[engine].isEmpty:
                let place = Int.random(in: 0..<model.lists[engine].count, using: &numbers)
                let (id, task, started) = model.lists[engine].remove(at: place)
                let removed = table.remove(id, list: &lists[engine])
                #expect(removed?.task.spec.id == TaskID(task) && removed?.hasStarted == started)
                model.gone.append(id)
            case 3 where !model.lists[engine].isEmpty:
                let place = Int.random(in: 0..<model.lists[engine].count, using: &numbers)
                model.lists[engine][place].started = true
                table.markStarted(model.lists[engine][place].id)
            default:
                guard let late = model.gone.randomElement(using: &numbers) else { continue }
                #expect(table[late] == nil && table.remove(late, list: &lists[engine]) == nil)
                table.markStarted(late)
            }
            Self.expect(table, lists, toBe: model, "seed \(seed), step \(step)")
        }
    }

    private static func expect(_ table: InFlightTable, _ lists: [InFlightList], toBe model: Model, _ place: Comment) {
        #expect(table.count == model.all.count, place)
        for engine in 0..<3 {
            let found = table.assignments(in: lists[engine])
            #expect(lists[engine].count == model.lists[engine].count, place)
            #expect(found.map(\.id) == model.lists[engine].map(\.id), place)
            #expect(found.map(\.task.spec.id.rawValue) == model.lists[engine].map(\.task), place)
            #expect(found.map(\.hasStarted) == model.lists[engine].map(\.started), place)
            #expect(found.allSatisfy { $0.engine == EngineID(engine) && table[$0.id] == $0 }, place)
        }
    }

    @Test(arguments: [0, 1, .max, 0xffff_ffff, 1 << 32] as [UInt64])
    func idsThatNeverWereAreNotThere(raw: UInt64) {
        #expect(InFlightTable()[AssignmentID(raw)] == nil)
    }
}
