import DisbatchCore

/// Clients that follow the output of a task.
extension ControlServer {
    /// Lets a client follow a task's output: from now on, or from its start.
    func follow(_ task: TaskID, by peer: ControlPeer) {
        guard peer.followed == nil, peer.relay == nil else { return }
        let standing = driver.machine.scheduler.standing(of: task)
        switch standing {
        case .assigned(let assigned) where assigned.isStaging:
            return peer.send(
                .answer(isDone: false, text: "task \(task.rawValue) has ended; its files are on their way home"))
        case .unread where driver.machine.scheduler.sourceEnd == .complete, .ended:
            return peer.send(.answer(isDone: false, text: reasonThatNoneRuns(task)))
        case .assigned, .waiting, .unread: break
        }
        peer.followed = task
        followers[task, default: []].append(peer)
        guard case .assigned(let assigned) = standing else { return peer.send(.tail(.waits)) }
        if !assigned.hasStarted { peer.send(.tail(.waits)) }
        driver.engines.send(.follow(assigned.assignment, true), to: assigned.engine)
    }

    /// Ends a client's following; nothing is sent while nobody asks.
    func endFollowing(by peer: ControlPeer) {
        guard let task = peer.followed else { return }
        peer.followed = nil
        followers[task]?.removeAll { $0 === peer }
        guard followers[task]?.isEmpty == true else { return }
        followers[task] = nil
        if case .assigned(let assigned) = driver.machine.scheduler.standing(of: task) {
            driver.engines.send(.follow(assigned.assignment, false), to: assigned.engine)
        }
    }

    /// Follows a task that is handed out, for the first time or again.
    func followAnew(_ assignment: Assignment, on engine: EngineID) {
        guard !followers.isEmpty, assignment.kind == .task, let peers = followers[assignment.spec.id] else { return }
        for peer in peers { peer.isFollowing = false }
        driver.engines.send(.follow(assignment.id, true), to: engine)
    }

    /// Notes that an engine copies a task's output from here on. (It says so again for each client that comes.)
    func followingBegan(_ id: AssignmentID, on engine: EngineConnection, out: UInt64, err: UInt64) {
        guard let (spec, attempt) = driver.machine.scheduler.task(of: id, assignedTo: engine.id) else { return }
        let beginning = TailBeginning(engine: engine.id, node: engine.node, attempt: attempt, out: out, err: err)
        for peer in followers[spec.id] ?? [] where !peer.isFollowing {
            peer.isFollowing = true
            peer.send(.tail(.began(beginning)))
            flush(peer)
        }
    }

    func outputCame(_ piece: OutputPiece, of id: AssignmentID, from engine: EngineID) {
        guard let task = driver.machine.scheduler.task(of: id, assignedTo: engine)?.spec.id else { return }
        for peer in followers[task] ?? [] where peer.isFollowing {
            // Who does not read misses some; the next piece tells how much.
            if peer.hasRoomForOutput { peer.send(.tail(.output(piece))) }
            flush(peer)
        }
    }

    /// Tells followers of the end of an attempt, and keeps failures for those who watch.
    func taskEnded(_ action: SchedulerAction) {
        switch action {
        case .record(let task):
            if task.outcome.failed { failures.add(task) }
            if task.kind == .task { tellFollowers(task, isFinal: true) }
        case .recordLost(let lost) where lost.kind == .task:
            let task = RecordedTask(lost)
            if task.outcome.failed { failures.add(task) }
            tellFollowers(task, isFinal: true)
        case .keepAttempt(let task): tellFollowers(task, isFinal: false)
        case .keepLostAttempt(let lost) where lost.kind == .task: tellFollowers(RecordedTask(lost), isFinal: false)
        default: break
        }
    }

    private func tellFollowers(_ task: RecordedTask, isFinal: Bool) {
        guard !followers.isEmpty, let peers = followers[task.spec.id] else { return }
        if isFinal { followers[task.spec.id] = nil }
        for peer in peers {
            peer.isFollowing = false
            if isFinal { peer.followed = nil }
            peer.send(.tail(.ended(TailEnding(task.outcome, attempt: task.attempt, isFinal: isFinal))))
            flush(peer)
        }
    }

    /// Answers those that wait for a task that there is not, now that all has been read.
    func dismissFollowersOfNothing() {
        guard !followers.isEmpty, driver.machine.scheduler.sourceEnd == .complete else { return }
        for (task, peers) in followers {
            let standing = driver.machine.scheduler.standing(of: task)
            guard standing == .unread || standing == .ended else { continue }
            followers[task] = nil
            for peer in peers {
                peer.followed = nil
                peer.send(.answer(isDone: false, text: reasonThatNoneRuns(task)))
                flush(peer)
            }
        }
    }
}
