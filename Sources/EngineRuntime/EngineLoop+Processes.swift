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
            work?.cylinders[cylinder].out.descriptor = result.output
            work?.cylinders[cylinder].err.descriptor = result.error
            if let assignment = work?.machine.assignment(in: cylinder), let slots = work?.setup.slots {
                let rank = cylinder < slots ? cylinder : -1
                untoldStarts.append(
                    .started(assignment.id, cylinder: rank, pid: child.pid, start: result.start))
                unsentDeadline = min(unsentDeadline, now() + Self.startDelay)
            }
            tell(.spawned(cylinder: cylinder, pid: child.pid))
            // The end of a process that was quicker than we were was told of by a SIGCHLD that came before.
            if child.pidfd < 0 { reap(cylinder) }
        case .failure(let error):
            let text = Array("disbatch-engine: \(error)\n".utf8)
            text.withUnsafeBytes { work?.cylinders[cylinder].err.tally.add($0) }
            tell(.spawnFailed(cylinder: cylinder))
        }
    }

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
        repeat {
            let result = buffer.withUnsafeMutableBytes { read(state.descriptor, into: $0) }
            guard case .bytes(let count) = result else {
                if result != .wouldBlock { state.retire(to: &retired) }
                break
            }
            buffer.withUnsafeBytes { bytes in
                let bytes = UnsafeRawBufferPointer(rebasing: bytes[..<count])
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
