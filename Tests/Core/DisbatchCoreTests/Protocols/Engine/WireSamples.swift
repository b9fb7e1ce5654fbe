import DisbatchCore

/// Frames of every kind, with the values that are most likely to go wrong.
enum WireSamples {
    static let driver: [DriverFrame] = {
        var frames = configurations.map { DriverFrame.configure($0) }
        frames += assignments.map { DriverFrame.run($0) }
        frames += plainDriverFrames
        return frames
    }()

    private static let plainDriverFrames: [DriverFrame] = [
        .recall(count: 0), .recall(count: .max), .recall(count: -1),
        .lease(sentAt: Instant(nanoseconds: 0), lease: nil),
        .lease(sentAt: Instant(nanoseconds: .max), lease: .nanoseconds(Int64.max)),
        .lease(sentAt: Instant(nanoseconds: .min), lease: .zero),
        .lease(sentAt: Instant(nanoseconds: 5), lease: .nanoseconds(Int64.min)),
        .endTasks(atOnce: true), .endTasks(atOnce: false), .shutDown,
        .stagedEntries([], isLast: true), .stagedEntries(entries, isLast: false), .stagedData([]),
        .stagedData([0, 255]), .stagingFailed(reason: "weg: ü"), .stageOutCredit(.max),
        .filesKept(AssignmentID(.max), areWhole: true), .filesKept(AssignmentID(0), areWhole: false),
        .placesGiven(AssignmentID(.max), taken: nil), .placesGiven(AssignmentID(0), taken: [0xff, 47]),
        .endTask(AssignmentID(.max), atOnce: true), .endTask(AssignmentID(0), atOnce: false),
        .follow(AssignmentID(.max), true), .follow(AssignmentID(0), false), .outputTaken(.max), .outputTaken(.min),
    ]

    private static let entries = [
        StagedEntry(
            kind: .file, path: [0xff], source: Array("/a b".utf8), size: .max, mode: .max, modified: .min,
            inode: .max),
        StagedEntry(kind: .directory, path: [], source: [], size: 0, mode: 0, modified: .max),
    ]

    private static let configurations: [EngineConfiguration] = {
        let plain = EngineConfiguration(rank: EngineID(0), slots: 1, workingDirectory: [])
        var full = EngineConfiguration(rank: EngineID(.max), slots: 1 << 20, workingDirectory: Array("/a b\t\n".utf8))
        full.coresPerTask = .max
        full.binding = .cores
        full.nodeKind = .gridEngine
        full.environment = [Array("A=1".utf8), [], [255, 254, 0, 61]]
        full.extraEnvironment = [Array("B=".utf8)]
        full.sharedVariables = [Array("CUDA_VISIBLE_DEVICES".utf8), Array("X".utf8)]
        full.jobID = Array("Tasks_disBatch_1".utf8)
        full.taskFileName = [0xff]
        full.tasks.timeout = .zero
        full.tasks.killAfter = .nanoseconds(1)
        full.captureDirectory = []
        full.tasks.alwaysUsesShell = true
        full.staging.taskRoot = Array("run_tasks".utf8)
        full.staging.rules = [
            StageOutRule(pattern: Array("*.dat".utf8), directory: nil),
            StageOutRule(pattern: [0xff], directory: Array("/out/%t".utf8)),
        ]
        full.staging.rules[1].base = Array("/out".utf8)
        full.staging.home = Array("/home".utf8)
        full.staging.mark = Array(".disbatch-1".utf8)
        full.staging.stagesIn = true
        full.lostGuards = ["12.345", ""]
        var slurm = plain
        slurm.nodeKind = .slurm
        slurm.tasks.timeout = .nanoseconds(Int64.max)
        slurm.captureDirectory = Array("/tmp".utf8)
        return [plain, full, slurm]
    }()

    private static let assignments: [Assignment] = {
        func assignment(
            _ id: UInt64, _ kind: AssignmentKind, command: [UInt8], attempt: Int = 1, limit: Duration? = nil
        ) -> Assignment {
            let spec = TaskSpec(id: TaskID(Int(id % 7)), streamIndex: 3, repeatIndex: -1, command: command)
            return Assignment(id: AssignmentID(id), kind: kind, spec: spec, attempt: attempt, timeLimit: limit)
        }
        var extreme = assignment(.max, .task, command: [0, 255, 10], attempt: Int(UInt32.max), limit: .nanoseconds(-1))
        extreme.spec.id = TaskID(.max)
        extreme.spec.streamIndex = .min
        extreme.spec.repeatIndex = .max
        return [
            assignment(0, .task, command: []), assignment(1, .perEngine(.start), command: Array("echo".utf8)),
            assignment(2, .perEngine(.stop), command: [0xc3], limit: .seconds(10)), extreme,
            assignment(3, .task, command: [UInt8](repeating: 120, count: 200_000)),
        ]
    }()

