import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import SSHTransport

/// What hosts are logged in to with: keys of agents and of files.
@Suite(.blocking, .serialized) struct KeyTests {
    /// Runs an agent, gives it keys, and ends it afterwards.
    private func withAgent(
        _ hosts: SSHHosts, keys: [String], options: [String] = [], _ body: (String) throws -> Void
    ) throws {
        let socket = hosts.path + "/agent"
        // Whoever is asked whether a key may be used says no.
        let environment = ProcessInfo.processInfo.environment.merging([
            "SSH_AUTH_SOCK": socket, "SSH_ASKPASS": "/bin/false", "SSH_ASKPASS_REQUIRE": "force",
        ]) { $1 }
        let started = try Tool.run(["/usr/bin/ssh-agent", "-a", socket], environment: environment)
        let pid = try #require(started.text.firstMatch(of: /SSH_AGENT_PID=(\d+)/)).1
        defer { if let pid = Int32(pid) { kill(pid, SIGKILL) } }
        for key in keys {
            #expect(try Tool.run(["/usr/bin/ssh-add", "-q"] + options + [key], environment: environment).status == 0)
        }
        try hosts.rewrite { $0.replacing("IdentityAgent none", with: "IdentityAgent \(socket)") }
        try body(socket)
    }

    @Test(arguments: ["ed25519", "ecdsa"]) func agentsKeysServe(type: String) throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let key = try hosts.makeKey("held", type: type)
            try withAgent(hosts, keys: [key]) { _ in
                unlink(key)
                try hosts.rewrite { $0.replacing("\(hosts.path)/id\n", with: "\(hosts.path)/held\n") }
                #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
                // No file names the key any more, so that it is not to be used.
                unlink(key + ".pub")
                try expectFailure(hosts, .permanent)
                try hosts.rewrite { $0.replacing("IdentitiesOnly yes", with: "IdentitiesOnly no") }
                #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
            }
        }
    }

    /// The key's file serves where the agent may not sign with it.
    @Test func agentMayRefuse() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            let key = hosts.path + "/id"
            try withAgent(hosts, keys: [key], options: ["-c"]) { _ in
                #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
                unlink(key)
                let error = try TestLoop(hosts).failure("nodeA")
                #expect(error.isPermanent && error.description.contains("(the agent did not sign)"), "\(error)")
            }
        }
    }

    /// A key that serves, and is not enough.
    @Test func aSecondFactorIsSaidToBeWanted() throws {
        let server = ["AuthenticationMethods publickey,password", "PasswordAuthentication yes"]
        try SSHHosts.with([SSHHostPlan("nodeA", server: server)]) { hosts in
            func check(_ key: String) throws {
                let error = try TestLoop(hosts).failure("nodeA")
                #expect(error.isPermanent, "\(error)")
                let text = error.description
                #expect(text.contains("it accepted \(key)") && text.contains(", and wants more: password\n"), "\(text)")
                #expect(text.contains("ControlMaster") && text.contains("--ssh-client openssh"), "\(text)")
            }
            let key = hosts.path + "/id"
            try check(key)
            try withAgent(hosts, keys: [key]) { _ in
                unlink(key)
                try check("")
            }
        }
    }

    @Test func keysOfAgentsForOpenSSHAloneAreLeftToIt() throws {
        try SSHHosts.with([SSHHostPlan("nodeA", server: ["MaxAuthTries 3"])]) { hosts in
            let rsa = try hosts.makeKey("rsa", type: "rsa")
            let others = try (0..<4).map { try hosts.makeKey("other\($0)", isAuthorised: false) }
            try withAgent(hosts, keys: others + [rsa]) { _ in
                try hosts.rewrite {
                    $0.replacing("IdentitiesOnly yes", with: "IdentitiesOnly no")
                        .replacing("\(hosts.path)/id\n", with: "\(rsa).pub\n")
                }
                // The host ends the connection before all have been offered.
                let error = try TestLoop(hosts).failure("nodeA")
                #expect(error.needsOpenSSH && error.description.contains("it ended the connection"), "\(error)")
                #expect(try hosts.run("nodeA", "echo yes").text == "yes\n")
            }
        }
    }

    /// Nobody listens any more where an agent was.
    @Test func agentThatIsGoneDoesNotMatter() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try withAgent(hosts, keys: []) { _ in }
            #expect(access(hosts.path + "/agent", F_OK) == 0)
            #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
        }
    }

    /// What an agent should not do.
    enum Behaviour: CaseIterable {
        case saysNothing, acceptsNobody, endsTheConnection, saysTooMuch
    }

    /// A key's file serves in time.
    @Test(arguments: Behaviour.allCases) func badAgentDoesNotMatter(_ behaviour: Behaviour) throws {
        try SSHHosts.with([SSHHostPlan("nodeA", client: ["ConnectTimeout 4"])]) { hosts in
            let listener = try UnixListener(hosts.path + "/agent", backlog: behaviour == .acceptsNobody ? 0 : 9)
            try hosts.rewrite { $0.replacing("IdentityAgent none", with: "IdentityAgent \(hosts.path)/agent") }
            if behaviour == .acceptsNobody { listener.fill() }
            let raw = listener.raw
            let answering = try WorkerThread(name: "bad agent") {
                guard behaviour == .endsTheConnection || behaviour == .saysTooMuch else { return }
                let peer = accept(raw, nil, nil)
                var bytes = [UInt8](repeating: 0xff, count: 64)
                _ = read(peer, &bytes, 5)
                if behaviour == .saysTooMuch { _ = send(peer, [255, 255, 255, 255, 12], 5, Int32(MSG_NOSIGNAL)) }
                // Whoever else has it, as a program that another test started just now.
                shutdown(peer, Int32(SHUT_RDWR))
                close(peer)
            }
            let start = MonotonicTime.now
            #expect(try says(TestLoop(hosts), "nodeA") == "yes\n")
            let isSlow = behaviour == .saysNothing || behaviour == .acceptsNobody
            // Half of the time that there is to log in was the agent's.
            #expect(!isSlow || MonotonicTime.now > start + .milliseconds(1900))
            answering.join()
        }
    }

    @Test func exposedKeyFileIsNotUsed() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            chmod(hosts.path + "/id", 0o640)
            let error = try TestLoop(hosts).failure("nodeA")
            #expect(error.isPermanent && error.description.contains("others may read it; chmod 600"), "\(error)")
            #expect(try hosts.run("nodeA", "true").errorText.contains("UNPROTECTED PRIVATE KEY FILE"))
        }
    }

    @Test func keyWithPassphraseIsNotOffered() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try hosts.makeKey("locked", passphrase: "secret")
            try hosts.rewrite { $0.replacing("\(hosts.path)/id\n", with: "\(hosts.path)/locked\n") }
            let error = try TestLoop(hosts).failure("nodeA")
            #expect(error.isPermanent && error.description.contains("it has a passphrase"), "\(error)")
            #expect(try hosts.run("nodeA", "true").status == 255)
        }
    }

    @Test func oddStringsAreNotTaken() {
        var rest: ArraySlice<UInt8> = [0, 0, 0, 2, 65, 66, 0, 0, 0, 3, 67]
        #expect(SSHString.take(&rest) == [65, 66])
        #expect(SSHString.take(&rest) == nil)
        rest = [0, 0]
        #expect(SSHString.number(&rest) == nil)
        #expect(SSHString.encode([9]) == [0, 0, 0, 1, 9])
    }
}

/// A socket that an agent might listen on.
private final class UnixListener {
    let raw: Int32
    private var callers: [Int32] = []
    private let path: String

    init(_ path: String, backlog: Int32) throws {
        self.path = path
        raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(Self.withAddress(path) { bind(raw, $0, $1) } == 0 && listen(raw, backlog) == 0)
    }

    deinit { for descriptor in callers + [raw] { close(descriptor) } }

    /// Connects until nobody else can.
    func fill() {
        while true {
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let caller = socket(AF_UNIX, type, 0)
            callers.append(caller)
            if Self.withAddress(path, { connect(caller, $0, $1) }) != 0 { return }
        }
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
