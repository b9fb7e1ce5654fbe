import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

/// What an engine copies of its tasks' output, and what it tells of their CPU time.
@Suite(.blocking) struct EngineFollowingTests {
    private func pieces(_ engine: EngineClient, of id: UInt64, _ stream: TaskOutputStream) -> [OutputPiece] {
        engine.frames.compactMap { frame in
            if case .output(AssignmentID(id), let piece) = frame, piece.stream == stream { piece } else { nil }
        }
    }

    /// Asked for before the task has come; its streams are watched late, or not at all before it ends.
    @Test(arguments: WaitWay.allCases, ["", "sleep 0.05; "]) func aTaskIsFollowedFromItsStart(
        way: WaitWay, pause: String
    ) throws {
        let engine = try EngineClient(way)
        try engine.configure()
        try engine.send(.follow(AssignmentID(1), true))
        let id = try engine.assign("echo one; \(pause)echo two; echo three >&2")
        let outcome = try engine.outcome(of: id)
        #expect(outcome.out.count == 8)
        #expect(engine.frames.contains(.followed(AssignmentID(id), out: 0, err: 0)))
        #expect(pieces(engine, of: id, .output).flatMap(\.bytes) == Array("one\ntwo\n".utf8))
        #expect(pieces(engine, of: id, .error).flatMap(\.bytes) == Array("three\n".utf8))
        let other = try engine.assign("echo four")
        _ = try engine.outcome(of: other)
        #expect(pieces(engine, of: other, .output).isEmpty, "nobody asked")
    }

    /// What is not said to have come is not added to; the task goes on, and the gap shows.
    @Test func moreThanTheDriverTakes() throws {
        let engine = try EngineClient()
        try engine.configure()
        try engine.send(.follow(AssignmentID(1), true))
        let id = try engine.assign(
            "head -c 5000000 /dev/zero; touch all; until [ -e go ]; do sleep 0.01; done; echo end")
        try #require(eventually { engine.directory.exists("all") })
        // What is still in the pipe is read first, sooner or later.
        try #require(eventually { (try? written(by: id, engine)) == 5_000_000 })
        let came = pieces(engine, of: id, .output)
        let sum = came.reduce(0) { $0 + $1.bytes.count }
        #expect(sum > 0 && sum <= EngineProtocol.outputWindow)
        try engine.send(.outputTaken(sum))
        try engine.directory.write("", to: "go")
        #expect(try engine.outcome(of: id).out.count == 5_000_004)
        #expect(
            pieces(engine, of: id, .output).last
                == OutputPiece(stream: .output, offset: 5_000_000, bytes: Array("end\n".utf8)))
    }

    @Test func nothingMoreIsCopiedWhenNobodyAsks() throws {
        let engine = try EngineClient()
        try engine.configure()
        let id = try engine.assign("echo a; touch on; until [ -e go ]; do sleep 0.01; done; echo b")
        try #require(eventually { engine.directory.exists("on") })
        try engine.send(.follow(AssignmentID(id), true))
        _ = try engine.next { if case .followed = $0 { true } else { false } }
        try engine.send(.follow(AssignmentID(id), false))
        // Its answer shows that what came before it was heard.
        try engine.send(.lease(sentAt: Instant(nanoseconds: 1), lease: nil))
        _ = try engine.next { $0 == .leaseAcknowledged(sentAt: Instant(nanoseconds: 1)) }
        try engine.directory.write("", to: "go")
        #expect(try engine.outcome(of: id).out.count == 4)
        #expect(!pieces(engine, of: id, .output).flatMap(\.bytes).contains(UInt8(ascii: "b")))
    }

    // MARK: CPU time

    /// What ended counts, also where nobody but the guard waits for it, and so does what runs.
    @Test func processorTime() throws {
        let engine = try EngineClient()
        try engine.configure()
        let burn = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
        let used = try engine.run("( ( \(burn); touch done ) & ); until [ -e done ]; do sleep 0.01; done; \(burn)")
        let own = used.userMicroseconds + used.systemMicroseconds
        let ended = try processorTime(engine, token: 1)
        #expect(ended >= own + own / 4, "an orphan's time counts: \(ended), \(own) of the task's own")
        let id = try engine.assign("touch on; while [ ! -e go ]; do :; done")
        try #require(eventually { engine.directory.exists("on") })
        var token: Int64 = 2
        try #require(
            eventually {
                token += 1
                return ((try? processorTime(engine, token: token)) ?? 0) > ended + 50_000
            })
        try engine.directory.write("", to: "go")
        _ = try engine.outcome(of: id)
    }

    private func processorTime(_ engine: EngineClient, token: Int64) throws -> Int64 {
        let frame = try answer(to: .lease(sentAt: Instant(nanoseconds: token), lease: nil), from: engine) {
            if case .cpuUsed = $0 { true } else { false }
        }
        guard case .cpuUsed(let microseconds, _) = frame else { return 0 }
        return microseconds
    }

    /// What a task that is followed has written to its standard output, as its engine has it.
    private func written(by id: UInt64, _ engine: EngineClient) throws -> UInt64 {
        let frame = try answer(to: .follow(AssignmentID(id), true), from: engine) {
            if case .followed = $0 { true } else { false }
        }
        guard case .followed(_, let out, _) = frame else { return 0 }
        return out
    }

    private func answer(
        to frame: DriverFrame, from engine: EngineClient, _ isWanted: (EngineFrame) -> Bool
    ) throws -> EngineFrame {
        let before = engine.frames.count
        try engine.send(frame)
        var place = 0
        return try engine.next { frame in
            place += 1
            return place > before && isWanted(frame)
        }
    }
}
