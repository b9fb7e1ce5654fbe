import Foundation
import LinuxSystem
import TestSupport
import Testing

/// The hosts that the tests log in to are what they are taken for.
@Suite(.blocking) struct SSHHostsTests {
    @Test func commandsRunInHomesOfTheirOwn() throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            for name in ["nodeA", "nodeB"] {
                let result = try hosts.run(name, "pwd; echo $HOME; cat", input: "in\n")
                let home = try hosts.home(of: name)
                #expect(result.text == "\(home)\n\(home)\nin\n")
                #expect(result.errorText == "")
                #expect(result.status == 0)
            }
            #expect(try hosts.run("nodeA", "echo x >&2; exit 7").status == 7)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func hostsHaveNames() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let text = try hosts.run("nodeA", "hostname").text
            #expect(text == "nodeA\n")
        }
    }

    @Test func jumpHostsServe() throws {
        try SSHHosts.with([SSHHostPlan("gate"), SSHHostPlan("inner", client: ["ProxyJump gate"])]) { hosts in
            let home = try hosts.home(of: "inner")
            #expect(try hosts.run("inner", "echo $HOME").text == "\(home)\n")
            let log = try hosts.host("gate").log
            #expect(log.contains("Accepted publickey"))
        }
    }

    @Test func shellIsAnother() throws {
        try SSHHosts.with([SSHHostPlan("odd", shell: "/bin/echo")]) { hosts in
            let text = try hosts.run("odd", "a b").text
            #expect(text == "-c a b\n")
        }
    }

    @Test func killedHostEndsItsSessionsAndComesBack() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let session = try Session(hosts, "nodeA")
            #expect(try hosts.host("nodeA").processes().count >= 3)
            try hosts.kill("nodeA")
            #expect(session.waitForEnd() == 255)
            #expect(try hosts.host("nodeA").processes() == [])
            #expect(try hosts.run("nodeA", "true").status == 255)
            try hosts.start("nodeA")
            #expect(try hosts.run("nodeA", "true").status == 0)
        }
    }

    @Test func frozenHostAnswersAgain() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try hosts.freeze("nodeA")
            let states = try hosts.host("nodeA").processes().map { try state(of: $0) }
            #expect(Set(states) == ["T"])
            let session = try Session(hosts, "nodeA", waits: false)
            try hosts.thaw("nodeA")
            session.waitForGreeting()
            try hosts.kill("nodeA")
            #expect(session.waitForEnd() == 255)
        }
    }

    @Test func nothingIsLeft() throws {
        var path = ""
        var found: Set<Int32> = []
        try SSHHosts.with(["nodeA"]) { hosts in
            path = hosts.path
            // A session's child that has left it, and outlives it.
            #expect(try hosts.run("nodeA", "setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo").status == 0)
            found = try hosts.host("nodeA").processes()
            #expect(found.count >= 2)
        }
        #expect(found.filter { ProcessTree.entry(of: $0).map { !$0.isZombie } ?? false } == [])
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    private func state(of pid: Int32) throws -> String {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return String(text[text.index(text.lastIndex(of: ")")!, offsetBy: 2)...].prefix(1))
    }

    /// An `ssh` that says hello and stays.
    private struct Session {
        let pid: Int32
        let output: Int32

        init(_ hosts: SSHHosts, _ name: String, waits: Bool = true) throws {
            let ends = try DescriptorPair.sockets().release()
            defer { close(ends.second) }
            output = ends.first
            pid = try Tool.start(
                [hosts.binPath + "/ssh", name, "echo hello; exec cat"],
                streams: [ends.second, ends.second, ends.second])
            if waits { waitForGreeting() }
        }

        func waitForGreeting() {
            var bytes = [UInt8](repeating: 0, count: 16)
            let count = read(output, &bytes, bytes.count)
            #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "hello\n")
        }

        func waitForEnd() -> Int32 {
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            close(output)
            return (status >> 8) & 0xff
        }
    }
}
