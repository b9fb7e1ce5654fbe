import DisbatchCore
import Testing

/// Bytes that are no frames: an error that says so, never a trap, never much memory.
struct BadFrameTests {
    /// Frames short enough to try every truncation of.
    static let driver = WireSamples.driver.filter { WireSamples.bytes($0).count < 500 }

    @Test(arguments: driver)
    func everyTruncationOfADriverFrameThrows(_ frame: DriverFrame) {
        let bytes = WireSamples.bytes(frame)
        for length in 0..<bytes.count - 5 {
            var buffer = FrameBuffer()
            buffer.append(WireSamples.frame(kind: bytes[4], body: Array(bytes[5..<5 + length])))
            #expect(throws: WireError.truncated(kind: bytes[4]), "\(length) of \(bytes.count - 5) bytes") {
                try buffer.nextDriverFrame()
            }
        }
    }

    @Test(arguments: WireSamples.engine)
    func everyTruncationOfAnEngineFrameThrows(_ frame: EngineFrame) {
        let bytes = WireSamples.bytes(frame)
        for length in 0..<bytes.count - 5 {
            var buffer = FrameBuffer()
            buffer.append(WireSamples.frame(kind: bytes[4], body: Array(bytes[5..<5 + length])))
            #expect(throws: WireError.truncated(kind: bytes[4]), "\(length) of \(bytes.count - 5) bytes") {
                try buffer.nextEngineFrame()
            }
        }
    }

    /// Any value of any one byte of a frame is read as some frame or refused.
    @Test func everyChangeOfOneByteIsSurvived() {
        for bytes in Self.driver.map({ WireSamples.bytes($0) }) + WireSamples.engine.map({ WireSamples.bytes($0) }) {
            for place in 4..<bytes.count {
                for value: UInt8 in [0, 1, 2, 5, 0x7f, 0x80, 0xff] {
                    var changed = bytes
                    changed[place] = value
                    Self.readBoth(changed)
                }
            }
        }
    }

    /// Numbers with which nobody can reckon: times whose differences are none, a code that has no negative.
    @Test(arguments: [
        EngineFrame.started(AssignmentID(0), cylinder: 0, pid: 1, start: Timestamp(microseconds: .max)),
        .finished(AssignmentID(0), cylinder: 0, outcome(code: .min)),
        .finished(AssignmentID(0), cylinder: 0, outcome(start: .min)),
        .finished(AssignmentID(0), cylinder: 0, outcome(finish: 1 << 60)),
        .cpuUsed(microseconds: -1, at: Instant(nanoseconds: 0)),
        .cpuUsed(microseconds: .max, at: Instant(nanoseconds: 0)),
        .output(AssignmentID(0), OutputPiece(stream: .output, offset: .max, bytes: [1])),
    ])
    func impossibleNumbersAreRefused(_ frame: EngineFrame) {
        let bytes = WireSamples.bytes(frame)
        var buffer = FrameBuffer()
        bytes.withUnsafeBytes { buffer.append($0) }
        #expect(throws: WireError.invalidValue(kind: bytes[4])) { try buffer.nextEngineFrame() }
    }

    private static func outcome(code: Int32 = 0, start: Int64 = 0, finish: Int64 = 0) -> TaskOutcome {
        TaskOutcome(
            pid: 1, returnCode: code, start: Timestamp(microseconds: start), finish: Timestamp(microseconds: finish))
    }

    private static let wrongSnapshots: [RunSnapshot] = {
        var (early, many, negative, endless) = (RunSnapshot(), RunSnapshot(), RunSnapshot(), RunSnapshot())
        early.start = Timestamp(microseconds: .min)
        many.totals.finished = .max
        negative.running = -1
        endless.rate = .infinity
        return [early, many, negative, endless]
    }()

    /// A watcher reckons with the times and counts of a picture of the run.
    @Test(arguments: wrongSnapshots)
    func snapshotsWithImpossibleNumbersAreRefused(_ snapshot: RunSnapshot) {
        var writer = FrameWriter()
        ServerFrame.snapshot(snapshot).encode(into: &writer)
        var buffer = FrameBuffer()
        writer.withUnsafeBytes { buffer.append($0) }
        #expect(throws: WireError.invalidValue(kind: 66)) {
            try buffer.next { (kind, reader) throws(WireError) in try ServerFrame.decode(kind: kind, &reader) }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomBodiesOfEveryKindAreSurvived(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        for kind in [UInt8](0...8) + [UInt8](63...76) + [255] {
            for _ in 0..<50 {
                let length = Int.random(in: 0..<120, using: &numbers)
                // Small values make counts and lengths that can be met.
                let top: UInt8 = Bool.random(using: &numbers) ? 3 : 255
                Self.readBoth(
                    WireSamples.frame(
                        kind: kind, body: (0..<length).map { _ in UInt8.random(in: 0...top, using: &numbers) }))
            }
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomStreamsAreSurvived(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        for _ in 0..<200 {
            let length = Int.random(in: 0..<300, using: &numbers)
            Self.readBoth((0..<length).map { _ in UInt8.random(in: 0...255, using: &numbers) })
        }
    }

    /// Reads bytes as each side would; errors are fine.
    private static func readBoth(_ bytes: [UInt8]) {
        var buffer = FrameBuffer()
        buffer.append(bytes)
        while let frame = try? buffer.nextDriverFrame() { _ = frame }
        buffer = FrameBuffer()
        buffer.append(bytes)
        while let frame = try? buffer.nextEngineFrame() { _ = frame }
    }

    @Test(arguments: [[0, 0, 0, 0], [1, 0, 0, 4], [255, 255, 255, 255], [0, 0, 0, 128]] as [[UInt8]])
    func impossibleLengthIsRefusedAtOnce(length: [UInt8]) {
        var buffer = FrameBuffer()
        buffer.append(length + [6])
        let number = length.enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        #expect(throws: WireError.frameTooLong(number)) { try buffer.nextDriverFrame() }
    }

    @Test func theLongestFrameIsWaitedForAndRead() throws {
        let overhead = WireSamples.bytes(Self.run(length: 0)).count - 4
        let longest = Self.run(length: FrameBuffer.maximumLength - overhead)
        let bytes = WireSamples.bytes(longest)
        var buffer = FrameBuffer()
        buffer.append(bytes[..<(bytes.count - 1)])
        #expect(try buffer.nextDriverFrame() == nil)
        buffer.append(bytes[(bytes.count - 1)...])
        // Not in #expect, which would print 64 MiB.
        let isSame = try buffer.nextDriverFrame() == longest
        #expect(isSame)
    }

    private static func run(length: Int) -> DriverFrame {
        let spec = TaskSpec(id: TaskID(0), streamIndex: 1, command: [UInt8](repeating: 97, count: length))
        return .run(Assignment(id: AssignmentID(1), kind: .task, spec: spec, attempt: 1))
    }

    @Test(arguments: [4_000_000_000, 1000, 17] as [UInt32])
    func aCountOfMoreThanThereIsIsRefused(count: UInt32) {
        let lie = (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * UInt32($0))) }
        // A list of two ids, a text of two letters.
        for (kind, body): (UInt8, [UInt8]) in [(70, [UInt8](repeating: 0, count: 16)), (67, [97, 98])] {
            var buffer = FrameBuffer()
            buffer.append(WireSamples.frame(kind: kind, body: lie + body))
            #expect(throws: WireError.truncated(kind: kind)) { try buffer.nextEngineFrame() }
        }
    }

    @Test(arguments: [0, 30, 64, 255] as [UInt8])
    func unknownKind(kind: UInt8) {
        var buffer = FrameBuffer()
        buffer.append(WireSamples.frame(kind: kind, body: []))
        #expect(throws: WireError.unknownKind(kind)) { try buffer.nextDriverFrame() }
        buffer = FrameBuffer()
        buffer.append(WireSamples.frame(kind: kind, body: []))
        #expect(throws: WireError.unknownKind(kind)) { try buffer.nextEngineFrame() }
    }

    /// A frame for one side is none for the other.
    @Test func sidesAreToldApart() {
        var buffer = FrameBuffer()
        buffer.append(WireSamples.bytes(DriverFrame.shutDown))
        #expect(throws: WireError.unknownKind(6)) { try buffer.nextEngineFrame() }
        buffer.append(WireSamples.bytes(EngineFrame.ready(slots: 1)))
        #expect(throws: WireError.unknownKind(66)) { try buffer.nextDriverFrame() }
    }

    /// A refused frame is passed over; the next one stands where it should.
    @Test func theFrameBehindABadOneIsFound() throws {
        var buffer = FrameBuffer()
        buffer.append(WireSamples.frame(kind: 99, body: [1, 2, 3]) + WireSamples.bytes(DriverFrame.shutDown))
        #expect(throws: WireError.unknownKind(99)) { try buffer.nextDriverFrame() }
        #expect(try buffer.nextDriverFrame() == .shutDown)
    }

    @Test func impossibleValues() {
        func expectInvalid(_ frame: DriverFrame, _ place: Int, _ value: UInt8) {
            var bytes = WireSamples.bytes(frame)
            bytes[place] = value
            var buffer = FrameBuffer()
            buffer.append(bytes)
            #expect(throws: WireError.invalidValue(kind: bytes[4])) { try buffer.nextDriverFrame() }
        }
        let spec = TaskSpec(id: TaskID(0), streamIndex: 1, command: [])
        expectInvalid(.run(Assignment(id: AssignmentID(0), kind: .task, spec: spec, attempt: 1)), 13, 3)
        let configuration = EngineConfiguration(rank: EngineID(0), slots: 1, workingDirectory: [])
        expectInvalid(.configure(configuration), 13, 0)  // no slots
        expectInvalid(.configure(configuration), 20, 0xff)  // a negative number of slots
        expectInvalid(.configure(configuration), 29, 2)  // binding
        expectInvalid(.configure(configuration), 30, 6)  // kind of node
    }

    /// The edges of an output are as long as its count says.
    @Test func outputEdgesMustFitTheirCount() {
        var outcome = TaskOutcome(
            pid: 1, returnCode: 0, start: Timestamp(microseconds: 0), finish: Timestamp(microseconds: 0))
        for (count, length) in [(1, 0), (1, 2), (79, 78), (80, 79), (81, 81), (1000, 40)] as [(UInt64, Int)] {
            outcome.out = OutputSummary(count: count, edges: [UInt8](repeating: 1, count: length))
            var buffer = FrameBuffer()
            buffer.append(WireSamples.bytes(EngineFrame.finished(AssignmentID(1), cylinder: 0, outcome)))
            #expect(throws: WireError.invalidValue(kind: 69), "\(length) bytes kept of \(count)") {
                try buffer.nextEngineFrame()
            }
        }
    }

    @Test(
        arguments: [
            (.frameTooLong(1 << 30), "a frame of 1073741824 bytes, at most 67108864 are allowed"),
            (.unknownKind(9), "a frame of unknown kind 9"),
            (.truncated(kind: 2), "a frame of kind 2 that ends too early"),
            (.invalidValue(kind: 65), "a frame of kind 65 with an impossible value"),
        ] as [(WireError, String)])
    func errorTexts(error: WireError, text: String) {
        #expect("\(error)" == text)
    }
}
