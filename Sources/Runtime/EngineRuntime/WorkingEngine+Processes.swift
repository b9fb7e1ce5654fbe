import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// Processes that were started: their starts, their output, their ends.
extension WorkingEngine {
    func takeStartResults() {
        guard startsPending != 0 else { return }
        for result in starter.takeResults() {
            startsPending -= 1
            started(result)
        }
    }

    private func started(_ result: StartResult) {
        let cylinder = result.cylinder
        cylinders[cylinder].start = result.start
        cylinders[cylinder].finish = result.start
        switch result.child {
        case .success(let child):
            cylinders[cylinder].child = child
            cylinders[cylinder].directory = result.directory
            cylinders[cylinder].out.descriptor = result.output
            cylinders[cylinder].err.descriptor = result.error
            cylinders[cylinder].isWatched = result.isWatched
            if !result.isWatched { watchDeadline = min(watchDeadline, Instant.now() + Self.watchDelay) }
            if let assignment = machine.assignment(in: cylinder) {
                untoldStarts.append(
                    .started(assignment.id, cylinder: rank(of: cylinder), pid: child.pid, start: result.start))
                channel.send(within: Self.startDelay)
            }
            if cylinders[cylinder].out.isFollowed { tellFollowed(cylinder) }
            tell(.spawned(cylinder: cylinder, pid: child.pid))
            // The end of a process that was quicker than we were was told of by a SIGCHLD that came before.
            if child.pidfd < 0 { reap(cylinder) }
        case .failure(let error):
            let text = Array("disbatch-engine: \(error)\n".utf8)
            text.withUnsafeBytes { cylinders[cylinder].err.tally.add($0) }
            tell(.spawnFailed(cylinder: cylinder))
        }
    }

    // MARK: Streams that are watched late

    /// A short task's end would wake the loop three times, once for each stream and once for the process, each time in
    /// the place of a task. So streams are only watched when a task has run for a while, or when tasks of late wrote
    /// more than a pipe holds, and would wait for their reader; else the end of the process tells of them too.
    private static let watchDelay = Duration.milliseconds(5)
    /// The bytes that a pipe holds at least.
    static let pipeRoom = 32 << 10
    /// Number of tasks after one that wrote much whose streams are watched from the start.
    static let watchedAfterFlood = 64

    /// Watches the streams of all tasks that run.
    func watchStreams() {
        watchDeadline = .distantFuture
        for cylinder in cylinders.indices where !cylinders[cylinder].isWatched {
            watchStreams(of: cylinder)
        }
    }

    func watchStreams(of cylinder: Int) {
        let state = cylinders[cylinder]
        guard state.child != nil else { return }
        cylinders[cylinder].isWatched = true
        let tokens = CylinderTokens(cylinder: cylinder, generation: state.generation)
        do throws(SystemError) {
            if state.out.descriptor >= 0 { try poll.add(state.out.descriptor, token: tokens.output) }
            if state.err.descriptor >= 0 { try poll.add(state.err.descriptor, token: tokens.error) }
        } catch {
            channel.send(.log(.error, "the output of a task is not read: \(error)"))
        }
    }

