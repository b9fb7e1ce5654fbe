import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// What comes of the processes that were started: their starts, their output, their ends.
extension EngineLoop {
    func takeStartResults() {
        guard let starter = work?.starter, work?.startsPending != 0 else { return }
        for result in starter.takeResults() {
            work?.startsPending -= 1
            started(result)
        }
    }

    private func started(_ result: StartResult) {
        let cylinder = result.cylinder
        work?.cylinders[cylinder].start = result.start
        work?.cylinders[cylinder].finish = result.start
        switch result.child {
        case .success(let child):
            work?.cylinders[cylinder].child = child
            work?.cylinders[cylinder].directory = result.directory
            work?.cylinders[cylinder].out.descriptor = result.output
            work?.cylinders[cylinder].err.descriptor = result.error
            work?.cylinders[cylinder].isWatched = result.isWatched
            if !result.isWatched { watchDeadline = min(watchDeadline, now() + Self.watchDelay) }
            if let assignment = work?.machine.assignment(in: cylinder), let slots = work?.setup.slots {
                let rank = cylinder < slots ? cylinder : -1
                untoldStarts.append(
                    .started(assignment.id, cylinder: rank, pid: child.pid, start: result.start))
                unsentDeadline = min(unsentDeadline, now() + Self.startDelay)
            }
            if work?.cylinders[cylinder].out.isFollowed == true { tellFollowed(cylinder) }
            tell(.spawned(cylinder: cylinder, pid: child.pid))
            // The end of a process that was quicker than we were was told of by a SIGCHLD that came before.
            if child.pidfd < 0 { reap(cylinder) }
        case .failure(let error):
            let text = Array("disbatch-engine: \(error)\n".utf8)
            text.withUnsafeBytes { work?.cylinders[cylinder].err.tally.add($0) }
            tell(.spawnFailed(cylinder: cylinder))
        }
    }

    // MARK: Streams that are watched late

    /// A short task's end would wake the loop three times, once for each stream and once for the process, each time in
    /// the place of a task. So streams are only watched when a task has run for a while, or when tasks of late wrote
    /// more than a pipe holds, and would wait for their reader; else the end of the process tells of them too.
    private static let watchDelay = Duration.milliseconds(5)
    /// What a pipe surely holds.
    static let pipeRoom = 32 << 10
    /// How many tasks after one that wrote much have their streams watched from the start.
    static let watchedAfterFlood = 64

    /// Watches the streams of all tasks that run.
    func watchStreams() {
        watchDeadline = .distantFuture
        for cylinder in work?.cylinders.indices ?? 0..<0 where work?.cylinders[cylinder].isWatched == false {
            watchStreams(of: cylinder)
        }
    }

    func watchStreams(of cylinder: Int) {
        guard let state = work?.cylinders[cylinder], state.child != nil else { return }
        work?.cylinders[cylinder].isWatched = true
        let tokens = CylinderTokens(cylinder: cylinder, generation: state.generation)
        do throws(SystemError) {
            if state.out.descriptor >= 0 { try poll.add(state.out.descriptor, token: tokens.output) }
            if state.err.descriptor >= 0 { try poll.add(state.err.descriptor, token: tokens.error) }
        } catch {
            send(.log(.error, "the output of a task is not read: \(error)"))
        }
    }

    /// Takes in what a process that ended has written. What somebody else still has open is watched from now on.
    private func drainUnwatched(_ cylinder: Int) {
        guard let state = work?.cylinders[cylinder] else { return }
        var streams = [
            pollfd(fd: state.out.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: state.err.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while Glibc.poll(&streams, 2, 0) < 0, errno == EINTR {}
        let isHungUp = streams.map { $0.revents & Int16(POLLHUP) != 0 }
        if isHungUp[0] { readStream(\.out, of: cylinder, isHungUp: true) }
        if isHungUp[1] { readStream(\.err, of: cylinder, isHungUp: true) }
        if work?.cylinders[cylinder].isOutputOpen == true { watchStreams(of: cylinder) }
    }

    // MARK: Events

    func cylinderEvent(
        _ kind: CylinderTokens.Kind, _ cylinder: Int, _ generation: UInt32, _ event: ReadyEvent
    ) {
        guard let state = work?.cylinders[cylinder], state.generation & 0xff_ffff == generation else { return }
        switch kind {
        case .exit: reap(cylinder)
        case .output: readStream(\.out, of: cylinder, isHungUp: event.isHungUp)
        case .error: readStream(\.err, of: cylinder, isHungUp: event.isHungUp)
        }
    }

    func reap(_ cylinder: Int) {
        guard let child = work?.cylinders[cylinder].child, work?.cylinders[cylinder].isReaped == false,
            let (end, usage) = child.reap()
        else { return }
        // It stays readable, and the task may have more to wait for.
        if child.pidfd >= 0 { poll.remove(child.pidfd) }
        work?.cylinders[cylinder].isReaped = true
        if work?.cylinders[cylinder].isWatched == false { drainUnwatched(cylinder) }
        work?.cylinders[cylinder].finish = Timestamp(microseconds: SystemClock.wallMicroseconds())
        work?.cylinders[cylinder].usage = usage
        let result: ProcessResult =
            switch end {
            case .exited(let status): .exited(status: status)
            case .signalled(let number): .signalled(number)
            }
        tell(.exited(cylinder: cylinder, result))
    }

    /// Reads what a task wrote; to the end, when nobody is left to write.
    private func readStream(
        _ stream: WritableKeyPath<CylinderState, StreamState>, of cylinder: Int, isHungUp: Bool
    ) {
        guard var state = work?.cylinders[cylinder][keyPath: stream], state.descriptor >= 0 else { return }
        let isWatched = work?.cylinders[cylinder].isWatched ?? true
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
                    send(.log(.warning, "--capture: \(failure); the rest of this stream is not kept"))
                }
            }
        } while isHungUp
        work?.cylinders[cylinder][keyPath: stream] = state
        if work?.cylinders[cylinder].isOutputOpen == false { tell(.outputEnded(cylinder: cylinder)) }
    }
}
