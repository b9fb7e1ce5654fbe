import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import SSHTransport

/// What an attempt to reach a host waits for, and for how long.
@Suite(.blocking) struct AttemptTests {
    private func attempt(seconds: Int) -> SSHAttempt {
        SSHAttempt(abort: -1, deadline: MonotonicTime.now + .seconds(seconds))
    }

    @Test func programsAnswer() throws {
        let answer = try #require(try attempt(seconds: 20).output(of: ["/bin/sh", "-c", "echo a; echo b >&2; exit 3"]))
        #expect(answer.status == 3 && answer.text == "a\nb\n")
        #expect(try attempt(seconds: 20).output(of: ["/bin/sh", "-c", "kill -9 $$"])?.status == 255)
    }

    /// It is killed too where it has closed its streams.
    @Test(arguments: ["", "exec >/dev/null 2>&1; "]) func programThatDoesNotEndIsKilled(start: String) throws {
        let file = FileManager.default.temporaryDirectory.path + "/pid-\(UUID().uuidString)"
        defer { unlink(file) }
        let line = "echo $$ >\(file); \(start)exec sleep 1000"
        #expect(try attempt(seconds: 1).output(of: ["/bin/sh", "-c", line]) == nil)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let pid = try #require(Int32(text.trimmingCharacters(in: .newlines)))
        // It is gone, and reaped.
        #expect(kill(pid, 0) == -1)
    }

    /// An address that does not answer leaves the next one its time.
    @Test func eachAddressHasItsTime() throws {
        let mute = try TCPListener(backlog: 0)
        mute.fill()
        let good = try TCPListener(backlog: 9)
        let configuration = ResolvedSSHConfiguration(
            host: "near", output: "",
            ResolvedSSHConfiguration.Surroundings(home: "/", environment: { _ in nil }, fileExists: { _ in false }))
        let addresses = [mute, mute, good].flatMap { HostAddress.numeric("127.0.0.1", "\($0.port)") }
        let raw = try HostConnection.connect(addresses, configuration, limit: 1, attempt(seconds: 20))
        #expect(raw >= 0)
        close(raw)
        // All of them together have a limit too.
        let start = MonotonicTime.now
        let error = #expect(throws: SSHError.self) {
            try HostConnection.connect(addresses, configuration, limit: 2, attempt(seconds: 1))
        }
        #expect(error?.kind == .network && MonotonicTime.now < start + .seconds(2))
    }

    @Test(arguments: [
        ("ssh: Could not resolve hostname gate: Name or service not known", SSHError.Kind.permanent),
        ("ssh: Could not resolve hostname gate: Temporary failure in name resolution", .network),
        ("me@gate: Permission denied (publickey).", .permanent), ("Connection closed", .network),
    ])
    func proxysWordsTellWhetherToTryAgain(line: String, kind: SSHError.Kind) throws {
        let path = FileManager.default.temporaryDirectory.path + "/log-\(UUID().uuidString)"
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        unlink(path)
        try file.writeAll(Array("Permission denied: of another\n".utf8))
        let log = ErrorLog(file.raw)
        try file.writeAll(Array("\(line)\n".utf8))
        let error = log.explain(SSHError(.network, "gone"))
        #expect(error.kind == kind && error.description == "gone; the proxy said: \(line)")
    }
}

/// A TCP port of this machine.
private final class TCPListener {
    let port: Int
    private let raw: Int32
    private var callers: [Int32] = []

    init(backlog: Int32) throws {
        raw = Self.socket(0)
        var address = Self.address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = raw
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) | listen(listener, backlog) | getsockname(listener, $0, &size)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        try #require(code == 0)
    }

    deinit { for descriptor in callers + [raw] { close(descriptor) } }

    /// Connects until nobody else can: the kernel does not answer then.
    func fill() {
        while true {
            let caller = Self.socket(Int32(SOCK_NONBLOCK.rawValue))
            callers.append(caller)
            var address = Self.address(port)
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = connect(caller, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            var entry = pollfd(fd: caller, events: Int16(POLLOUT), revents: 0)
            if poll(&entry, 1, 300) == 0 { return }
        }
    }

    private static func socket(_ flags: Int32) -> Int32 {
        Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | flags, 0)
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        return address
    }
}
