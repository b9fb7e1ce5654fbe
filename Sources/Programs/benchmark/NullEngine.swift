import DisbatchCore
import Glibc
import LinuxSystem
import Options

/// An engine without processes: every task ends as soon as it is read, always with the same return code.
///
/// A driver that is given it shows what the driver itself, the protocol and the files of a run cost. It takes in all
/// that one read brings and answers in one write.
struct NullEngine: ~Copyable {
    private let input = Descriptor(owning: 0)
    private let output = Descriptor(owning: 1)
    private var frames = FrameBuffer()
    private var writer = FrameWriter()
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private let returnCode: Int32
    private var slots = 1
    private var nextSlot = 0
    private var isDone = false

    init(returnCode: Int32) {
        self.returnCode = returnCode
    }

    /// Speaks the protocol on standard input and output until it is told to leave.
    mutating func run() throws {
        try output.writeAll(EngineProtocol.magicLine)
        EngineFrame.hello(
            EngineHello(
                version: disbatchVersion, protocolVersion: EngineProtocol.version, pid: getpid(), host: "null",
                cores: 1)
        ).encode(into: &writer)
        repeat {
            try output.writeAll(writer.take())
        } while try receive() && !isDone
    }

    /// Answers what one read brings. False at the end of the input.
    private mutating func receive() throws -> Bool {
        guard case .bytes(let count) = buffer.withUnsafeMutableBytes({ input.read(into: $0) }) else { return false }
        buffer.withUnsafeBytes { frames.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        let time = Timestamp(microseconds: SystemClock.wallMicroseconds())
        let decode = { (kind: UInt8, reader: inout FrameReader) throws(WireError) in
            try DriverFrame.decode(kind: kind, &reader)
        }
        while let frame = try frames.next(decode) { answer(frame, at: time) }
        return true
    }

    private mutating func answer(_ frame: DriverFrame, at time: Timestamp) {
        switch frame {
        case .configure(let configuration):
            slots = configuration.slots
            EngineFrame.ready(slots: slots).encode(into: &writer)
        case .run(let assignment): end(assignment.id, at: time)
        case .recall: EngineFrame.returned([]).encode(into: &writer)
        case .lease(let sentAt, _): EngineFrame.leaseAcknowledged(sentAt: sentAt).encode(into: &writer)
        case .endTasks, .endTask, .follow, .outputTaken: break
        case .stagedEntries, .stagedData, .stagingFailed, .stageOutCredit, .filesKept, .placesGiven: break
        case .shutDown: isDone = true
        }
    }

    private mutating func end(_ id: AssignmentID, at time: Timestamp) {
        nextSlot = (nextSlot + 1) % slots
        EngineFrame.started(id, cylinder: nextSlot, pid: 1, start: time).encode(into: &writer)
        let outcome = TaskOutcome(
            pid: 1, returnCode: returnCode, start: time, finish: time, userMicroseconds: 500, systemMicroseconds: 500,
            peakResidentKiB: 1024)
        EngineFrame.finished(id, cylinder: nextSlot, outcome).encode(into: &writer)
    }
}
