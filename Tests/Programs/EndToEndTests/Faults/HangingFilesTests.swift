import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Files that take nothing, without an error.
@Suite(.blocking) struct HangingFilesTests {
    @Test("a log that nobody takes holds up neither rows nor the end", arguments: ["log", "run_SSH0.context.log"])
    func hangingLog(_ name: String) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\nfalse\n")
            try box.makeFIFO(name)
            let options = name == "log" ? ["--logfile", name] : []
            let result = try box.run(["-s", "localhost:1", "-p", "run"] + options + ["tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().countsByTask == [1, 1])
        }
    }

    @Test("a log that nobody reads on from holds up nothing either")
    func fullLog() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH REPEAT 300 true\n")
            try box.makeFIFO("log")
            let reader = open(box.at("log"), O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            defer { close(reader) }
            let result = try box.run(
                ["-s", "localhost:2", "-p", "run", "--loglevel", "DEBUG", "--logfile", "log", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().countsByTask == Array(repeating: 1, count: 300))
        }
    }

    @Test(
        "while a status file takes nothing no task is started, and that is said",
        .disabled(if: BuildDirectory.isSanitized, "a sanitizer must be loaded first"))
    func hangingStatus() throws {
        try Sandbox.with { box in
            let environment = try hangingWrites(box)
            try box.write(
                "tasks.txt", "touch hang\n#DISBATCH REPEAT 2000 echo $DISBATCH_TASKID >>ran; sleep 0.02\n")
            let run = try box.start(["-s", "localhost:1", "-p", "run", "tasks.txt"], environment: environment)
            try box.wait(for: "a warning", within: 60) { run.error.contains("has not been written for 10 s") }
            try box.waitForNoMoreTasks()
            #expect(try box.lines(of: "ran").count < 2000)
            try FileManager.default.removeItem(atPath: box.at("hang"))
            let result = try run.wait(within: 120)
            #expect(result.status == 0, "\(result.error)")
            #expect(result.error.contains("is written again"), "\(result.error)")
            #expect(box.rows().countsByTask == Array(repeating: 1, count: 2001))
        }
    }

    @Test(
        "a run whose status file takes nothing can be ended",
        .disabled(if: BuildDirectory.isSanitized, "a sanitizer must be loaded first"))
    func endOfHangingStatus() throws {
        try Sandbox.with { box in
            let environment = try hangingWrites(box)
            try box.write("tasks.txt", "touch hang\n#DISBATCH REPEAT 2000 sleep 0.02\n")
            let run = try box.start(["-s", "localhost:1", "-p", "run", "tasks.txt"], environment: environment)
            try box.wait(for: "a warning", within: 60) { run.error.contains("has not been written for 10 s") }
            run.signal(SIGTERM)
            try box.wait(for: "the engine to end") { !box.processes().contains { $0.commandLine.contains("engine") } }
            run.signal(SIGTERM)
            let result = try run.wait(within: 30)
            #expect(result.status == 3, "\(result.error)")
            #expect(result.error.contains("rows that wait for it are given up"), "\(result.error)")
        }
    }

    /// A library that lets writes to a status file wait for as long as the file `hang` is there.
    private func hangingWrites(_ box: Sandbox) throws -> [String: String?] {
        try box.write(
            "hanging.c",
            """
            #define _GNU_SOURCE
            #include <stdio.h>
            #include <string.h>
            #include <sys/syscall.h>
            #include <unistd.h>
            ssize_t write(int file, const void *bytes, size_t count) {
                char link[64], path[4096] = "";
                snprintf(link, sizeof link, "/proc/self/fd/%d", file);
                if (readlink(link, path, sizeof path - 1) > 0 && strstr(path, "_status.txt"))
                    while (access("\(box.at("hang"))", F_OK) == 0) usleep(20000);
                return syscall(SYS_write, file, bytes, count);
            }

            """)
        let result = try box.run(["-shared", "-fPIC", "-o", "hanging.so", "hanging.c"], program: "/usr/bin/cc")
        try #require(result.status == 0, "\(result.error)")
        return ["LD_PRELOAD": box.at("hanging.so")]
    }
}
