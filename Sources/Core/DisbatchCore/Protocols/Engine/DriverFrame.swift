/// A message from the driver to an engine.
package enum DriverFrame: Equatable, Sendable {
    /// The first frame: what the run and this engine are about.
    case configure(EngineConfiguration)
    case run(Assignment)
    /// Give back up to so many tasks that wait, the latest first.
    case recall(count: Int)
    /// The engine's tasks may live for `lease` (nil: for ever) from `sentAt`, a time of the driver's clock, which the
    /// engine sends back.
    case lease(sentAt: Instant, lease: Duration?)
    case endTasks(atOnce: Bool)
    case shutDown
    /// Files that the engine is to have, of which it says what it lacks after the last part of the list.
    case stagedEntries([StagedEntry], isLast: Bool)
    /// The next bytes of what it lacks, in the order in which it asked.
    case stagedData([UInt8])
    /// A file can't be sent.
    case stagingFailed(reason: String)
    /// The number of further bytes of files that may come home.
    case stageOutCredit(Int)
    /// All files of a task are at home, or can't be.
    case filesKept(AssignmentID, areWhole: Bool)
    /// The places at home that were asked for are this task's, but for the one that another task has.
    case placesGiven(AssignmentID, taken: [UInt8]?)
    /// End one task as by ``endTasks(atOnce:)``, for good; one that waits is not started.
    case endTask(AssignmentID, atOnce: Bool)
    /// Copy what a task writes from now on, or from its start; or do so no more. It may come before the task.
    case follow(AssignmentID, Bool)
    /// The number of bytes of copied output that have come since this was last said.
    case outputTaken(Int)
}

extension DriverFrame {
    private enum Kind: UInt8 {
        case configure = 1
        case run, recall, lease, endTasks, shutDown, stagedEntries, stagedData, stagingFailed, stageOutCredit, filesKept
        case placesGiven, endTask, follow, outputTaken
    }

    /// Appends the frame, length first.
    package func encode(into writer: inout FrameWriter) {
        switch self {
        case .configure(let configuration):
            writer.frame(Kind.configure.rawValue) { $0.write(configuration) }
        case .run(let assignment): writer.frame(Kind.run.rawValue) { $0.write(assignment) }
        case .recall(let count): writer.frame(Kind.recall.rawValue) { $0.writeInt(count) }
        case .lease(let sentAt, let lease):
            writer.frame(Kind.lease.rawValue) {
                $0.writeInteger(sentAt.nanoseconds)
                $0.writeOptional(lease) { $0.writeDuration($1) }
            }
        case .endTasks(let atOnce): writer.frame(Kind.endTasks.rawValue) { $0.writeBool(atOnce) }
        case .shutDown: writer.frame(Kind.shutDown.rawValue) { _ in }
        case .stagedEntries(let entries, let isLast):
            writer.frame(Kind.stagedEntries.rawValue) {
                $0.writeBool(isLast)
                $0.writeList(entries) { $0.write($1) }
            }
        case .stagedData(let bytes): writer.frame(Kind.stagedData.rawValue) { $0.writeBytes(bytes) }
        case .stagingFailed(let reason): writer.frame(Kind.stagingFailed.rawValue) { $0.writeString(reason) }
        case .stageOutCredit(let count): writer.frame(Kind.stageOutCredit.rawValue) { $0.writeInt(count) }
        case .filesKept(let id, let areWhole):
            writer.frame(Kind.filesKept.rawValue) {
                $0.writeInteger(id.rawValue)
                $0.writeBool(areWhole)
            }
        case .placesGiven(let id, let taken):
            writer.frame(Kind.placesGiven.rawValue) {
                $0.writeInteger(id.rawValue)
                $0.writeOptional(taken) { $0.writeBytes($1) }
            }
        case .endTask(let id, let atOnce):
            writer.frame(Kind.endTask.rawValue) {
                $0.writeInteger(id.rawValue)
                $0.writeBool(atOnce)
            }
        case .follow(let id, let isWanted):
            writer.frame(Kind.follow.rawValue) {
                $0.writeInteger(id.rawValue)
                $0.writeBool(isWanted)
            }
        case .outputTaken(let count): writer.frame(Kind.outputTaken.rawValue) { $0.writeInt(count) }
        }
    }

