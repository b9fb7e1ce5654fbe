import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import RunRecord

/// Locks, full disks and files in the way: none holds up the run, and each is told.
@Suite(.blocking) struct RunRecordTroubleTests {
    let directory = TemporaryDirectory()

    /// Longer than any `submit` should take, and shorter than any lock is waited for.
    private static let atOnce = Duration.milliseconds(100)

    @Test(arguments: ["BEGIN; SELECT count(*) FROM task", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
    func aLockHoldsUpNoSubmitAndLosesNothing(lock: String) throws {
        let writer = openWriter(directory)
        let holder = try Database(path: directory.record)
        let query = try Statement(holder, "SELECT id FROM run")  // Holds the read lock until it is reset.
        try holder.execute(lock)
        _ = try query.next()
        for turn in 0..<50 {
            let before = ContinuousClock.now
            writer.submit((0..<100).map { ended(100 * turn + $0) })
            let took = ContinuousClock.now - before
            #expect(took < Self.atOnce, "submit took \(took) while \(lock)")
        }
        // Twice: at the commit, and before the transaction that is tried next.
        _ = writer.queue.wait { $0.lockedTries >= 2 ? true : nil }
        #expect(try holder.integer("SELECT count(*) FROM task") == 0)
        try query.run()
        try holder.execute("COMMIT")
        writer.flush()
        #expect(try holder.integer("SELECT count(*) FROM task") == 5_000)
        #expect(writer.droppedCount == 0)
        #expect(writer.takeFailure() == nil)
    }

    @Test func aNewReaderGetsInBetweenTheTries() throws {
        let writer = openWriter(directory)
        let holder = try Database(path: directory.record)
        try holder.execute("BEGIN; SELECT count(*) FROM task")
        let query = try Statement(holder, "SELECT id FROM run")
        _ = try query.next()
        writer.submit([ended(0)])
        _ = writer.queue.wait { $0.lockedTries >= 2 ? true : nil }
        let other = try reader(directory.record)
        other.setBusyTimeout(milliseconds: 5_000)
        #expect(try other.integer("SELECT count(*) FROM task") == 0)
    }

    @Test func beyondTheBoundsBatchesAreDroppedAndMarked() throws {
        var limits = RecordLimits()
        limits.entries = 100
        let writer = openWriter(directory, limits: limits)
        let holder = try Database(path: directory.record)
        try holder.execute("BEGIN EXCLUSIVE")
        for turn in 0..<10 {
            writer.submit((0..<20).map { ended(20 * turn + $0) })
        }
        #expect(writer.droppedCount == 100)
        writer.submit([ended(1_000), .totalKnown(200), .runEnded(time: time(9), exitStatus: 0, summary: "done")])
        #expect(writer.droppedCount == 101)
        try holder.execute("COMMIT")
        writer.flush()
        #expect(try holder.rows("SELECT count(*), max(id) FROM task") == ["100|99"])
        #expect(try holder.rows("SELECT dropped, complete, total_tasks, summary FROM runs") == ["101|no|200|done"])
        writer.submit([ended(1_000)])
        writer.flush()
        #expect(try holder.integer("SELECT count(*) FROM task") == 101, "the room was not given back")
    }

    @Test func theBoundCountsBytesToo() throws {
        var limits = RecordLimits()
        limits.bytes = 100_000
        let writer = openWriter(directory, limits: limits)
        let holder = try Database(path: directory.record)
        try holder.execute("BEGIN EXCLUSIVE")
        let long = String(repeating: "x", count: 60_000)
        writer.submit([.attemptEnded(recorded(0, command: long), isFinal: true)])
        writer.submit([.attemptEnded(recorded(1, command: long), isFinal: true)])
        writer.submit([.attemptEnded(recorded(2), isFinal: true)])
        try holder.execute("COMMIT")
        writer.flush()
        #expect(try holder.rows("SELECT id FROM task") == ["0", "2"])
        #expect(try holder.integer("SELECT dropped FROM run") == 1)
    }

    @Test func closeWaitsForALockOnlySoLong() throws {
        var limits = RecordLimits()
        limits.closeWait = .milliseconds(100)
        let writer = openWriter(directory, limits: limits)
        let holder = try Database(path: directory.record)
        try holder.execute("BEGIN EXCLUSIVE")
        writer.submit([ended(0), ended(1)])
        writer.close()
        #expect(writer.takeFailure()?.reason == .locked(unwritten: 2))
        #expect(writer.droppedCount == 2)
    }

    @Test func closeWritesOnceTheLockIsGone() throws {
        let writer = openWriter(directory)
        let path = directory.record
        let holder = try Database(path: path)
        try holder.execute("BEGIN EXCLUSIVE")
        writer.submit([ended(0)])
        let queue = writer.queue
        let thread = try WorkerThread(name: "closer") { [writer = Handed(writer)] in
            writer.value.close()
        }
        _ = queue.wait { $0.closeDeadline != nil && $0.lockedTries >= 2 ? true : nil }
        try holder.execute("COMMIT")
        thread.join()
        #expect(try holder.integer("SELECT count(*) FROM task") == 1)
    }

    /// A value that one thread hands to another and touches no more.
    private struct Handed<Value>: @unchecked Sendable {
        let value: Value
        init(_ value: Value) { self.value = value }
    }

    @Test func aFullDiskEndsTheRecordWithOneError() throws {
        var limits = RecordLimits()
        limits.maxPageCount = 40
        let writer = openWriter(directory, limits: limits)
        for turn in 0..<20 {
            writer.submit((0..<200).map { ended(200 * turn + $0) })
            writer.flush()
        }
        let failure = try #require(writer.takeFailure())
        guard case .sqlite(let error) = failure.reason else {
            Issue.record("expected an SQLite error, not \(failure)")
            return
        }
        #expect(error.code == 13)
        #expect(
            failure.description
                == "run record \(directory.record): database or disk is full (SQLite 13, at \(error.sql))")
        #expect(writer.takeFailure() == nil, "the failure was told twice")
        writer.submit([ended(0)])
        writer.close()
        #expect(writer.takeFailure() == nil)
        let database = try reader(directory.record)
        #expect(try database.rows("PRAGMA integrity_check") == ["ok"])
        #expect(try database.rows("SELECT complete, failure FROM runs") == ["no|\(failure)"])
    }

    @Test(arguments: [
        ("/proc/x_run.db", ENOENT), ("/nowhere/at/all/x_run.db", ENOENT), ("/dev/null/x_run.db", ENOTDIR),
    ])
    func aFileThatCantBeMade(path: String, code: Int32) {
        let writer = RunRecordWriter(path: path, appending: false, run: .sample)
        writer.submit([ended(0)])
        writer.flush()
        #expect(writer.takeFailure() == RunRecordError(path: path, reason: .unusable(code)))
        writer.close()
        #expect(writer.droppedCount == 1)
    }

    @Test func aDirectoryThatMayNotBeWritten() throws {
        guard getuid() != 0 else { return }  // To root no directory is closed.
        chmod(directory.path, 0o500)
        defer { chmod(directory.path, 0o700) }
        let writer = RunRecordWriter(path: directory.record, appending: false, run: .sample)
        writer.close()
        #expect(writer.takeFailure()?.reason == .unusable(EACCES))
    }

    @Test func aFileThatIsThereIsLeftAlone() throws {
        let content = Data("precious".utf8)
        try content.write(to: URL(fileURLWithPath: directory.record))
        let refusing = RunRecordWriter(path: directory.record, appending: false, run: .sample)
        refusing.close()
        #expect(refusing.takeFailure()?.reason == .exists)
        let appending = RunRecordWriter(path: directory.record, appending: true, run: .sample)
        appending.close()
        #expect(appending.takeFailure()?.reason == .notARunRecord)
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory.record)) == content)
    }

    @Test(arguments: [
        "CREATE TABLE a (b)", "CREATE TABLE a (b); PRAGMA application_id = \(RecordSchema.applicationID)",
    ])
    func anotherDatabaseIsNotAppendedTo(sql: String) throws {
        _ = FileManager.default.createFile(atPath: directory.record, contents: nil)
        try Database(path: directory.record).execute(sql)
        let writer = RunRecordWriter(path: directory.record, appending: true, run: .sample)
        writer.close()
        #expect(writer.takeFailure()?.reason == .notARunRecord)
        #expect(try reader(directory.record).rows("SELECT name FROM sqlite_schema") == ["a"])
    }

    @Test func appendingToNothingMakesTheFile() throws {
        let writer = openWriter(directory, appending: true)
        writer.close()
        #expect(writer.takeFailure() == nil)
        #expect(try reader(directory.record).integer("SELECT count(*) FROM run") == 1)
    }
}
