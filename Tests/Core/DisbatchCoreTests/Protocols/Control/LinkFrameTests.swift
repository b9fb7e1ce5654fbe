import DisbatchCore
import Testing

/// What clients and drivers say of one task comes to the other end as it was.
@Suite struct LinkFrameTests {
    private static let piece = OutputPiece(stream: .error, offset: 1 << 62 - 1, bytes: [0, 255, 10])

    private static let ending: TailEnding = {
        let time = Timestamp(microseconds: 5)
        var outcome = TaskOutcome(
            pid: 1, returnCode: -15, ending: .killed, start: time, finish: Timestamp(microseconds: 1_500_005))
        outcome.out = OutputSummary(count: 3, edges: [1, 2, 3])
        return TailEnding(outcome, attempt: 2, isFinal: true)
    }()

    @Test(arguments: [
        TailNews.waits, .began(TailBeginning(engine: EngineID(3), node: "nöde", attempt: 2, out: .max, err: 0)),
        .output(piece), .output(OutputPiece(stream: .output, offset: 0, bytes: [])), .ended(ending),
    ])
    func newsOfATask(news: TailNews) throws {
        var writer = FrameWriter()
        ServerFrame.tail(news).encode(into: &writer)
        var frames = FrameBuffer()
        frames.append(writer.take())
        let read = try frames.next { (kind, reader) throws(WireError) in
            try ServerFrame.decode(kind: kind, &reader)
        }
        #expect(read == .tail(news))
    }

    @Test func theEndOfATask() {
        #expect(Self.ending.elapsed == 1.5)
        #expect(Self.ending.out == 3 && Self.ending.err == 0)
    }

    @Test(arguments: [ClientFrame.tail(TaskID(.max)), .control(.kill(TaskID(7)))])
    func requests(frame: ClientFrame) throws {
        var writer = FrameWriter()
        frame.encode(into: &writer)
        var frames = FrameBuffer()
        frames.append(writer.take())
        let read = try frames.next { (kind, reader) throws(WireError) in
            try ClientFrame.decode(kind: kind, &reader)
        }
        #expect(read == frame)
    }

    @Test(arguments: [nil, 0, 0.5, 1.25]) func engines(share: Double?) throws {
        var engine = EngineSnapshot(
            id: EngineID(1), context: ContextID(2), label: "SSH0", node: "n", state: .active, slots: 4, assigned: 5,
            finished: 6, failed: 7, heard: Timestamp(microseconds: 8))
        engine.cpuShare = share
        var snapshot = RunSnapshot()
        snapshot.engines = [engine]
        var writer = FrameWriter()
        ServerFrame.snapshot(snapshot).encode(into: &writer)
        var frames = FrameBuffer()
        frames.append(writer.take())
        let read = try frames.next { (kind, reader) throws(WireError) in
            try ServerFrame.decode(kind: kind, &reader)
        }
        #expect(read == .snapshot(snapshot))
    }
}
