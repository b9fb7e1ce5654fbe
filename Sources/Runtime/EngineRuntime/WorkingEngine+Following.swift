import DisbatchCore
import LinuxSystem

/// The tasks whose output is copied to the driver, and how much of it is on its way.
struct OutputFollowing {
    /// Tasks that are followed: those that run here, wait here, or are still to come. One that had ended when it was
    /// asked for stays; it is one number.
    var wanted: Set<AssignmentID> = []
    /// Bytes whose arrival the driver has not confirmed.
    var underWay = 0
}

/// Users' wishes for one task: to end, or to be followed.
extension WorkingEngine {
    func endTask(_ id: AssignmentID, atOnce: Bool) {
        // Where it ended just now, its own end counts.
        if let cylinder = cylinder(of: id) { reap(cylinder) }
        tell(.killRequested(id, atOnce: atOnce))
    }

    /// The cylinder in which a task runs.
    private func cylinder(of id: AssignmentID) -> Int? {
        cylinders.firstIndex { $0.assignment == id && $0.child != nil }
    }

    func follow(_ id: AssignmentID, _ isWanted: Bool) {
        if isWanted { following.wanted.insert(id) } else { following.wanted.remove(id) }
        guard let cylinder = cylinder(of: id) else { return }
        cylinders[cylinder].out.isFollowed = isWanted
        cylinders[cylinder].err.isFollowed = isWanted
        guard isWanted else { return }
        tellFollowed(cylinder)
        if !cylinders[cylinder].isWatched { watchStreams(of: cylinder) }
    }

    /// Copies a task's output from its start, if it is followed.
    func prepareFollowing(_ id: AssignmentID, in cylinder: Int) {
        guard following.wanted.contains(id) else { return }
        cylinders[cylinder].out.isFollowed = true
        cylinders[cylinder].err.isFollowed = true
    }

    func tellFollowed(_ cylinder: Int) {
        let state = cylinders[cylinder]
        guard let id = state.assignment else { return }
        channel.send(.followed(id, out: state.out.tally.count, err: state.err.tally.count))
    }

    /// Sends what was read just now, unless too much is on its way already: a gap tells of itself by what comes next.
    func copy(
        _ bytes: UnsafeRawBufferPointer, of cylinder: Int, _ stream: TaskOutputStream, offset: UInt64
    ) {
        guard let id = cylinders[cylinder].assignment,
            following.underWay + bytes.count <= EngineProtocol.outputWindow
        else { return }
        following.underWay += bytes.count
        let piece = OutputPiece(stream: stream, offset: offset, bytes: Array(bytes))
        channel.send(.output(id, piece))
    }

    // MARK: CPU time

    /// Tells how much CPU time all tasks have used, after a turn in which a lease token was answered.
    func tellProcessorUse() {
        meter.isDue = false
        let used = meter.microseconds(guardPid: killer.guardPid, looksForRunning: !machine.isIdle)
        channel.send(.cpuUsed(microseconds: used, at: Instant.now()), within: Self.endDelay)
    }
}
