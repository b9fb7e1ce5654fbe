import DisbatchCore

/// A task source that makes its items up as they are asked for.
struct SimulatedTasks {
    private let parameters: SimulationParameters
    private var random: SplitMix64
    private var perEngineMade = 0
    private var tasksMade = 0
    private var nextID = 0
    private var hasEnded = false
    private let command = Array("true".utf8)

    init(_ parameters: SimulationParameters) {
        self.parameters = parameters
        random = SplitMix64(seed: UInt64(truncatingIfNeeded: parameters.seed) ^ 0x7a5c)
    }

    /// Some more items, and the end if it was come to with them.
    mutating func read() -> (items: [TaskItem], end: SourceEnd?) {
        guard !hasEnded else { return ([], nil) }
        let count = random.whole(1...max(1, parameters.batch))
        var items: [TaskItem] = []
        while items.count < count, let item = next() { items.append(item) }
        // That nothing more comes is seen with the last items, or only when asked again.
        guard items.count < count || (tasksMade == parameters.tasks && random.chance(0.5)) else { return (items, nil) }
        hasEnded = true
        return (items, [.complete, .limited, .broken][min(parameters.sourceEnd, 2)])
    }

    private mutating func next() -> TaskItem? {
        if perEngineMade < parameters.startCommands + parameters.stopCommands { return nextPerEngine() }
        guard tasksMade < parameters.tasks else { return nil }
        if random.chance(parameters.barrierRate) { return barrier() }
        if random.chance(parameters.skipRate) {
            let count = random.whole(1...5)
            nextID += count
            return .skipped(count: count, failed: random.chance(parameters.skipFailRate) ? 1 : 0)
        }
        defer {
            tasksMade += 1
            nextID += 1
        }
        return .task(TaskSpec(id: TaskID(nextID), streamIndex: nextID + 1, command: command))
    }

    private mutating func nextPerEngine() -> TaskItem {
        let isStart = perEngineMade < parameters.startCommands
        let number = isStart ? perEngineMade : perEngineMade - parameters.startCommands
        perEngineMade += 1
        return .perEngine(
            PerEngineCommand(
                phase: isStart ? .start : .stop,
                spec: TaskSpec(id: TaskID(number), streamIndex: perEngineMade, command: command)))
    }

    private mutating func barrier() -> TaskItem {
        defer { nextID += 1 }
        return .barrier(
            Barrier(
                id: TaskID(nextID), streamIndex: nextID + 1, checks: random.chance(parameters.checkRate), key: nil,
                line: Array("#DISBATCH BARRIER".utf8)))
    }
}
