import DisbatchCore
import Glibc
import LinuxSystem

/// One process to start.
struct StartRequest: Sendable {
    var cylinder: Int
    /// Tells this use of the cylinder from earlier ones.
    var generation: UInt32
    var assignment: Assignment
}

/// The outcome of a start.
struct StartResult: Sendable {
    var cylinder: Int
    /// The process, or the reason why there is none.
    var child: Result<ChildProcess, SystemError>
    /// Our ends of its two pipes; -1 where there is no process.
    var output: Int32 = -1
    var error: Int32 = -1
    /// The task's own directory (`--task-dir`), from the working directory.
    var directory: PathBytes?
    /// Whether the loop is told of output.
    var isWatched = true
    var start: Timestamp
}

/// Starts processes: on a thread of its own, or in place.
///
/// A start keeps its thread waiting until the new program runs, and a thread that also burns CPU starts processes
/// several times slower: so a thread that does nothing else suits an engine of many slots. It also suits one whose
/// tasks live by a lease: the loop must be able to end them while a program hangs in starting (a dead file server).
/// A small engine on the driver's own machine saves the way to another thread and back.
final class TaskStarter: Sendable {
    /// Largest number of slots for which a local engine starts processes in place.
    private static let inPlaceSlots = 8
    private struct Queue {
        var requests: [StartRequest] = []
        var results: [StartResult] = []
        /// Starts that are to be tried again.
        var delayed: [Delayed] = []
        var directEnvironment: DirectEnvironment?
        /// Whether the streams of what is started are watched at once.
        var watchesStreams = true
        var isClosed = false
    }

    private struct Delayed {
        var request: StartRequest
        var giveUpAt: MonotonicTime
    }

    /// Errors of a start for want of something that the end of another task gives back.
    private static let shortages = [EAGAIN, EMFILE, ENFILE, ENOMEM]
    private static let delay = Duration.milliseconds(50)
    private static let patience = Duration.seconds(10)

    private let queue = Guarded(Queue())
    /// Signalled when there is a result that no descriptor will tell of.
    let wakeup: EventFlag
    private let launcher: TaskLauncher
    private let poll: EventPoll
    /// Whether ``start(_:)`` returns when the processes are started.
    let startsInPlace: Bool

    init(launcher: TaskLauncher, poll: EventPoll, setup: EngineSetup) throws(SystemError) {
        self.launcher = launcher
        self.poll = poll
        startsInPlace = setup.configuration.nodeKind == .local && setup.slots <= Self.inPlaceSlots
        wakeup = try EventFlag()
    }

    /// Starts the thread, which lives until ``close()``; nil where none is needed.
    func run() throws(WorkerThread.StartError) -> WorkerThread? {
        if startsInPlace {
            launcher.prepareThread()
            return nil
        }
        return try WorkerThread(name: "starter") { self.work() }
    }

    func close() {
        queue.withLock { $0.isClosed = true }
        queue.signal()
    }

    /// Starts processes.
    ///
    /// - Parameter watchesStreams: whether the loop is told of output from the start, or watches the streams itself.
    ///   Only in place; from a thread of its own they are always watched.
    func start(_ requests: [StartRequest], watchesStreams: Bool = true) {
        guard !requests.isEmpty else { return }
        if startsInPlace {
            let direct = queue.withLock { queue in
                queue.watchesStreams = watchesStreams
                return queue.directEnvironment
            }
            for request in requests { start(request, direct) }
            return
        }
        queue.withLock { $0.requests += requests }
        queue.signal()
    }

    /// From now on simple lines are started without a shell, in this environment.
    func allowDirectStarts(in environment: DirectEnvironment) {
        queue.withLock { $0.directEnvironment = environment }
    }

    /// The results since the last call. In place, this also tries again what could not be started before.
    func takeResults() -> [StartResult] {
        if startsInPlace { startDelayed() }
        return queue.withLock { queue in
            guard !queue.results.isEmpty else { return [] }
            let results = queue.results
            queue.results.removeAll(keepingCapacity: true)
            return results
        }
    }

