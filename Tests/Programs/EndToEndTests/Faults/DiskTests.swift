import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Files that can't be written, or not to their end.
@Suite(.blocking) struct DiskTests {
    /// Whether a status file holds nothing but whole rows.
    private func isWhole(_ name: String, in box: Sandbox) throws -> Bool {
        let text = try box.text(of: name)
        return (text.isEmpty || text.hasSuffix("\n")) && StatusLine.parse(text).allSatisfy { $0.columns[0] != "" }
    }

    @Test(
        "at a limit of file size the status file is cut back, running tasks end, and -r completes the run",
        .disabled(if: BuildDirectory.isSanitized, "a sanitizer has files of its own"))
    func fileSizeLimit() throws {
        try Sandbox.with { box in
            // Rows of about 4 KB: the sixth or so does not fit into 20 KiB. Task 0 ends only by the run's end.
            let filler = String(repeating: "x", count: 4000)
            try box.write(
                "tasks.txt",
                "[ -e open ] || exec sleep 600\n#DISBATCH REPEAT 12 echo $DISBATCH_TASKID >>ran; : \(filler)\n")
            let line = "exec $disbatch -s localhost:2 --no-record -p run"
            let result = try box.script("ulimit -f 20; \(line) tasks.txt")
            #expect(result.status == 3, "\(result.error)")
            #expect(result.error.contains("run_status.txt: File too large"), "\(result.error)")
            #expect(try isWhole("run_status.txt", in: box))
            let kept = box.rows().count
            #expect((1...6).contains(kept))
            try box.waitUntilAllIsGone(within: 1)
            try box.open()
            let again = try box.script("\(line) -r run_status.txt tasks.txt")
            #expect(again.status == 0, "\(again.error)")
            #expect(box.rows().countsByTask == Array(repeating: 1, count: 13))
            #expect(!again.error.contains("torn"), "\(again.error)")
        }
    }

    @Test("on a full disk rows wait in memory, running tasks go on, and nothing is lost", .enabled(if: Rights.canMount))
    func fullDisk() throws {
        try Sandbox.with { box in
            let filler = String(repeating: "x", count: 4000)
            // Task 0 runs until there is room again.
            try box.write(
                "tasks.txt",
                "while [ ! -e open ]; do sleep 0.02; done\n"
                    + "#DISBATCH REPEAT 60 echo $DISBATCH_TASKID >>ran; : \(filler)\n"
            )
            try box.makeDirectory("small")
            try box.write(
                "script",
                """
                mount -t tmpfs -o size=64k none small || exit 99
                $disbatch -s localhost:2 --no-record -p small/run tasks.txt &
                while [ ! -e room ]; do sleep 0.02; done
                cp small/run_status.txt first_status.txt
                mount -o remount,size=4m small || exit 98
                wait $!; echo $? >code
                cp small/run_status.txt .

                """)
            let run = try box.start(
                ["-m", "bash", "script"], program: "/usr/bin/unshare",
                environment: ["disbatch": BuildDirectory.path + "/disbatch"])
            try box.wait(for: "a warning") { run.error.contains("no task is started until there is room") }
            #expect(run.error.contains("small/run_status.txt: No space left on device"), "\(run.error)")
            try box.waitForNoMoreTasks()
            #expect(try box.lines(of: "ran").count < 60)
            try box.write("room", "")
            try box.wait(for: "word of room") { run.error.contains("is written again") }
            try box.open()
            let result = try run.wait()
            #expect(try box.text(of: "code") == "0\n", "\(result.error)")
            #expect(try isWhole("first_status.txt", in: box))
            #expect(box.rows().countsByTask == Array(repeating: 1, count: 61))
            #expect(try box.lines(of: "ran").count == 60)
        }
    }

