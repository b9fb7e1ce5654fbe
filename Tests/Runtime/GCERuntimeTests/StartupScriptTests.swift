import Foundation
import TestSupport
import Testing

@testable import GCERuntime

/// The start-up script's watchers, with a metadata server, processes and an end of their own.
@Suite(.blocking) struct StartupScriptTests {
    /// A machine that the script takes for its own.
    private struct Machine {
        let path: String

        init() throws {
            path =
                FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
                + "/startup-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: path + "/proc", withIntermediateDirectories: true)
            try Tool.writeProgram(path + "/startup", StartupScript.text)
            // Files answer where a server would.
            try Tool.writeProgram(
                path + "/curl",
                """
                #!/bin/bash
                root=$(dirname "$0")
                for last; do :; done
                case " $* " in
                *" DELETE "*) { echo "DELETE $last"; cat; } >>"$root/log"; [ ! -e "$root/may-not-delete" ]; exit ;;
                *" PUT "*) echo "PUT $*" >>"$root/log"; exit ;;
                esac
                name=${last#*/v1/instance/}
                name=${name%%\\?*}
                file=$root/$(echo "$name" | tr / _)
                case $last in
                *wait_for_change=true*)
                    # The mark of a value is the value itself; who gives none waits for the next change.
                    case $last in *last_etag=*) known=${last##*last_etag=} ;; *) known=$(cat "$file") ;; esac
                    while [ "$(cat "$file")" = "$known" ]; do /bin/sleep 0.05; done
                    printf 'HTTP/1.1 200 OK\\r\\nETag: %s\\r\\n\\r\\n' "$(cat "$file")"
                    ;;
                esac
                cat "$file" 2>/dev/null
                """)
            try Tool.writeProgram(
                path + "/shutdown", "#!/bin/bash\necho \"shutdown $*\" >>\"$(dirname \"$0\")/log\"\nkill -KILL $PPID\n")
            try Tool.writeProgram(path + "/sleep", "#!/bin/bash\nexec /bin/sleep 0.05\n")
            try put("attributes_disbatch-grace", "1")
            try put("attributes_disbatch-endpoint", "http://c/v1")
            try put("name", "vm-1")
            try put("zone", "projects/1/zones/z-a")
        }

        func put(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(filePath: path + "/" + name), options: .atomic)
        }

        func run(_ watcher: String) throws -> Tool.Result {
            try Tool.run(
                ["/usr/bin/timeout", "-s", "KILL", "30", "/bin/bash", path + "/startup", watcher],
                environment: [
                    "PATH": "\(path):/usr/bin:/bin", "DISBATCH_PROC": path + "/proc", "DISBATCH_STATE": path + "/state",
                ])
        }

        var log: String { (try? String(contentsOfFile: path + "/log", encoding: .utf8)) ?? "" }

        func remove() { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test func isCleanForShellcheck() throws {
        let path = ProjectFolder.path("Sources/Runtime/GCERuntime/Plan/startup.sh")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == StartupScript.text)
        let tool = try #require(Tool.find("shellcheck"))
        let result = try Tool.run([tool, path])
        #expect(result.status == 0, "\(result.text)")
    }

    @Test func shutsDownWithoutEngines() throws {
        let machine = try Machine()
        defer { machine.remove() }
        _ = try machine.run("idle")
        #expect(machine.log == "shutdown -h now\n")
    }

    @Test func deletesItselfWhereItMay() throws {
        let machine = try Machine()
        defer { machine.remove() }
        try machine.put("service-accounts_default_token", #"{"access_token":"ya29.t","expires_in":99}"#)
        _ = try machine.run("idle")
        #expect(
            machine.log == """
                DELETE http://c/v1/projects/1/zones/z-a/instances/vm-1
                header = "Authorization: Bearer ya29.t"
                shutdown -h now

                """)
    }

    /// Has the watcher do something at each of its pauses, which keeps the machine for forty of them.
    ///
    /// - Parameter line: of bash; `$root` is the machine's directory, and its file `pauses` has a line for each.
    private func staysForFortyPauses(_ machine: Machine, _ line: String) throws {
        try Tool.writeProgram(
            machine.path + "/sleep",
            """
            #!/bin/bash
            root=$(dirname "$0")
            echo x >>"$root/pauses"
            \(line)
            exec /bin/sleep 0.05
            """)
        _ = try machine.run("idle")
        let pauses = try String(contentsOfFile: machine.path + "/pauses", encoding: .utf8)
        #expect(pauses.split(separator: "\n").count >= 40)
        #expect(machine.log == "shutdown -h now\n")
    }

    @Test func staysWhileAnEngineIsThere() throws {
        let machine = try Machine()
        defer { machine.remove() }
        try FileManager.default.createDirectory(atPath: machine.path + "/proc/77", withIntermediateDirectories: true)
        try machine.put("proc/77/comm", "disbatch-engine\n")
        // The engine is there for twice the grace, and then ends.
        try staysForFortyPauses(machine, #"[ "$(wc -l <"$root/pauses")" -lt 40 ] || rm -rf "$root/proc/77""#)
    }

    @Test func staysForARunThatHasJustTakenIt() throws {
        let machine = try Machine()
        defer { machine.remove() }
        try machine.put("attributes_disbatch-owner", "one")
        // One run after the other takes it, for longer than the grace.
        try staysForFortyPauses(
            machine,
            #"[ "$(wc -l <"$root/pauses")" -gt 40 ] || wc -l <"$root/pauses" >"$root/attributes_disbatch-owner""#)
    }

    @Test func passesPreemptionOn() throws {
        let machine = try Machine()
        defer { machine.remove() }
        // A process of ours stands for the engine.
        let streams = [Int32(open("/dev/null", O_RDWR | O_CLOEXEC))]
        defer { close(streams[0]) }
        let pid = try Tool.start(["/bin/sleep", "60"], streams: streams)
        try FileManager.default.createDirectory(
            atPath: machine.path + "/proc/\(pid)", withIntermediateDirectories: true)
        try machine.put("proc/\(pid)/comm", "disbatch-engine\n")
        try machine.put("preempted", "FALSE")
        try Tool.writeProgram(
            machine.path + "/sleep", "#!/bin/bash\necho -n TRUE >\"$(dirname \"$0\")/preempted\"\n")
        let result = try machine.run("preempted")
        var status: Int32 = 0
        if result.status != 0 { kill(pid, SIGKILL) }
        waitpid(pid, &status, 0)
        #expect(result.status == 0 && status & 0x7F == SIGTERM)
    }
}
