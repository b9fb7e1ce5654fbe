import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Runs on other hosts, each a real sshd with a home of its own.
@Suite(.blocking) struct SSHTests {
    @Test(arguments: SSHClient.allCases) func tasksRunOnEveryHost(client: SSHClient) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                // Each holds its slot until all three are there: no host can do without the others.
                let task = "touch here.$DISBATCH_TASKID; until [ $(ls here.* | wc -l) = 3 ]; do sleep 0.01; done; "
                let result = try box.run(
                    String(repeating: task + "echo $HOME $DISBATCH_ENGINE_RANK\n", count: 3),
                    ["-s", "nodeA:1,localhost:1,nodeB:1"], client, hosts)
                #expect(result.status == 0, "\(result.error)")
                let rows = box.rows()
                #expect(rows.map(\.returnCode) == [0, 0, 0])
                for (name, rank) in [("nodeA", 0), ("nodeB", 2)] {
                    let home = try hosts.home(of: name)
                    #expect(rows.first { $0.node == name }?.outSnippet == "'\(home) \(rank)\\n'")
                }
                let log = try hosts.host("nodeA").log
                #expect(log.components(separatedBy: "Accepted publickey").count == 2, "one login for the whole run")
            }
        }
    }

    @Test(arguments: SSHClient.allCases) func anEngineIsSentToAHostThatLacksIt(client: SSHClient) throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try Sandbox.with { box in
                // A path that not every login shell could be told of: so the host does not find it there.
                for name in ["disbatch", "disbatch-engine"] {
                    try box.makeDirectory("it's")
                    try box.run(["\(BuildDirectory.path)/\(name)", "it's/\(name)"], program: "/bin/cp")
                }
                let cache = try hosts.home(of: "nodeA") + "/.cache/disbatch"
                try box.write("tasks.txt", "readlink /proc/$PPID/exe | grep -c /.cache/disbatch/\n")
                for (round, prefix) in ["first", "second", "third"].enumerated() {
                    if round == 2 {
                        // Damaged since: it is sent again.
                        let engine = try FileManager.default.contentsOfDirectory(atPath: cache)[0]
                        try box.run(["-c", "echo x >>\(cache)/\(engine)/disbatch-engine"], program: "/bin/sh")
                    }
                    let result = try box.run(
                        ["-p", prefix] + client.options + ["-s", "nodeA:1", "tasks.txt"],
                        program: box.at("it's/disbatch"),
                        environment: ["PATH": hosts.searchPath])
                    #expect(result.status == 0, "\(result.error)")
                    #expect(box.rows(prefix).map(\.outSnippet) == ["'1\\n'"], "it runs from the host's cache")
                }
                let kept = try FileManager.default.contentsOfDirectory(atPath: cache)
                #expect(kept.count == 1)
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: cache + "/" + kept[0]) == ["disbatch-engine"],
                    "nothing half-written is left")
            }
        }
    }

    /// As those of environment modules are.
    @Test(arguments: SSHClient.allCases) func functionsThatBashExportedReachTasks(client: SSHClient) throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try Sandbox.with { box in
                try box.write("tasks.txt", "module load gcc\n")
                let result = try box.run(
                    ["-p", "run"] + client.options + ["-s", "nodeA:1", "tasks.txt"],
                    environment: ["PATH": hosts.searchPath, "BASH_FUNC_module%%": "() { echo $1-$2; }"])
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().map(\.outSnippet) == ["'load-gcc\\n'"])
            }
        }
    }

    @Test func whatLibssh2LacksIsLeftToOpenSSH() throws {
        let plans = [
            SSHHostPlan("plain"), SSHHostPlan("old", keyTypes: ["rsa"]),
            SSHHostPlan("odd", client: ["ForwardAgent yes"]),
        ]
        try SSHHosts.with(plans) { hosts in
            try Sandbox.with { box in
                let task = "touch here.$DISBATCH_TASKID; until [ $(ls here.* | wc -l) = 3 ]; do sleep 0.01; done\n"
                try box.write("tasks.txt", String(repeating: task, count: 3))
                let result = try box.run(
                    ["-p", "run", "-s", "plain:1,old:1,odd:1", "tasks.txt"], environment: ["PATH": hosts.searchPath])
                #expect(result.status == 0, "\(result.error)")
                #expect(Set(box.rows().map(\.node)) == ["plain", "old", "odd"])
                let log = try box.text(of: "run_driver.log")
                #expect(log.contains("engine 0 on plain: connected"))
                #expect(log.contains("engine 1 on old: by OpenSSH's client, because libssh2: "))
                #expect(
                    log.contains(
                        "engine 2 on odd: by OpenSSH's client, because libssh2: its configuration has ForwardAgent")
                )
                let refused = try box.run(
                    ["-p", "strict", "--ssh-client", "libssh2", "-s", "odd:1", "tasks.txt"],
                    environment: ["PATH": hosts.searchPath])
                #expect(refused.status == 3)
                #expect(refused.error.contains("odd: its configuration has ForwardAgent, which libssh2 lacks"))
            }
        }
    }

    @Test(arguments: SSHClient.allCases) func aHostBehindAnother(client: SSHClient) throws {
        try SSHHosts.with([SSHHostPlan("gate"), SSHHostPlan("inner", client: ["ProxyJump gate"])]) { hosts in
            try Sandbox.with { box in
                let result = try box.run("echo $HOME\n", ["-s", "inner:1"], client, hosts)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().map(\.outSnippet) == ["'\(try hosts.home(of: "inner"))\\n'"])
                #expect(try hosts.host("gate").log.contains("Accepted publickey"), "it is the way there")
            }
        }
    }

    @Test(.enabled(if: Rights.canMount), arguments: SSHClient.allCases)
    func aHostWithoutRoomForTheEngineSaysSo(client: SSHClient) throws {
        try Sandbox.with { box in
            // No path that the host would look at, and a cache on a full disk.
            for name in ["disbatch", "disbatch-engine"] {
                try box.makeDirectory("it's")
                try box.run(["\(BuildDirectory.path)/\(name)", "it's/\(name)"], program: "/bin/cp")
            }
            let small = "mkdir -p $HOME/.cache && mount -t tmpfs -o size=1m none $HOME/.cache && exec /bin/sh \"$@\""
            let program = "#!/bin/sh\nexec unshare -m /bin/sh -c '\(small)' sh \"$@\"\n"
            let shell = try box.at(box.writeProgram("small", program))
            try SSHHosts.with([SSHHostPlan("nodeA", shell: shell)]) { hosts in
                try box.write("tasks.txt", "touch ran\n")
                let result = try box.run(
                    ["-p", "run", "-s", "nodeA:1"] + client.options + ["tasks.txt"], program: box.at("it's/disbatch"),
                    environment: ["PATH": hosts.searchPath])
                #expect(result.status == 3)
                #expect(result.error.contains("is the disk full?"), "\(result.error)")
                #expect(!box.exists("ran"))
            }
        }
    }

    @Test(arguments: SSHClient.allCases) func whatALoginShellPrintsIsPassedOver(client: SSHClient) throws {
        try Sandbox.with { box in
            let shell = try box.at(
                box.writeProgram("loud", "#!/bin/sh\necho Welcome; printf 'no end'; exec /bin/sh \"$@\"\n"))
            try SSHHosts.with([SSHHostPlan("nodeA", shell: shell)]) { hosts in
                let result = try box.run("echo x\n", ["-s", "nodeA:1"], client, hosts)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().map(\.outSnippet) == ["'x\\n'"])
            }
        }
    }

    @Test(arguments: SSHClient.allCases) func theRunGoesOnWithTheHostsItHas(client: SSHClient) throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try Sandbox.with { box in
                try hosts.kill("nodeB")
                let result = try box.run("echo x\n", ["-s", "nodeA:1,nodeB:1", "--reconnect", "0"], client, hosts)
                #expect(result.status == 0)
                #expect(box.rows().map(\.node) == ["nodeA"])
            }
        }
    }

    @Test(arguments: SSHClient.allCases) func withoutAnyHostTheSummarySaysWhyOfEach(client: SSHClient) throws {
        let stranger = SSHHostPlan("stranger", client: ["UserKnownHostsFile /dev/null", "StrictHostKeyChecking yes"])
        try SSHHosts.with([SSHHostPlan("nodeA"), stranger]) { hosts in
            try Sandbox.with { box in
                try hosts.kill("nodeA")
                let began = ContinuousClock.now
                let result = try box.run(
                    "echo x\n", ["-s", "nodeA:1,stranger:1"], client, hosts)
                #expect(result.status == 3)
                #expect(!result.error.contains("trying again"), "neither has ever answered: \(result.error)")
                let summary = result.error.components(separatedBy: "no engine is left")
                try #require(summary.count == 2, "\(result.error)")
                let reasons =
                    client == .openssh
                    ? ["nodeA: ssh: connect to host", "stranger: Host key verification failed"]
                    : ["nodeA: 127.", "stranger: root@127."]
                for reason in reasons { #expect(summary[1].contains("  " + reason)) }
                if client == .libssh2 {
                    #expect(
                        summary[1].contains(": its host key is not known\n    To check and accept it: ssh stranger\n"))
                }
                #expect(box.rows().isEmpty)
                #expect(ContinuousClock.now - began < .seconds(20))
            }
        }
    }

    @Test(.enabled(if: Rights.canMount), arguments: SSHClient.allCases) func aMissingWorkingDirectoryIsSaid(
        client: SSHClient
    )
        throws
    {
        try Sandbox.with { box in
            // Its sessions don't see what is in the run's directory.
            let hidden = "mount -t tmpfs none \(box.work)/in && exec /bin/sh \"$@\""
            let shell = try box.at(
                box.writeProgram("elsewhere", "#!/bin/sh\nexec unshare -m /bin/sh -c '\(hidden)' sh \"$@\"\n"))
            try box.makeDirectory("in/side")
            try SSHHosts.with([SSHHostPlan("nodeA", shell: shell)]) { hosts in
                try box.write("in/side/tasks.txt", "pwd\n")
                let line = ["-s", "nodeA:1", "tasks.txt"]
                let refused = try box.run(
                    ["-C", box.at("in/side"), BuildDirectory.path + "/disbatch", "-p", "x"] + client.options + line,
                    program: "/usr/bin/env", environment: ["PATH": hosts.searchPath])
                #expect(refused.status == 3)
                #expect(refused.error.contains("nodeA: working directory \(box.work)/in/side: No such file"))
                #expect(refused.error.contains("--workdir DIR names another"))
                let made = box.at("in/deeper/still")
                let result = try box.run(
                    ["-p", "run"] + client.options + ["--workdir", made, "-s", "nodeA:1", "in/side/tasks.txt"],
                    environment: ["PATH": hosts.searchPath])
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().first?.outSnippet.contains("/deeper/still") == true)
            }
        }
    }

    /// How long a way may take is for who looks for it; the engine's own time begins where there is one.
    @Test func aSlowWayIsNoSilentEngine() throws {
        try SSHHosts.with([SSHHostPlan("gate"), SSHHostPlan("inner", client: ["ProxyJump gate"])]) { hosts in
            let proxy = "ProxyCommand sh -c 'sleep 4; exec \(hosts.binPath)/ssh -W [%h]:%p gate'\n"
            let text = try String(contentsOfFile: hosts.configPath, encoding: .utf8)
            try text.replacing("ProxyJump gate\n", with: proxy)
                .write(toFile: hosts.configPath, atomically: true, encoding: .utf8)
            try Sandbox.with { box in
                try box.write("tasks.txt", "true\n")
                let result = try box.run(
                    ["-p", "run", "--ssh-client", "libssh2", "-s", "inner:1", "tasks.txt"],
                    environment: ["PATH": hosts.searchPath, "DISBATCH_START_PATIENCE": "3"])
                #expect(result.status == 0, "\(result.error)")
            }
        }
    }
}
