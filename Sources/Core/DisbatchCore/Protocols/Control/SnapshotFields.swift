// The parts of link frames that are about the state of a run.

extension FrameWriter {
    mutating func write(_ snapshot: RunSnapshot) {
        writeInteger(snapshot.phase.rawValue)
        writeInteger(snapshot.time.microseconds)
        writeInteger(snapshot.start.microseconds)
        write(snapshot.totals)
        writeOptional(snapshot.totalTasks) { $0.writeInt($1) }
        writeInt(snapshot.running)
        writeInteger(snapshot.rate.bitPattern)
        writeList(snapshot.engines) { $0.write($1) }
        writeList(snapshot.failures) { $0.write($1) }
    }

    private mutating func write(_ totals: RunTotals) {
        for count in [
            totals.finished, totals.failed, totals.lost, totals.skipped, totals.skippedFailed, totals.retried,
            totals.perEngineFailed, totals.enginesLost,
        ] {
            writeInt(count)
        }
    }

    private mutating func write(_ engine: EngineSnapshot) {
        writeInt(engine.id.rawValue)
        writeInt(engine.context.rawValue)
        writeString(engine.label)
        writeString(engine.node)
        writeInteger(engine.state.rawValue)
        for count in [engine.slots, engine.assigned, engine.finished, engine.failed] { writeInt(count) }
        writeInteger(engine.heard.microseconds)
        writeOptional(engine.cpuShare?.bitPattern) { $0.writeInteger($1) }
    }

    private mutating func write(_ failure: FailureSnapshot) {
        writeInt(failure.task.rawValue)
        writeInt(failure.line)
        writeString(failure.node)
        writeInteger(failure.returnCode)
        writeInteger(failure.finish.microseconds)
        writeInteger(failure.elapsed.bitPattern)
        writeBytes(failure.error)
        writeBytes(failure.command)
    }

    mutating func write(_ task: RunningTask) {
        writeInt(task.task.rawValue)
        writeInt(task.line)
        writeInt(task.attempt)
        writeInt(task.engine.rawValue)
        writeString(task.node)
        writeInteger(task.seconds.bitPattern)
        writeBytes(task.command)
    }
}

extension FrameReader {
    /// A number that is one, and that can be shown as a whole one.
    mutating func readDouble() throws(WireError) -> Double {
        let number = Double(bitPattern: try readInteger(UInt64.self))
        guard number.isFinite, number.magnitude < 1e15 else { throw invalidValue }
        return number
    }

    /// A time that is less than 36 000 years from 1970: differences of any two, and sums with them, are numbers.
    mutating func readTimestamp() throws(WireError) -> Timestamp {
        let time = Timestamp(microseconds: try readInteger())
        guard time.microseconds.magnitude < 1 << 60 else { throw invalidValue }
        return time
    }

    /// How many there are of something: sums of a few such are numbers too.
    private mutating func readTally() throws(WireError) -> Int {
        let count = try readInt()
        guard 0..<1 << 50 ~= count else { throw invalidValue }
        return count
    }

    mutating func readSnapshot() throws(WireError) -> RunSnapshot {
        var snapshot = RunSnapshot()
        snapshot.phase = try readCase()
        snapshot.time = try readTimestamp()
        snapshot.start = try readTimestamp()
        snapshot.totals = try readTotals()
        snapshot.totalTasks = try readOptional { (r) throws(WireError) in try r.readTally() }
        snapshot.running = try readTally()
        snapshot.rate = try readDouble()
        snapshot.engines = try readList { (r) throws(WireError) in try r.readEngineSnapshot() }
        snapshot.failures = try readList { (r) throws(WireError) in try r.readFailure() }
        return snapshot
    }

    private mutating func readTotals() throws(WireError) -> RunTotals {
        var totals = RunTotals()
        totals.finished = try readTally()
        totals.failed = try readTally()
        totals.lost = try readTally()
        totals.skipped = try readTally()
        totals.skippedFailed = try readTally()
        totals.retried = try readTally()
        totals.perEngineFailed = try readTally()
        totals.enginesLost = try readTally()
        return totals
    }

    private mutating func readEngineSnapshot() throws(WireError) -> EngineSnapshot {
        let id = EngineID(try readInt())
        let context = ContextID(try readInt())
        let label = try readString()
        let node = try readString()
        let state: EngineSnapshot.State = try readCase()
        let slots = try readTally()
        let assigned = try readTally()
        let finished = try readTally()
        let failed = try readTally()
        var engine = EngineSnapshot(
            id: id, context: context, label: label, node: node, state: state, slots: slots, assigned: assigned,
            finished: finished, failed: failed, heard: try readTimestamp())
        engine.cpuShare = try readOptional { (r) throws(WireError) in try r.readDouble() }
        return engine
    }

    private mutating func readFailure() throws(WireError) -> FailureSnapshot {
        let task = TaskID(try readInt())
        let line = try readInt()
        let node = try readString()
        let returnCode = try readInteger(Int32.self)
        let finish = try readTimestamp()
        let elapsed = try readDouble()
        let error = try readBytes()
        return FailureSnapshot(
            task: task, line: line, node: node, returnCode: returnCode, finish: finish, elapsed: elapsed,
            error: error, command: try readBytes())
    }

    mutating func readRunningTask() throws(WireError) -> RunningTask {
        let task = TaskID(try readInt())
        let line = try readInt()
        let attempt = try readInt()
        let engine = EngineID(try readInt())
        let node = try readString()
        let seconds = try readDouble()
        return RunningTask(
            task: task, line: line, attempt: attempt, engine: engine, node: node, seconds: seconds,
            command: try readBytes())
    }
}