    /// Reads what a process that ended has written. Streams that other processes still have open are watched from now
    /// on.
    private func drainUnwatched(_ cylinder: Int) {
        let state = cylinders[cylinder]
        var streams = [
            pollfd(fd: state.out.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: state.err.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while Glibc.poll(&streams, 2, 0) < 0, errno == EINTR {}
        let isHungUp = streams.map { $0.revents & Int16(POLLHUP) != 0 }
        if isHungUp[0] { readStream(.output, of: cylinder, isHungUp: true) }
        if isHungUp[1] { readStream(.error, of: cylinder, isHungUp: true) }
        if cylinders[cylinder].isOutputOpen { watchStreams(of: cylinder) }
    }

    // MARK: Events

    func cylinderEvent(
        _ kind: CylinderTokens.Kind, _ cylinder: Int, _ generation: UInt32, _ event: ReadyEvent
    ) {
        guard cylinders[cylinder].generation & 0xff_ffff == generation else { return }
        switch kind {
        case .exit: reap(cylinder)
        case .output: readStream(.output, of: cylinder, isHungUp: event.isHungUp)
        case .error: readStream(.error, of: cylinder, isHungUp: event.isHungUp)
        }
    }

    /// Looks for the ends of all processes, of which no descriptor tells.
    func reapAll() {
        for cylinder in cylinders.indices { reap(cylinder) }
    }

    func reap(_ cylinder: Int) {
        guard let child = cylinders[cylinder].child, !cylinders[cylinder].isReaped,
            let (end, usage) = child.reap()
        else { return }
        // It stays readable, and the task may have more to wait for.
        if child.pidfd >= 0 { poll.remove(child.pidfd) }
        cylinders[cylinder].isReaped = true
        if !cylinders[cylinder].isWatched { drainUnwatched(cylinder) }
        cylinders[cylinder].finish = Timestamp(microseconds: SystemClock.wallMicroseconds())
        cylinders[cylinder].usage = usage
        let result: ProcessResult =
            switch end {
            case .exited(let status): .exited(status: status)
            case .signalled(let number): .signalled(number)
            }
        tell(.exited(cylinder: cylinder, result))
    }

    /// Reads what a task wrote; to the end, when nobody is left to write.
    private func readStream(_ stream: TaskOutputStream, of cylinder: Int, isHungUp: Bool) {
        var state = cylinders[cylinder][stream]
        guard state.descriptor >= 0 else { return }
        let isWatched = cylinders[cylinder].isWatched
        repeat {
            let result = buffer.withUnsafeMutableBytes { read(state.descriptor, into: $0) }
            guard case .bytes(let count) = result else {
                if result != .wouldBlock { state.retire(to: &retired, isWatched: isWatched) }
                break
            }
            buffer.withUnsafeBytes { bytes in
                let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                if state.isFollowed { copy(bytes, of: cylinder, stream, offset: state.tally.count) }
                state.tally.add(bytes)
                if let failure = state.capture?.write(bytes) {
                    channel.send(.log(.warning, "--capture: \(failure); the rest of this stream is not kept"))
                }
            }
        } while isHungUp
        cylinders[cylinder][stream] = state
        if !cylinders[cylinder].isOutputOpen { tell(.outputEnded(cylinder: cylinder)) }
    }

    // MARK: Streams that outlive their tasks

    /// The kind of token of a stream that outlived its task: read on, so that its writers aren't ended by it.
    static let leftoverKind: UInt64 = 8

    /// Leaves a task's open streams to be read and dropped.
    func leaveStreams(of cylinder: Int) {
        for raw in [cylinders[cylinder].out.descriptor, cylinders[cylinder].err.descriptor] where raw >= 0 {
            try? poll.change(raw, token: Self.leftoverKind << 56 | UInt64(raw), .reading)
        }
        cylinders[cylinder].out.descriptor = -1
        cylinders[cylinder].err.descriptor = -1
    }

    func readLeftover(_ raw: Int32) {
        switch buffer.withUnsafeMutableBytes({ read(raw, into: $0) }) {
        case .bytes, .wouldBlock: break
        case .ended, .failed:
            poll.remove(raw)
            Glibc.close(raw)
        }
    }

    // MARK: Processes that are to end

    func terminate(_ cylinder: Int) {
        guard let pid = cylinders[cylinder].child?.pid else { return }
        cylinders[cylinder].known = killer.terminate(pid)
    }

    func processes(of cylinder: Int) -> [TaskProcesses] {
        // Not by what the machine says of the cylinder: it may have decided on the next task already.
        let state = cylinders[cylinder]
        guard let pid = state.child?.pid else { return [] }
        return [TaskProcesses(pid: pid, marks: state.marks, known: state.known)]
    }
}