    static let engine: [EngineFrame] = {
        var frames: [EngineFrame] = []
        for (place, outcome) in outcomes.enumerated() {
            frames.append(.finished(AssignmentID(UInt64(place)), cylinder: place - 1, outcome))
        }
        return frames + plainEngineFrames
    }()

    private static let plainEngineFrames: [EngineFrame] = [
        .hello(EngineHello(version: "", protocolVersion: 0, pid: -1, host: "", cores: 0)),
        .hello(
            EngineHello(version: "1.2-é", protocolVersion: .max, pid: .max, host: "näme", cores: .min, guardName: "1.2")
        ),
        .ready(slots: 0), .ready(slots: .max), .refused(reason: ""), .refused(reason: "kein Verzeichnis: ü\n"),
        .started(AssignmentID(.max), cylinder: -1, pid: .max, start: Timestamp(microseconds: 1 - 1 << 60)),
        .started(AssignmentID(0), cylinder: Int(Int32.max), pid: 1, start: Timestamp(microseconds: 1 << 60 - 1)),
        .returned([]), .returned([AssignmentID(1), AssignmentID(.max), AssignmentID(1)]),
        .leaseAcknowledged(sentAt: Instant(nanoseconds: .max)),
        .leaseAcknowledged(sentAt: Instant(nanoseconds: .min)),
        .signal(15), .signal(.min), .log(.debug, ""), .log(.critical, "a\u{0}b"),
        .stagedEntriesWanted([]), .stagedEntriesWanted([0, .max, .min]), .filesFollow(AssignmentID(.max)),
        .placesWanted(AssignmentID(.max), rule: .min, []), .placesWanted(AssignmentID(0), rule: 1, [[], [0xff]]),
        .fileBegan(
            ArrivingFile(assignment: AssignmentID(.max), rule: .max, path: [0, 47], mode: .max, modified: .min)),
        .fileBegan(ArrivingFile(assignment: AssignmentID(0), captured: .error, mode: 0, modified: .max)),
        .captureBegan(AssignmentID(.max)),
        .withdrawn(AssignmentID(.max)), .followed(AssignmentID(.max), out: .max, err: 0),
        .output(AssignmentID(.max), OutputPiece(stream: .output, offset: 1 << 62 - 1, bytes: [])),
        .output(AssignmentID(0), OutputPiece(stream: .error, offset: 0, bytes: [0, 10, 255])),
        .cpuUsed(microseconds: 1 << 60 - 1, at: Instant(nanoseconds: .min)),
        .fileData([]), .fileData([1, 0, 255]), .fileEnded(isWhole: true), .fileEnded(isWhole: false),
    ]

    private static let outcomes: [TaskOutcome] = {
        let start = Timestamp(microseconds: 1)
        var long = TaskOutcome(pid: .max, returnCode: .min + 1, ending: .engineLost, start: start, finish: start)
        long.out = OutputSummary(count: .max, edges: Array(0..<80))
        long.err = OutputSummary(count: 80, edges: [UInt8](repeating: 255, count: 80))
        long.userMicroseconds = .max
        long.systemMicroseconds = .min
        long.peakResidentKiB = .max
        var short = TaskOutcome(pid: -1, returnCode: 126, ending: .spawnFailed, start: start, finish: start)
        short.err = OutputSummary(count: 1, edges: [0])
        return [TaskOutcome(pid: 1, returnCode: 0, start: start, finish: start), short, long]
    }()

    /// A frame's bytes, its length included.
    static func bytes(_ frame: DriverFrame) -> [UInt8] {
        var writer = FrameWriter()
        frame.encode(into: &writer)
        return writer.take()
    }

    static func bytes(_ frame: EngineFrame) -> [UInt8] {
        var writer = FrameWriter()
        frame.encode(into: &writer)
        return writer.take()
    }

    /// A frame of this kind and body, whatever they are.
    static func frame(kind: UInt8, body: [UInt8]) -> [UInt8] {
        let length = UInt32(body.count + 1)
        return (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * UInt32($0))) } + [kind] + body
    }
}

extension FrameBuffer {
    mutating func append(_ bytes: some Collection<UInt8>) {
        Array(bytes).withUnsafeBytes { append($0) }
    }

    mutating func nextDriverFrame() throws(WireError) -> DriverFrame? {
        try next { (kind, reader) throws(WireError) in try DriverFrame.decode(kind: kind, &reader) }
    }

    mutating func nextEngineFrame() throws(WireError) -> EngineFrame? {
        try next { (kind, reader) throws(WireError) in try EngineFrame.decode(kind: kind, &reader) }
    }
}
