import Testing

@testable import DisbatchCore

@Suite("Waiting tasks")
struct WaitingTasksTests {
    private func task(_ number: Int, avoiding engine: Int? = nil) -> WaitingTask {
        WaitingTask(spec: .task(number), avoided: engine.map { EngineID($0) })
    }

    private func drain(_ tasks: inout WaitingTasks, for engine: EngineID?) -> [Int] {
        var numbers: [Int] = []
        while let task = tasks.take(for: engine) { numbers.append(task.spec.id.rawValue) }
        return numbers
    }

    @Test("come out in order, those that may go anywhere first")
    func order() {
        var tasks = WaitingTasks()
        tasks.append(task(1, avoiding: 0))
        tasks.append(task(2))
        tasks.append(task(3))
        tasks.prepend(task(4))
        #expect(tasks.count == 4)
        #expect(drain(&tasks, for: nil) == [4, 2, 3, 1])
        #expect(tasks.isEmpty)
    }

    @Test("stay away from the engine that they avoid, and only from that")
    func avoidance() {
        var tasks = WaitingTasks()
        for number in 0..<6 { tasks.append(task(number, avoiding: number % 3)) }
        tasks.prepend(task(6, avoiding: 1))
        #expect(drain(&tasks, for: EngineID(1)).sorted() == [0, 2, 3, 5])
        #expect(tasks.count == 3)
        #expect(tasks.take(for: EngineID(1)) == nil)
        #expect(drain(&tasks, for: EngineID(0)) == [6, 1, 4])
    }

    @Test("of all engines have their turn")
    func turns() {
        var tasks = WaitingTasks()
        for number in 0..<4 { tasks.append(task(number, avoiding: 0)) }
        tasks.append(task(4, avoiding: 1))
        #expect(tasks.take(for: nil)?.spec.id == TaskID(0))
        #expect(tasks.take(for: nil)?.spec.id == TaskID(4))
        #expect(drain(&tasks, for: nil) == [1, 2, 3])
    }

    @Test("can be dropped")
    func removeAll() {
        var tasks = WaitingTasks()
        tasks.append(task(0))
        tasks.append(task(1, avoiding: 0))
        tasks.removeAll()
        #expect(tasks.isEmpty)
        #expect(tasks.take(for: nil) == nil)
    }
}
