import Foundation
import LinuxSystem
import SSHTransport
import TestSupport
import Testing

/// How hosts are reached, and why some are not.
@Suite(.blocking, .serialized) struct DialingTests {
    @Test(arguments: ["ed25519", "ecdsa"]) func keysServe(type: String) throws {
        try SSHHosts.with([SSHHostPlan("nodeA", keyTypes: [type])]) { hosts in
            try hosts.makeKey("mine", type: type)
            try hosts.rewrite { $0.replacing("\(hosts.path)/id\n", with: "\(hosts.path)/mine\n") }
            #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
        }
    }

    /// Of several types of host keys, the one that is known is asked for.
    @Test func knownTypeIsAskedFor() throws {
        for type in ["ed25519", "ecdsa"] {
            try SSHHosts.with([SSHHostPlan("nodeA", keyTypes: ["ed25519", "ecdsa", "rsa"])]) { hosts in
                try hosts.rewriteKnown { lines in lines.filter { $0.contains(type) } }
                #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
            }
        }
    }

    @Test func hashedNamesPatternsAndOddLinesAreRead() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let plain = try String(contentsOfFile: hosts.knownHostsPath, encoding: .utf8)
            #expect(try Tool.run(["/usr/bin/ssh-keygen", "-H", "-f", hosts.knownHostsPath]).status == 0)
            try hosts.rewriteKnown { ["# note", "odd", "@revoked other ssh-ed25519 AAAA", "a b c"] + $0 }
            #expect(try String(contentsOfFile: hosts.knownHostsPath, encoding: .utf8).contains("|1|"))
            #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
            let key = plain.split(separator: " ").dropFirst().joined(separator: " ")
            try hosts.rewriteKnown { _ in ["!x,[127.*]:* " + key] }
            #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
            try hosts.rewriteKnown { _ in ["@cert-authority * " + key] }
            try expectFailure(hosts, .needsOpenSSH)
        }
    }

    @Test func wrongKeyIsRefusedForGood() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try hosts.makeKey("other", isAuthorised: false)
            try hosts.rewrite { $0.replacing("\(hosts.path)/id\n", with: "\(hosts.path)/other\n") }
            let error = try TestLoop(hosts).failure("nodeA")
            #expect(error.isPermanent && !error.needsOpenSSH)
            #expect(error.description.contains("permission denied (it accepts: publickey)"))
            #expect(error.description.contains("\(hosts.path)/other"))
        }
    }

    @Test func tooManyKeysAreSaidToBe() throws {
        try SSHHosts.with([SSHHostPlan("nodeA", server: ["MaxAuthTries 3"])]) { hosts in
            let keys = try (0..<5).map { try hosts.makeKey("other\($0)", isAuthorised: false) }
            let lines = keys.map { "IdentityFile \($0)\n" }.joined(separator: "  ")
            try hosts.rewrite { $0.replacing("IdentityFile \(hosts.path)/id\n", with: lines) }
            let error = try TestLoop(hosts).failure("nodeA")
            #expect(error.isPermanent, "\(error)")
            #expect(error.description.contains("it ended the connection after \(keys[0])"), "\(error)")
        }
    }

    @Test func keysForOpenSSHAloneAreLeftToIt() throws {
        try SSHHosts.with(["nodeA", "nodeB"]) { hosts in
            try hosts.makeKey("rsa", type: "rsa")
            try hosts.rewrite { $0.replacing("\(hosts.path)/id\n", with: "\(hosts.path)/rsa\n") }
            try expectFailure(hosts, .needsOpenSSH)
        }
        try SSHHosts.with([SSHHostPlan("nodeA", keyTypes: ["rsa"])]) { hosts in
            try expectFailure(hosts, .needsOpenSSH)
        }
        let plan = SSHHostPlan("nodeA", server: ["Ciphers chacha20-poly1305@openssh.com"])
        try SSHHosts.with([plan]) { hosts in try expectFailure(hosts, .needsOpenSSH) }
        try SSHHosts.with([SSHHostPlan("nodeA", client: ["RemoteCommand true"])]) { hosts in
            let error = try TestLoop(hosts).failure("nodeA")
            #expect(error.needsOpenSSH && error.description.contains("RemoteCommand"))
        }
    }

    @Test func changedHostKeyIsRefused() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let host = try hosts.host("nodeA")
            host.kill()
            try host.changeHostKeys()
            try host.start()
            let error = try TestLoop(hosts).failure("nodeA")
            #expect(error.isPermanent)
            #expect(error.description.contains(hosts.knownHostsPath))
            #expect(error.description.contains("ssh-keygen -f '\(hosts.knownHostsPath)' -R '[\(host.address)]:"))
            // OpenSSH's client goes on where it is told to.
            for (word, kind) in [("accept-new", SSHError.Kind.permanent), ("no", .needsOpenSSH)] {
                try hosts.rewrite { $0.replacing(/Checking \S+/, with: "Checking \(word)") }
                try expectFailure(hosts, kind)
            }
        }
    }

    /// A name without a port counts where none with it is known.
    @Test(arguments: [false, true]) func plainNameDoesNotStandForOneWithPort(isHashed: Bool) throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let host = try hosts.host("nodeA")
            let key = try #require(host.publicKeys().first)
            try hosts.rewriteKnown { _ in ["\(host.address) \(key)"] }
            #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
            for (type, kind) in [("ed25519", SSHError.Kind.permanent), ("rsa", .needsOpenSSH)] {
                let other = try hosts.makeKey("other-\(type)", type: type)
                let text = try String(contentsOfFile: other + ".pub", encoding: .utf8)
                let words = text.split(separator: " ").prefix(2).joined(separator: " ")
                try hosts.rewriteKnown { _ in
                    ["\(host.address) \(key)", "[\(host.address)]:\(host.port) \(words)"]
                }
                if isHashed {
                    #expect(try Tool.run(["/usr/bin/ssh-keygen", "-H", "-f", hosts.knownHostsPath]).status == 0)
                }
                try expectFailure(hosts, kind)
                #expect(try hosts.run("nodeA", "true").errorText.contains("HOST IDENTIFICATION HAS CHANGED"))
            }
        }
    }

    @Test func unknownHostKeyIsRefusedOrLeftToOpenSSH() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try hosts.rewriteKnown { _ in [] }
            let error = try TestLoop(hosts).failure("nodeA")
            #expect(error.isPermanent)
            #expect(error.description.hasSuffix("\nTo check and accept it: ssh nodeA"))
            try hosts.rewrite { $0.replacing("Checking yes", with: "Checking accept-new") }
            try expectFailure(hosts, .needsOpenSSH)
        }
    }

    @Test func aliasNamesTheKey() throws {
        try SSHHosts.with([SSHHostPlan("nodeA", client: ["HostKeyAlias farm"])]) { hosts in
            try expectFailure(hosts, .permanent)
            try hosts.rewriteKnown { $0.map { "farm " + $0.split(separator: " ").dropFirst().joined(separator: " ") } }
            #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
        }
    }

    @Test func troubleOfTheNetworkMayPass() throws {
        try SSHHosts.with([SSHHostPlan("gone"), SSHHostPlan("mute", client: ["ConnectTimeout 1"])]) { hosts in
            try hosts.kill("gone")
            let refused = try TestLoop(hosts).failure("gone")
            #expect(!refused.isPermanent && !refused.needsOpenSSH)
            #expect(refused.description.hasSuffix("can't connect: Connection refused"))
            // The kernel accepts, and nobody speaks.
            try hosts.freeze("mute")
            let late = try TestLoop(hosts).failure("mute")
            #expect(!late.isPermanent && !late.needsOpenSSH)
            #expect(late.description.hasSuffix("no answer in time at the greeting"))
            let unknown = try TestLoop(hosts).failure("no-such-name.invalid")
            #expect(unknown.kind == .network)
            #expect(unknown.description.hasPrefix("no address of no-such-name.invalid was found\n"))
        }
    }

    @Test func jumpHostsAndProxiesServe() throws {
        let plans = [
            SSHHostPlan("gate"), SSHHostPlan("second", client: ["ProxyJump gate"]),
            SSHHostPlan("inner", client: ["ProxyJump gate"]), SSHHostPlan("deep", client: ["ProxyJump gate,second"]),
        ]
        try SSHHosts.with(plans) { hosts in
            let loop = try TestLoop(hosts)
            #expect(try says(loop, "inner") == "yes\n")
            #expect(try says(loop, "deep") == "yes\n")
            try hosts.rewrite {
                $0.replacing("ProxyJump gate\n", with: "ProxyCommand \(hosts.binPath)/ssh -W [%h]:%p gate\n")
            }
            let channel = try loop.dial("inner", "echo yes")
            #expect(hasProxy(hosts))
            let exchange = Exchange(channel)
            try loop.run([exchange])
            #expect(exchange.text == "yes\n")
            try hosts.kill("gate")
            let error = try loop.failure("inner")
            #expect(!error.isPermanent && !error.needsOpenSSH)
            #expect(error.description.contains("; the proxy said: "), "\(error)")
            channel.close()
            // Its proxy is reaped.
            loop.dialer.close()
            #expect(!hasProxy(hosts))
        }
    }

    /// A proxy's errors go to the file that was meant when it was asked for, whatever becomes of its number.
    @Test func errorsKeepTheirFile() throws {
        let line = "ProxyCommand sh -c 'read line; echo lost >&2'"
        try SSHHosts.with([SSHHostPlan("nodeA", client: [line])]) { hosts in
            let dialer = try SSHDialer(client: hosts.binPath + "/ssh")
            defer { dialer.close() }
            let paths = [hosts.path + "/errors", hosts.path + "/another"]
            let files = paths.map { open($0, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
            defer { for file in files { close(file) } }
            dialer.dial(token: 0, host: "nodeA", command: "true", errors: files[0])
            #expect(dup2(files[1], files[0]) == files[0])
            let poll = try EventPoll()
            try poll.add(dialer.wakeup.raw, token: 0)
            var events: [ReadyEvent] = []
            try poll.wait(milliseconds: 20000, into: &events)
            let outcome = try #require(dialer.takeResults().first)
            let error = #expect(throws: SSHError.self) { try outcome.result.get() }
            #expect(error?.description.hasSuffix("the proxy said: lost") == true, "\(String(describing: error))")
            #expect(try paths.map { try String(contentsOfFile: $0, encoding: .utf8) } == ["lost\n", ""])
        }
    }

    /// A proxy that does not heed the end of its socket is told to end, and closing the channel does not wait for it.
    @Test func proxyThatStaysIsEnded() throws {
        try SSHHosts.with([SSHHostPlan("nodeA"), SSHHostPlan("inner", client: ["ProxyJump nodeA"])]) { hosts in
            let loop = try TestLoop(hosts)
            let channel = try loop.dial("inner", "cat")
            try hosts.freeze("nodeA")
            let start = MonotonicTime.now
            channel.close()
            #expect(MonotonicTime.now < start + .seconds(1))
            #expect(hasProxy(hosts))
            loop.dialer.close()
            #expect(MonotonicTime.now > start + .milliseconds(1900))
            #expect(!hasProxy(hosts))
        }
    }

    @Test func variablesAreSent() throws {
        let plan = SSHHostPlan("nodeA", server: ["AcceptEnv GIVEN"], client: ["SetEnv GIVEN=one KEPT=two"])
        try SSHHosts.with([plan]) { hosts in
            let loop = try TestLoop(hosts)
            let exchange = Exchange(try loop.dial("nodeA", "echo $GIVEN $KEPT"))
            try loop.run([exchange])
            #expect(exchange.text == "one\n")
        }
    }

    @Test func closingGivesUpAtOnce() throws {
        try SSHHosts.with((0..<40).map { SSHHostPlan("node\($0 % 2)x\($0)") }.prefix(3).map { $0 }) { hosts in
            for name in hosts.hosts.keys { try hosts.freeze(name) }
            let dialer = try SSHDialer(client: hosts.binPath + "/ssh")
            for token in 0..<60 {
                dialer.dial(token: token, host: hosts.hosts.keys.sorted()[token % 3], command: "true", errors: 2)
            }
            let start = MonotonicTime.now
            dialer.close()
            #expect(MonotonicTime.now < start + .seconds(3))
            #expect(dialer.takeResults().isEmpty)
        }
    }

    /// Whether a client with these hosts' configuration is among our children, be it a zombie.
    private func hasProxy(_ hosts: SSHHosts) -> Bool {
        ProcessTree().descendants(of: [getpid()]).contains { entry in
            let words = TextFile.read("/proc/\(entry.pid)/cmdline") ?? ""
            return words.contains(hosts.configPath) && words.contains("-W")
        }
    }
}
