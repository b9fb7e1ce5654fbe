import Testing

@testable import DisbatchCore

@Suite("Task queue")
struct TaskQueueTests {
    private let now = Instant(nanoseconds: 5)

    private func barrier(_ number: Int, checks: Bool = false) -> Barrier {
        Barrier(id: TaskID(number), streamIndex: number, checks: checks, key: nil, line: [])
    }

    private func queue(_ items: TaskItem...) -> TaskQueue {
        var queue = TaskQueue()
        queue.append(items)
        return queue
    }

    private func drain(_ queue: inout TaskQueue) -> [Int] {
        var numbers: [Int] = []
        while let task = queue.take(for: nil) { numbers.append(task.spec.id.rawValue) }
        return numbers
    }

    @Test("asks for items once at a time, while few wait and the source has more")
    func reading() {
        var queue = TaskQueue()
        var requests = [queue.requestsItems(below: 2), queue.requestsItems(below: 2)]
        queue.append([.task(.task(0)), .task(.task(1))])
        requests += [queue.requestsItems(below: 2), queue.requestsItems(below: 3)]
        queue.endSource(.complete)
        requests.append(queue.requestsItems(below: 3))
        #expect(requests == [true, false, false, true, false])
    }

    @Test("hands out tasks that come back before new ones")
    func order() {
        var queue = queue(.task(.task(0)), .task(.task(1)))
        queue.retry(WaitingTask(spec: .task(2)))
        queue.retry(WaitingTask(spec: .task(3)))
        queue.prepend([WaitingTask(spec: .task(4)), WaitingTask(spec: .task(5))])
        #expect(queue.hasTask && queue.startableCount == nil)
        queue.endSource(.complete)
        #expect(queue.startableCount == 6 && !queue.isExhausted && queue.hasTasksLeft)
        #expect(drain(&queue) == [4, 5, 2, 3, 0, 1])
        #expect(queue.isExhausted && !queue.hasTasksLeft)
    }

    @Test("holds tasks back behind a barrier until the rows before it are written")
    func barriers() {
        var queue = queue(.task(.task(0)), .barrier(barrier(1)), .task(.task(2)))
        #expect(queue.digestHead(at: now) == nil, "a task is at the head")
        #expect(drain(&queue) == [0])
        #expect(queue.hasUndigestedHead)
        #expect(queue.digestHead(at: now) == .barrier(barrier(1)))
        #expect(queue.digestHead(at: now) == nil)
        #expect(!queue.hasTask && !queue.hasUndigestedHead)
        var begins = [queue.beginsAwaitingRows(assignedTasks: 1)]
        #expect(queue.passBarrier() == nil)
        queue.retry(WaitingTask(spec: .task(0)))
        begins.append(queue.beginsAwaitingRows(assignedTasks: 0))
        #expect(queue.startableCount == 1)
        #expect(drain(&queue) == [0])
        for _ in 0..<2 { begins.append(queue.beginsAwaitingRows(assignedTasks: 0)) }
        #expect(begins == [false, false, true, false])
        #expect(queue.checkInvariants(isRunning: true) == nil)
        #expect(queue.passBarrier()?.pending.reached == now)
        #expect(drain(&queue) == [2])
    }

    @Test("lets a CHECK fail for what failed since the barrier before it")
    func checks() {
        var queue = queue(.barrier(barrier(0)), .skipped(count: 2, failed: 1), .barrier(barrier(3, checks: true)))
        queue.append([.barrier(barrier(4, checks: true))])
        queue.taskEnded(failed: true)
        var failed: [Bool] = []
        while queue.digestHead(at: now) != nil || queue.beginsAwaitingRows(assignedTasks: 0) {
            if let (_, checkFailed) = queue.passBarrier() { failed.append(checkFailed) }
        }
        #expect(failed == [false, true, false])
    }

    @Test("knows all per-engine commands when another item comes, or the source ends")
    func commands() {
        let start = PerEngineCommand(phase: .start, spec: .task(0))
        let stop = PerEngineCommand(phase: .stop, spec: .task(0))
        var queue = queue(.perEngine(start), .perEngine(stop))
        while queue.digestHead(at: now) != nil {}
        #expect(queue.startCommands == [start.spec] && queue.stopCommands == [stop.spec] && !queue.commandsAreKnown)
        var ended = queue
        ended.endSource(.complete)
        #expect(ended.digestHead(at: now) == nil)
        #expect(ended.commandsAreKnown)
        queue.append([.task(.task(0))])
        #expect(queue.digestHead(at: now) == nil)
        #expect(queue.commandsAreKnown)
    }

    @Test("knows which tasks wait, and drops those that come back")
    func standing() {
        var queue = queue(.task(.task(0)), .task(.task(1)))
        queue.retry(WaitingTask(spec: .task(0)))
        #expect(queue.contains(TaskID(0)) && queue.contains(TaskID(1)) && !queue.contains(TaskID(2)))
        #expect(queue.hasRead(TaskID(1)) && !queue.hasRead(TaskID(2)))
        queue.dropReturning()
        queue.noteDropped()
        #expect(queue.droppedTasks == 2)
        #expect(drain(&queue) == [0, 1])
    }

    @Test("finds its broken invariants")
    func invariants() {
        var queue = queue(.skipped(count: 1, failed: 0), .task(.task(1)))
        #expect(queue.checkInvariants(isRunning: true) == "an item that is no task was left at the head")
        #expect(queue.checkInvariants(isRunning: false) == nil)
        _ = queue.digestHead(at: now)
        #expect(queue.checkInvariants(isRunning: true) == nil)
        queue.append([.barrier(barrier(2))])
        _ = drain(&queue)
        _ = queue.digestHead(at: now)
        _ = queue.beginsAwaitingRows(assignedTasks: 0)
        queue.retry(WaitingTask(spec: .task(1)))
        #expect(queue.checkInvariants(isRunning: true) == "1 tasks come back before a barrier that was met")
    }
}
