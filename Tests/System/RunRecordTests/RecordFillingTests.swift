import DisbatchCore
import Foundation
import TestSupport
import Testing

@testable import RunRecord

/// A record that lacks something, and the status file that has it.
@Suite(.blocking) struct RecordFillingTests {
    let directory = TemporaryDirectory()
    private var status: String { directory.path + "/x_status.txt" }

    private func writeStatus(_ ids: Range<Int>, failed: Set<Int> = []) throws {
        var rows: [UInt8] = []
        for id in ids { StatusRow.append(recorded(id, code: failed.contains(id) ? 3 : 0), to: &rows) }
        try Data(rows).write(to: URL(fileURLWithPath: status))
    }

    @Test func droppedEntriesAreFilledInAtTheEnd() throws {
        var limits = RecordLimits()
        limits.entries = 100
        let writer = openWriter(directory, limits: limits)
        let holder = try Database(path: directory.record)
        try holder.execute("BEGIN EXCLUSIVE")
        for turn in 0..<10 { writer.submit((0..<20).map { ended(20 * turn + $0) }) }
        #expect(writer.droppedCount == 100)
        try holder.execute("COMMIT")
        try writeStatus(0..<200)
        writer.submit([.runEnded(time: time(9), exitStatus: 0, summary: "done")])
        writer.close(filledFrom: status)
        #expect(writer.takeFailure() == nil)
        let database = try reader(directory.record)
        #expect(try database.rows("SELECT count(*), max(id), min(state) FROM task") == ["200|199|done"])
        #expect(try database.rows("SELECT count(*) FROM task WHERE cylinder = 3") == ["100"], "the others are kept")
        #expect(try database.rows("SELECT dropped, complete, summary FROM runs") == ["0|yes|done"])
        #expect(try database.integer("SELECT count(*) FROM attempt") == 0)
    }

    @Test func tasksThatTheRecordHasRunningGetTheirEnds() throws {
        let writer = openWriter(directory)
        writer.submit([started(0), started(1), ended(2)])
        writer.flush()
        try writeStatus(0..<2, failed: [1])
        let database = try Database(path: directory.record)
        #expect(try RecordFiller(database, status: status).findsMissing())
        let filler = try RecordFiller(database, status: status)
        while let rows = try filler.nextMissing() { try filler.add(rows) }
        #expect(try database.rows("SELECT id, state, attempts FROM task") == ["0|done|1", "1|failed|1", "2|done|1"])
        #expect(try !RecordFiller(database, status: status).findsMissing())
    }

    @Test func aLaterRunFillsInWhatAnEarlierOneLeftOut() throws {
        let writer = openWriter(directory)
        writer.submit([ended(0), .runEnded(time: time(9), exitStatus: 0, summary: "done")])
        writer.close()
        // A run without a record came in between.
        try writeStatus(0..<50)
        let later = RunRecordWriter(path: directory.record, appending: true, run: .sample, status: status)
        later.submit([ended(50)])
        later.close(filledFrom: status)
        #expect(later.takeFailure() == nil)
        let database = try reader(directory.record)
        #expect(try database.rows("SELECT count(*), max(id) FROM task") == ["51|50"])
        #expect(try database.integer("SELECT count(*) FROM run") == 2)
    }
}
