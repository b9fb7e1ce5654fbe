import DisbatchCore
import LinuxSystem

/// Whose output is copied to the driver, and how much of it is on its way.
struct OutputFollowing {
    /// Tasks that are followed: those that run here, wait here, or are still to come. One that had ended when it was
    /// asked for stays; it is one number.
    var wanted: Set<AssignmentID> = []
    /// Bytes that the driver has not said to have come.
    var underWay = 0
}

/// What a user asks for one task: to end, or to be followed.
extension EngineLoop {
    func endTask(_ id: AssignmentID, atOnce: Bool) {
        // Where it ended just now, its own end counts.
        if let cylinder = cylinder(of: id) { reap(cylinder) }
        tell(.killRequested(id, atOnce: atOnce))
    }

    /// Where a task runs.
    private func cylinder(of id: AssignmentID) -> Int? {
        work?.cylinders.firstIndex { $0.assignment == id && $0.child != nil }
    }

    func follow(_ id: AssignmentID, _ isWanted: Bool) {
        if isWanted { following.wanted.insert(id) } else { following.wanted.remove(id) }
        guard let cylinder = cylinder(of: id) else { return }
        work?.cylinders[cylinder].out.isFollowed = isWanted
        work?.cylinders[cylinder].err.isFollowed = isWanted
        guard isWanted else { return }
        tellFollowed(cylinder)
        if work?.cylinders[cylinder].isWatched == false { watchStreams(of: cylinder) }
    }

    /// Copies a task's output from its start, if it is followed.
    func prepareFollowing(_ id: AssignmentID, in cylinder: Int) {
        guard following.wanted.contains(id) else { return }
        work?.cylinders[cylinder].out.isFollowed = true
        work?.cylinders[cylinder].err.isFollowed = true
    }

    func tellFollowed(_ cylinder: Int) {
        guard let state = work?.cylinders[cylinder], let id = state.assignment else { return }
        send(.followed(id, out: state.out.tally.count, err: state.err.tally.count))
    }

    /// Sends what was read just now, unless too much is on its way already: a gap tells of itself by what comes next.
    func copy(
        _ bytes: UnsafeRawBufferPointer, of cylinder: Int, _ stream: WritableKeyPath<CylinderState, StreamState>,
        offset: UInt64
    ) {
        guard let id = work?.cylinders[cylinder].assignment,
            following.underWay + bytes.count <= EngineProtocol.outputWindow
        else { return }
        following.underWay += bytes.count
        let piece = OutputPiece(stream: stream == \.out ? .output : .error, offset: offset, bytes: Array(bytes))
        send(.output(id, piece))
    }

    // MARK: CPU time

    /// Tells what all tasks have used, after a turn in which a lease token was answered.
    func tellProcessorUse() {
        meter.isDue = false
        let isIdle = work?.machine.isIdle ?? true
        let used = meter.microseconds(guardPid: executioner.guardPid, looksForRunning: !isIdle)
        send(.cpuUsed(microseconds: used, at: now()), within: Self.endDelay)
    }
}