    /// Reads the body of a frame of this kind.
    package static func decode(kind: UInt8, _ reader: inout FrameReader) throws(WireError) -> DriverFrame {
        switch Kind(rawValue: kind) {
        case .configure: return .configure(try reader.readEngineConfiguration())
        case .run: return .run(try reader.readAssignment())
        case .recall: return .recall(count: try reader.readInt())
        case .lease:
            let sentAt = Instant(nanoseconds: try reader.readInteger())
            return .lease(
                sentAt: sentAt, lease: try reader.readOptional { (r) throws(WireError) in try r.readDuration() })
        case .endTasks: return .endTasks(atOnce: try reader.readBool())
        case .shutDown: return .shutDown
        case .stagedEntries:
            let isLast = try reader.readBool()
            let entries = try reader.readList { (r) throws(WireError) in try r.readStagedEntry() }
            return .stagedEntries(entries, isLast: isLast)
        case .stagedData: return .stagedData(try reader.readBytes())
        case .stagingFailed: return .stagingFailed(reason: try reader.readString())
        case .stageOutCredit: return .stageOutCredit(try reader.readInt())
        case .filesKept:
            let id = AssignmentID(try reader.readInteger())
            return .filesKept(id, areWhole: try reader.readBool())
        case .placesGiven:
            let id = AssignmentID(try reader.readInteger())
            return .placesGiven(id, taken: try reader.readOptional { (r) throws(WireError) in try r.readBytes() })
        case .endTask:
            let id = AssignmentID(try reader.readInteger())
            return .endTask(id, atOnce: try reader.readBool())
        case .follow:
            let id = AssignmentID(try reader.readInteger())
            return .follow(id, try reader.readBool())
        case .outputTaken: return .outputTaken(try reader.readInt())
        case nil: throw .unknownKind(kind)
        }
    }
}

extension FrameWriter {
    fileprivate mutating func write(_ assignment: Assignment) {
        writeInteger(assignment.id.rawValue)
        switch assignment.kind {
        case .task: writeInteger(UInt8(0))
        case .perEngine(let phase): writeInteger(1 + phase.rawValue)
        }
        writeInt(assignment.spec.id.rawValue)
        writeInt(assignment.spec.streamIndex)
        writeInt(assignment.spec.repeatIndex)
        writeInteger(UInt32(clamping: assignment.attempt))
        writeOptional(assignment.timeLimit) { $0.writeDuration($1) }
        writeBytes(assignment.spec.command)
    }

    fileprivate mutating func write(_ configuration: EngineConfiguration) {
        writeInt(configuration.rank.rawValue)
        writeInt(configuration.slots)
        writeInt(configuration.coresPerTask)
        writeInteger(configuration.binding.rawValue)
        writeInteger(configuration.nodeKind.rawValue)
        writeBytes(configuration.workingDirectory)
        writeBool(configuration.makesWorkingDirectory)
        writeList(configuration.environment) { $0.writeBytes($1) }
        writeList(configuration.extraEnvironment) { $0.writeBytes($1) }
        writeList(configuration.sharedVariables) { $0.writeBytes($1) }
        writeBytes(configuration.jobID)
        writeBytes(configuration.taskFileName)
        write(configuration.tasks)
        writeOptional(configuration.captureDirectory) { $0.writeBytes($1) }
        writeOptional(configuration.staging.isNeeded ? configuration.staging : nil) { $0.write($1) }
        writeList(configuration.lostGuards) { $0.writeString($1) }
    }
}

extension FrameReader {
    fileprivate mutating func readAssignment() throws(WireError) -> Assignment {
        let id = AssignmentID(try readInteger())
        let kindByte = try readInteger(UInt8.self)
        let kind: AssignmentKind
        if kindByte == 0 {
            kind = .task
        } else if let phase = PerEnginePhase(rawValue: kindByte - 1) {
            kind = .perEngine(phase)
        } else {
            throw invalidValue
        }
        let task = TaskID(try readInt())
        let streamIndex = try readInt()
        let repeatIndex = try readInt()
        let attempt = try readCount()
        let timeLimit = try readOptional { (r) throws(WireError) in try r.readDuration() }
        let spec = TaskSpec(
            id: task, streamIndex: streamIndex, repeatIndex: repeatIndex, command: try readBytes())
        return Assignment(id: id, kind: kind, spec: spec, attempt: attempt, timeLimit: timeLimit)
    }

    fileprivate mutating func readEngineConfiguration() throws(WireError) -> EngineConfiguration {
        let rank = EngineID(try readInt())
        let slots = try readInt()
        guard slots >= 1, slots <= 1 << 20 else { throw invalidValue }
        var configuration = EngineConfiguration(rank: rank, slots: slots, workingDirectory: [])
        configuration.coresPerTask = try readInt()
        configuration.binding = try readCase()
        configuration.nodeKind = try readCase()
        configuration.workingDirectory = try readBytes()
        configuration.makesWorkingDirectory = try readBool()
        configuration.environment = try readByteLists()
        configuration.extraEnvironment = try readByteLists()
        configuration.sharedVariables = try readByteLists()
        configuration.jobID = try readBytes()
        configuration.taskFileName = try readBytes()
        configuration.tasks = try readTaskSettings()
        configuration.captureDirectory = try readOptional { (r) throws(WireError) in try r.readBytes() }
        let staging = try readOptional { (r) throws(WireError) in try r.readEngineStaging() }
        if let staging { configuration.staging = staging }
        configuration.lostGuards = try readList { (r) throws(WireError) in try r.readString() }
        return configuration
    }

    private mutating func readByteLists() throws(WireError) -> [[UInt8]] {
        try readList { (r) throws(WireError) in try r.readBytes() }
    }
}
