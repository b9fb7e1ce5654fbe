import DisbatchCore

extension Simulation {
    /// Sends a message to an engine; it arrives later, or never.
    func send(_ frame: DriverFrame, to engine: EngineID) {
        let index = engine.rawValue
        guard engines[index].isChannelOpen else { return }
        let arrival = max(engines[index].lastDown, now + travel(engines[index].delay))
        engines[index].lastDown = arrival
        queue.add(.toEngine(index, frame), at: arrival)
    }

    /// Sends a message to the driver.
    func send(_ frame: EngineFrame, from index: Int) {
        guard engines[index].isChannelOpen else { return }
        let arrival = max(engines[index].lastUp, now + travel(engines[index].delay))
        engines[index].lastUp = arrival
        queue.add(.toDriver(index, frame), at: arrival)
    }

    /// What one message takes: mostly about the average, now and then much more.
    private func travel(_ mean: Double) -> Int64 {
        let time = mean * random.between(0.5, 1.3)
        return Int64(random.chance(0.02) ? time * 8 : time)
    }

    /// A message reaches the driver, unless the way is cut or was given up.
    func arrive(_ frame: EngineFrame, from index: Int, _ happening: Happening) {
        guard engines[index].isChannelOpen, !engines[index].isWrittenOff else { return }
        if engines[index].isCut { return engines[index].held.append(happening) }
        let engine = engines[index].id
        switch frame {
        case .ready(let slots):
            tell(.engineJoined(engine, slots: slots, roundTrip: .nanoseconds(Int64(2 * engines[index].delay))))
        case .started(let assignment, _, _, _): tell(.taskStarted(engine, assignment))
        case .filesFollow(let assignment): tell(.filesAwaited(engine, assignment))
        case .finished(let assignment, let cylinder, let outcome):
            tell(.taskFinished(engine, assignment, cylinder: cylinder, outcome))
        case .returned(let assignments): tell(.assignmentsReturned(engine, assignments))
        case .withdrawn(let assignment): tell(.assignmentWithdrawn(engine, assignment))
        case .leaseAcknowledged(let sentAt): tell(.leaseAcknowledged(engine, sentAt: sentAt))
        case .hello, .refused, .signal, .log, .followed, .output, .cpuUsed: break
        case .stagedEntriesWanted, .fileBegan, .fileData, .fileEnded, .placesWanted: break
        }
    }

    func channelEnded(_ index: Int) {
        guard !engines[index].isWrittenOff else { return }
        engines[index].isChannelOpen = false
        tell(.engineSilent(engines[index].id))
    }

    /// What is known to be gone reports nothing any more; another may take its place.
    func goneKnown(_ index: Int) {
        guard !engines[index].isWrittenOff else { return }
        engines[index].isWrittenOff = true
        engines[index].isChannelOpen = false
        // As the driver does, most of the time: the spare is there before the loss is told of.
        if !engines[index].leftInOrder, sparesLeft > 0 { launchSpare(in: engines[index].context) }
        tell(.engineGone(engines[index].id))
    }

    private func launchSpare(in context: ContextID) {
        sparesLeft -= 1
        if random.chance(0.7) {
            launch(in: context)
        } else {
            queue.add(.launch(context), at: now + Int64(random.between(0, 2e10)))
        }
    }

    /// The driver closes an engine's channel and ends its launcher, mostly; or no way is left to do so.
    func abandon(_ index: Int) {
        guard engines[index].isUp else {
            // Whatever was about to become an engine, or was one, is no more.
            engines[index].isOver = true
            if engines[index].isChannelOpen || random.chance(0.5) { learnEnd(of: index) }
            return
        }
        if engines[index].isChannelOpen, random.chance(parameters.lateReportRate) { return }
        let wasOpen = engines[index].isChannelOpen
        engines[index].isChannelOpen = false
        // Where the channel's end is proof enough, so is the launcher's.
        if wasOpen || scheduler.lease(of: EngineID(index)) == nil {
            queue.add(.engineOrphaned(index), at: now + travel(engines[index].delay))
        }
        guard sparesLeft > 0 else { return }
        sparesLeft -= 1
        queue.add(.launch(engines[index].context), at: now)
    }

    /// Lets the driver know, in a while, that an engine is gone.
    func learnEnd(of index: Int) {
        queue.add(.goneKnown(index), at: max(engines[index].lastUp, now) + travel(engines[index].delay) + 1)
    }
}