    @Test("a disk that stays full ends the run once nothing runs any more", .enabled(if: Rights.canMount))
    func diskStaysFull() throws {
        try Sandbox.with { box in
            let filler = String(repeating: "x", count: 4000)
            try box.write("tasks.txt", "#DISBATCH REPEAT 30 : \(filler)\n")
            try box.makeDirectory("small")
            try box.write(
                "script",
                """
                mount -t tmpfs -o size=64k none small || exit 99
                DISBATCH_DISK_PATIENCE=1 $disbatch -s localhost:2 --no-record -p small/run tasks.txt; echo $? >first
                cp small/run_status.txt first_status.txt
                mount -o remount,size=4m small || exit 98
                $disbatch -s localhost:2 -p small/run -r small/run_status.txt tasks.txt; echo $? >second
                cp small/run_status.txt second_status.txt

                """)
            let result = try box.script("exec unshare -m bash script")
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.text(of: "first") == "3\n", "\(result.error)")
            #expect(result.error.contains("No space left on device; the run ends"), "\(result.error)")
            #expect(!result.error.contains("written again"), "\(result.error)")
            #expect(try isWhole("first_status.txt", in: box))
            #expect((1...16).contains(box.rows("first").count))
            #expect(try box.text(of: "second") == "0\n", "\(result.error)")
            #expect(box.rows("second").countsByTask == Array(repeating: 1, count: 30))
        }
    }

    @Test("a full disk while the skipped rows are written leaves no status file behind", .enabled(if: Rights.canMount))
    func fullDiskAtResume() throws {
        try Sandbox.with { box in
            let filler = String(repeating: "x", count: 4000)
            try box.write("tasks.txt", "#DISBATCH REPEAT 30 echo $DISBATCH_TASKID >>ran; : \(filler)\nfalse\n")
            #expect(try box.run(["-s", "localhost:2", "-p", "run", "tasks.txt"]).status == 0)
            try box.makeDirectory("small")
            try box.write(
                "script",
                """
                mount -t tmpfs -o size=64k none small || exit 99
                $disbatch -s localhost:2 -p small/run -R -r run_status.txt tasks.txt; echo $? >code
                ls small >left

                """)
            let result = try box.script("exec unshare -m bash script")
            #expect(try box.text(of: "code") == "2\n", "\(result.error)")
            #expect(result.error.contains("No space left on device"), "\(result.error)")
            #expect(try box.lines(of: "left") == [], "a status file that lacks rows of done tasks must not stay")
            #expect(try box.lines(of: "ran").count == 30)
        }
    }

    @Test("a full disk at the run's beginning leaves no temporary file behind", .enabled(if: Rights.canMount))
    func fullDiskAtTheBeginning() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            try box.makeDirectory("small")
            try box.write(
                "script",
                """
                mount -t tmpfs -o size=64k none small || exit 99
                head -c 100000 /dev/zero >small/ballast
                $disbatch -s localhost:2 -p small/run tasks.txt
                ls -A small >left

                """)
            let result = try box.script("exec unshare -m bash script")
            #expect(result.error.contains("small/run_run.json: No space left on device"), "\(result.error)")
            #expect(try box.lines(of: "left").filter { $0.hasSuffix(".new") || $0.hasPrefix(".") } == [])
        }
    }

    @Test("a run record that can't be written costs one warning", .enabled(if: Rights.canMount))
    func fullRecord() throws {
        try Sandbox.with { box in
            let filler = String(repeating: "x", count: 4000)
            try box.write("tasks.txt", "#DISBATCH REPEAT 100 : \(filler)\n")
            // The record keeps commands, the status file too: it is small enough only behind a link.
            try box.makeDirectory("small")
            try box.write(
                "script",
                """
                mount -t tmpfs -o size=64k none small || exit 99
                ln -s ../run_status.txt small/unused
                mkdir small/logs
                for name in run_run.db run_run.db-journal; do ln -s small/$name $name; done
                $disbatch -s localhost:2 -p run tasks.txt; echo $? >code

                """)
            let result = try box.script("exec unshare -m bash script")
            #expect(try box.text(of: "code") == "0\n", "\(result.error)")
            let warnings = result.errorLines.filter { $0.contains("without a run record") }
            #expect(warnings.count == 1, "\(result.error)")
            #expect(box.rows().countsByTask == Array(repeating: 1, count: 100))
        }
    }

    @Test("--capture on a full disk: a warning, and counts that are right", .enabled(if: Rights.canMount))
    func fullCapture() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH REPEAT 3 head -c 100000 /dev/zero; echo e >&2\n")
            try box.makeDirectory("small")
            try box.write(
                "script",
                """
                mount -t tmpfs -o size=64k none small || exit 99
                $disbatch -s localhost:1 --capture small -p run tasks.txt; echo $? >code

                """)
            let result = try box.script("exec unshare -m bash script")
            #expect(try box.text(of: "code") == "0\n", "\(result.error)")
            #expect(result.error.contains("No space left on device"), "\(result.error)")
            #expect(box.rows().tasks.map(\.outBytes) == [100_000, 100_000, 100_000])
            #expect(box.rows().tasks.map(\.errBytes) == [2, 2, 2])
            #expect(box.rows().tasks.map(\.returnCode) == [0, 0, 0])
        }
    }

    @Test("a prefix that may not be written", .enabled(if: Rights.isRoot))
    func unwritablePrefix() throws {
        try Sandbox.with { box in
            try box.copyPrograms()
            try box.write("tasks.txt", "touch ran\n")
            let result = try box.run(
                [
                    "--reuid=65534", "--regid=65534", "--clear-groups", box.at("bin/disbatch"), "-s", "localhost:1",
                    "-p",
                    "run", "tasks.txt",
                ], program: "/usr/bin/setpriv")
            #expect(result.status == 2, "\(result.error)")
            #expect(result.error == "disbatch: \(box.at("run_status.txt")): Permission denied\n")
            #expect(try box.files() == ["bin", "bin/disbatch", "bin/disbatch-engine", "tasks.txt"])
        }
    }

    @Test("a prefix in a directory that is not there")
    func missingDirectory() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch ran\n")
            let result = try box.run(["-s", "localhost:1", "-p", "nowhere/run", "tasks.txt"])
            #expect(result.status == 2)
            #expect(result.error.contains("-p nowhere/run: directory nowhere does not exist"), "\(result.error)")
            #expect(try box.files() == ["tasks.txt"])
        }
    }
}
