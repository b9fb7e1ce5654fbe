import DisbatchCore
import LinuxSystem

/// What is asked for one task: to end, or to follow its output.
extension Driver {
    // MARK: Ending it

    func endTask(_ task: TaskID) -> (isDone: Bool, text: String) {
        let number = "task \(task.rawValue)"
        switch scheduler.standing(of: task) {
        case .held(let held) where held.isStaging:
            return (false, "\(number) has ended; its files are on their way home")
        case .held(let held):
            console.note("dbutil: ending \(number)")
            tell(.killRequested(task))
            let place = "\(number) on \(held.node) (engine \(held.engine.rawValue))"
            if held.isOutOfReach {
                return (true, "\(place) can't be reached: it ends by the engine's lease, and is not run again")
            }
            if held.isKilled { return (true, "\(place) is killed") }
            return (true, "\(place) is ended, and is not run again; asked again, at once")
        case .waiting: return (false, "\(number) waits to be started: only what runs can be ended")
        case .unread, .ended: return (false, reasonThatNoneRuns(task))
        }
    }

    private func reasonThatNoneRuns(_ task: TaskID) -> String {
        let number = "task \(task.rawValue)"
        guard scheduler.standing(of: task) == .unread else {
            return "\(number) has ended; dbutil --show \(task.rawValue) tells of it"
        }
        return scheduler.sourceEnd == .complete
            ? "there is no \(number)" : "\(number) has not been read yet, if there is one"
    }

    // MARK: Following it

    var hasFollowers: Bool { link?.followers.isEmpty == false }

    /// Lets somebody follow a task's output: from now on, or from its start.
    func follow(_ task: TaskID, by peer: LinkPeer) {
        guard let link, peer.followed == nil, peer.relay == nil else { return }
        let standing = scheduler.standing(of: task)
        switch standing {
        case .held(let held) where held.isStaging:
            return peer.send(
                .answer(isDone: false, text: "task \(task.rawValue) has ended; its files are on their way home"))
        case .unread where scheduler.sourceEnd == .complete, .ended:
            return peer.send(.answer(isDone: false, text: reasonThatNoneRuns(task)))
        case .held, .waiting, .unread: break
        }
        peer.followed = task
        link.followers[task, default: []].append(peer)
        guard case .held(let held) = standing else { return peer.send(.tail(.waits)) }
        if !held.hasStarted { peer.send(.tail(.waits)) }
        send(.follow(held.assignment, true), to: held.engine)
    }

    /// Somebody is gone; nothing is sent while nobody asks.
    func endFollowing(by peer: LinkPeer) {
        guard let link, let task = peer.followed else { return }
        peer.followed = nil
        link.followers[task]?.removeAll { $0 === peer }
        guard link.followers[task]?.isEmpty == true else { return }
        link.followers[task] = nil
        if case .held(let held) = scheduler.standing(of: task) {
            send(.follow(held.assignment, false), to: held.engine)
        }
    }

    /// A task that is followed is handed out, for the first time or again.
    func followAnew(_ assignment: Assignment, on engine: EngineID) {
        guard assignment.kind == .task, let peers = link?.followers[assignment.spec.id] else { return }
        for peer in peers { peer.isFollowing = false }
        send(.follow(assignment.id, true), to: engine)
    }

    /// An engine copies a task's output from here on. (It says so again for each who comes.)
    func followingBegan(_ id: AssignmentID, on link: EngineLink, out: UInt64, err: UInt64) {
        guard let (spec, attempt) = scheduler.task(of: id, heldBy: link.id) else { return }
        let beginning = TailBeginning(engine: link.id, node: link.node, attempt: attempt, out: out, err: err)
        for peer in self.link?.followers[spec.id] ?? [] where !peer.isFollowing {
            peer.isFollowing = true
            peer.send(.tail(.began(beginning)))
            flush(peer, peer.number)
        }
    }

    func outputCame(_ piece: OutputPiece, of id: AssignmentID, from link: EngineLink) {
        send(.outputTaken(piece.bytes.count), to: link.id)
        guard let task = scheduler.task(of: id, heldBy: link.id)?.spec.id else { return }
        for peer in self.link?.followers[task] ?? [] where peer.isFollowing {
            // Who does not read misses some; the next piece tells how much.
            if peer.hasRoomForOutput { peer.send(.tail(.output(piece))) }
            flush(peer, peer.number)
        }
    }

    /// Tells of the end of an attempt.
    func tellFollowers(_ action: SchedulerAction) {
        switch action {
        case .record(let task) where task.kind == .task: tellFollowers(task, isFinal: true)
        case .keepAttempt(let task): tellFollowers(task, isFinal: false)
        case .recordLost(let lost) where lost.kind == .task: tellFollowers(recorded(lost), isFinal: true)
        case .keepLostAttempt(let lost) where lost.kind == .task: tellFollowers(recorded(lost), isFinal: false)
        default: break
        }
    }

    private func tellFollowers(_ task: RecordedTask, isFinal: Bool) {
        guard let peers = link?.followers[task.spec.id] else { return }
        if isFinal { link?.followers[task.spec.id] = nil }
        for peer in peers {
            peer.isFollowing = false
            if isFinal { peer.followed = nil }
            peer.send(.tail(.ended(TailEnding(task.outcome, attempt: task.attempt, isFinal: isFinal))))
            flush(peer, peer.number)
        }
    }

    /// All has been read: who waits for a task that there is not, waits in vain.
    func dismissFollowersOfNothing() {
        guard let link, scheduler.sourceEnd == .complete else { return }
        for (task, peers) in link.followers {
            let standing = scheduler.standing(of: task)
            guard standing == .unread || standing == .ended else { continue }
            link.followers[task] = nil
            for peer in peers {
                peer.followed = nil
                peer.send(.answer(isDone: false, text: reasonThatNoneRuns(task)))
                flush(peer, peer.number)
            }
        }
    }
}