    private func work() {
        launcher.prepareThread()
        while true {
            let pause = queue.withLock { $0.delayed.isEmpty ? Duration.seconds(3600) : Self.delay }
            // No requests where there is work, and the queue was closed, end the thread.
            let work: ([StartRequest], DirectEnvironment?)? = queue.wait(until: .now + pause) { queue in
                guard !queue.requests.isEmpty || queue.isClosed else { return nil }
                let requests = queue.isClosed ? [] : queue.requests
                queue.requests.removeAll(keepingCapacity: true)
                return (requests, queue.directEnvironment)
            }
            startDelayed()
            guard let (requests, direct) = work else { continue }
            guard !requests.isEmpty else { return }
            for request in requests { start(request, direct) }
        }
    }

    // MARK: One process

    private func startDelayed() {
        let (delayed, direct) = queue.withLock { queue in
            let delayed = queue.isClosed ? [] : queue.delayed
            queue.delayed = []
            return (delayed, queue.directEnvironment)
        }
        for item in delayed { start(item.request, direct, giveUpAt: item.giveUpAt) }
    }

    /// Starts a process. What lacks processes, descriptors or memory waits for those that our own tasks give back, or
    /// for a while if none of them runs.
    private func start(
        _ request: StartRequest, _ direct: DirectEnvironment?, giveUpAt: MonotonicTime? = nil
    ) {
        var result = launcher.launch(request, direct)
        if case .failure(let error) = result.child, Self.shortages.contains(error.code) {
            let now = MonotonicTime.now
            let deadline = launcher.hasRunning ? now + Self.patience : giveUpAt ?? now + Self.patience
            let isDelayed = queue.withLock { queue in
                guard now < deadline, !queue.isClosed else { return false }
                queue.delayed.append(Delayed(request: request, giveUpAt: deadline))
                return true
            }
            if isDelayed { return }
        }
        // Watched and told of in one step: no event of the process is seen before its result is.
        queue.withLock { queue in
            // Without a descriptor that tells of its end, its streams are watched whatever comes.
            if case .success(let child) = result.child, child.pidfd < 0 { queue.watchesStreams = true }
            result.isWatched = queue.watchesStreams
            watch(&result, as: CylinderTokens(cylinder: request.cylinder, generation: request.generation))
            queue.results.append(result)
        }
        if case .failure = result.child, !startsInPlace { wakeup.signal() }
    }

    /// Lets the loop watch a new process. One that can't be watched is taken back.
    private func watch(_ result: inout StartResult, as tokens: CylinderTokens) {
        guard case .success(let child) = result.child else { return }
        do throws(SystemError) {
            if result.isWatched {
                try poll.add(result.output, token: tokens.output)
                try poll.add(result.error, token: tokens.error)
            }
            if child.pidfd >= 0 { try poll.add(child.pidfd, token: tokens.exit) }
        } catch {
            kill(-child.pid, SIGKILL)
            _ = child.waitForEnd()
            child.close()
            Glibc.close(result.output)
            Glibc.close(result.error)
            result.child = .failure(error)
        }
    }
}

/// How a cylinder's descriptors are registered with the loop.
struct CylinderTokens {
    enum Kind: UInt64 {
        case output = 16
        case error, exit
    }

    let output: UInt64
    let error: UInt64
    let exit: UInt64

    init(cylinder: Int, generation: UInt32) {
        let rest = UInt64(generation & 0xff_ffff) << 32 | UInt64(cylinder)
        output = Kind.output.rawValue << 56 | rest
        error = Kind.error.rawValue << 56 | rest
        exit = Kind.exit.rawValue << 56 | rest
    }

    /// Reads a token back; nil if it is none of a cylinder's.
    static func parse(_ token: UInt64) -> (kind: Kind, cylinder: Int, generation: UInt32)? {
        guard let kind = Kind(rawValue: token >> 56) else { return nil }
        return (kind, Int(token & 0xffff_ffff), UInt32(token >> 32 & 0xff_ffff))
    }
}
