import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import RunRecord

/// What the record says, read by a second connection while it is being written.
@Suite(.blocking) struct RunRecordWriterTests {
    let directory = TemporaryDirectory()

    @Test func everyKindOfEntryIsReadWhileTheRunGoesOn() throws {
        let writer = openWriter(directory)
        let joined = JoinedEngine(
            engine: EngineID(0), context: ContextID(0), node: "n1", pid: 7, slots: 4, coresPerTask: 2, time: time(0.5))
        let barrier = Barrier(
            id: TaskID(2), streamIndex: 3, checks: true, key: Array("k".utf8), line: Array("#DISBATCH BARRIER".utf8))
        writer.submit([
            .engineJoined(joined), started(0), ended(1), .barrierMet(barrier, time: time(4)),
            .perEngineEnded(recorded(0, kind: .perEngine), .start),
            .skipped(first: TaskID(5), last: TaskID(9), failed: 1), .totalKnown(10),
            .engineEnded(EngineID(0), time: time(5), reason: "drained"),
            .runEnded(time: time(6), exitStatus: 4, summary: "limit"),
        ])
        writer.flush()
        let database = try reader(directory.record)
        #expect(try database.rows("SELECT run, rank, label, kind FROM context") == ["1|0|local|local"])
        #expect(
            try database.rows("SELECT rank, context, node, pid, slots, cores_per_task, reason, ended FROM engine")
                == ["0|0|n1|7|4|2|drained|1700000005.5"])
        #expect(
            try database.rows("SELECT id, line, state, attempts, pid, start, finish, ending FROM task")
                == ["0|1|running|1|100|1700000001.5|-|-", "1|2|done|1|100|1700000001.5|1700000003.75|exited"])
        #expect(
            try database.rows("SELECT user_seconds, system_seconds, peak_memory_kib, cylinder FROM task WHERE id = 1")
                == ["1.5|0.25|2048|3"])
        #expect(
            try database.rows("SELECT id, line, checks, key, met, text FROM barrier")
                == ["2|3|1|k|1700000004.5|#DISBATCH BARRIER"])
        #expect(try database.rows("SELECT phase, id, node, command FROM per_engine") == ["start|0|n1|true"])
        #expect(try database.rows("SELECT * FROM skipped") == ["1|5|9|1"])
        #expect(
            try database.rows("SELECT id, source, host, total_tasks, exit_status, summary, dropped, failure FROM run")
                == ["1|Tasks|here|10|4|limit|0|-"])
        #expect(writer.takeFailure() == nil)
    }

    @Test func earlierAndLateAttemptsStandInTheirOwnTable() throws {
        let writer = openWriter(directory)
        writer.submit([started(0), ended(0, code: 1, isFinal: false), started(0, attempt: 2)])
        writer.flush()
        let database = try reader(directory.record)
        #expect(try database.rows("SELECT state, attempts FROM task") == ["running|2"])
        writer.submit([
            ended(0, attempt: 2),
            .attemptEnded(recorded(0, attempt: 1, code: 9, kind: .givenUp), isFinal: false),
        ])
        writer.flush()
        #expect(try database.rows("SELECT state, attempts, return_code FROM task") == ["done|2|0"])
        #expect(
            try database.rows("SELECT attempt, given_up, return_code FROM attempts ORDER BY attempt, given_up")
                == ["1|0|1", "1|1|9", "2|0|0"])
    }

    @Test(arguments: [
        (recorded(0), true, "done|0|-|exited"),
        (recorded(0, code: 3), true, "failed|3|-|exited"),
        (recorded(0, code: -9, ending: .killed), true, "failed|-9|9|killed"),
        (recorded(0, code: 124, ending: .timedOut), true, "failed|124|-|timed out"),
        (recorded(0, code: -100, ending: .engineLost), true, "lost|-100|-|engine lost"),
        (recorded(0, code: -100, ending: .engineLost), false, "retrying|-100|-|engine lost"),
        (recorded(0, code: -9, ending: .stopped), false, "stopped|-9|9|stopped"),
        (recorded(0, code: 127, ending: .spawnFailed), true, "failed|127|-|not started"),
        (recorded(0, code: 1, kind: .skipped), true, "skipped|1|-|exited"),
    ])
    func state(task: RecordedTask, isFinal: Bool, expected: String) throws {
        let writer = openWriter(directory)
        writer.submit([.attemptEnded(task, isFinal: isFinal)])
        writer.flush()
        let rows = try reader(directory.record).rows("SELECT state, return_code, signal, ending FROM task")
        #expect(rows == [expected])
    }

    @Test func bytesThatAreNoTextAreBlobs() throws {
        let writer = openWriter(directory)
        for (id, bytes) in ([[0x61, 0xff], [0x61, 0x00], Array("\u{e9}".utf8), []] as [[UInt8]]).enumerated() {
            var task = recorded(id)
            task.spec.command = bytes
            writer.submit([.attemptEnded(task, isFinal: true)])
        }
        writer.flush()
        #expect(
            try reader(directory.record).rows("SELECT typeof(command), hex(command) FROM task")
                == ["blob|61FF", "blob|6100", "text|C3A9", "text|"])
    }

    @Test func appendingAddsARunAndKeepsWhatWasThere() throws {
        let first = openWriter(directory)
        first.submit([ended(0), ended(1, code: 1), started(2), started(3)])
        first.close()
        #expect(first.takeFailure() == nil)
        let second = openWriter(directory, appending: true)
        second.submit([ended(1), started(2)])
        second.flush()
        let database = try reader(directory.record)
        #expect(try database.integer("SELECT count(*) FROM run") == 2)
        #expect(
            try database.rows("SELECT id, run, state FROM task")
                == ["0|1|done", "1|2|done", "2|2|running", "3|1|abandoned"])
        #expect(
            try database.rows("SELECT task_id, run, attempt, return_code, finish IS NULL FROM attempt")
                == ["1|1|1|1|0", "2|1|1|-|1"])
        second.close()
        #expect(second.takeFailure() == nil)
    }

    @Test func closeWritesWhatIsLeftAndRemovesTheJournal() throws {
        let writer = openWriter(directory)
        let journal = "x_run.db-journal"
        #expect(directory.exists(journal), "the record is not written with a rollback journal")
        writer.submit([ended(0)])
        writer.close()
        writer.close()
        #expect(try reader(directory.record).integer("SELECT count(*) FROM task") == 1)
        #expect(!directory.exists(journal), "close left \(journal)")
        writer.submit([ended(1)])
        #expect(writer.droppedCount == 1, "an entry after close should count as dropped")
    }

    @Test func droppingTheWriterClosesIt() throws {
        do {
            let writer = RunRecordWriter(path: directory.record, appending: false, run: .sample)
            writer.submit([ended(0)])
        }
        #expect(try reader(directory.record).integer("SELECT count(*) FROM task") == 1)
    }

    @Test func aBacklogOfManyTransactionsIsWrittenWhole() throws {
        let writer = openWriter(directory)
        let count = 3 * PendingEntries.chunkEntries + 5
        writer.submit((0..<count).flatMap { [started($0), ended($0)] })
        writer.close()
        #expect(writer.takeFailure() == nil)
        #expect(try reader(directory.record).rows("SELECT * FROM states") == ["done|\(count)"])
    }

    @Test func theShellReadsTheViewsWhileTheRunGoesOn() throws {
        let writer = openWriter(directory)
        writer.submit([
            started(0), ended(1), .attemptEnded(recorded(2, code: 5, out: "oh", command: "false"), isFinal: true),
        ])
        writer.flush()
        func shell(_ sql: String) throws -> String { try output(of: "/usr/bin/sqlite3", [directory.record, sql]) }
        let failures = try shell("SELECT id, return_code, seconds, out_snippet, command FROM failures")
        #expect(failures == "2|5|2.25|oh|false\n")
        #expect(try shell("SELECT id, attempt, node FROM running") == "0|1|n1\n")
        #expect(try shell("SELECT state, tasks FROM states") == "done|1\nfailed|1\nrunning|1\n")
        #expect(try shell("SELECT id, complete, dropped FROM runs") == "1|yes|0\n")
        #expect(try shell("SELECT count(*) FROM attempts") == "3\n")
        #expect(try shell("PRAGMA user_version; PRAGMA application_id") == "1\n1682071924\n")
        #expect(try shell("PRAGMA integrity_check") == "ok\n")
    }

    @Test(arguments: ["failures", "running"])
    func aLongRunsViewsReadNoMoreThanTheyShow(view: String) throws {
        let writer = openWriter(directory)
        writer.close()
        let plan = try reader(directory.record).rows("EXPLAIN QUERY PLAN SELECT * FROM \(view)")
        #expect(plan.joined().contains("task_not_done"), "\(view) reads the whole table: \(plan)")
    }

    @Test func aDatabaseWithoutLocksCanBeWritten() throws {
        _ = FileManager.default.createFile(atPath: directory.record, contents: nil)
        let holder = try Database(path: directory.record)
        try holder.execute("CREATE TABLE a (b); BEGIN EXCLUSIVE")
        let database = try Database(path: directory.record, locking: false)
        try database.execute("INSERT INTO a VALUES (1)")
        #expect(try database.integer("SELECT count(*) FROM a") == 1)
    }
}
