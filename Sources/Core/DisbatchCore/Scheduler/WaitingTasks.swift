/// Tasks that were handed out before and wait to be again: constant time to add one, and to take one for an engine
/// that is not the one it stays away from.
struct WaitingTasks: Sendable {
    /// Tasks that may go anywhere.
    private var free = RingBuffer<WaitingTask>()
    /// Tasks that stay away from an engine, and these engines, each once.
    private var avoiding: [EngineID: RingBuffer<WaitingTask>] = [:]
    private var avoided = RingBuffer<EngineID>()
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ task: WaitingTask) {
        count += 1
        guard let engine = task.avoided else { return free.append(task) }
        if avoiding[engine] == nil { avoided.append(engine) }
        avoiding[engine, default: RingBuffer()].append(task)
    }

    /// Puts a task before the others.
    mutating func prepend(_ task: WaitingTask) {
        count += 1
        guard let engine = task.avoided else { return free.prepend(task) }
        if avoiding[engine] == nil { avoided.prepend(engine) }
        avoiding[engine, default: RingBuffer()].prepend(task)
    }

    /// Takes a task that may go to this engine, or to any where it is nil.
    mutating func take(for engine: EngineID?) -> WaitingTask? {
        if let task = free.popFirst() {
            count -= 1
            return task
        }
        for offset in 0..<min(avoided.count, 2) where avoided[offset] != engine {
            let key = avoided.remove(at: offset)
            let task = avoiding[key]?.popFirst()
            if avoiding[key]?.isEmpty == false { avoided.append(key) } else { avoiding[key] = nil }
            count -= 1
            return task
        }
        return nil
    }

    /// Whether a task is among them. (Looks at all.)
    func contains(_ task: TaskID) -> Bool {
        ([free] + avoiding.values).contains { tasks in (0..<tasks.count).contains { tasks[$0].spec.id == task } }
    }

    mutating func removeAll() {
        self = WaitingTasks()
    }
}
