import Foundation
import LinuxSystem
import SSHTransport
import TestSupport
import Testing

/// A dialer, and the loop that uses its channels, as the driver does.
final class TestLoop {
    let dialer: SSHDialer
    /// Where the commands' standard errors go.
    let log: String
    let errors: Int32
    private let poll: EventPoll
    private var dialed = 0

    /// - Parameter client: OpenSSH's client; that of the hosts by default.
    init(_ hosts: SSHHosts, client: String? = nil) throws {
        dialer = try SSHDialer(client: client ?? hosts.binPath + "/ssh")
        log = hosts.path + "/errors-\(UUID().uuidString)"
        errors = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        poll = try EventPoll()
        try poll.add(dialer.wakeup.raw, token: .max)
    }

    deinit {
        dialer.close()
        close(errors)
    }

    var errorText: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// Starts a command on each host; the outcomes are in their order.
    func dial(_ hosts: [String], _ command: String) throws -> [Result<LibSSH2Channel, SSHError>] {
        for (token, host) in hosts.enumerated() {
            dialer.dial(token: token, host: host, command: command, errors: errors)
        }
        var found: [Int: Result<LibSSH2Channel, SSHError>] = [:]
        let limit = MonotonicTime.now + .seconds(60)
        while found.count < hosts.count {
            try #require(MonotonicTime.now < limit, "no outcome")
            var events: [ReadyEvent] = []
            try poll.wait(milliseconds: 1000, into: &events)
            for outcome in dialer.takeResults() { found[outcome.token] = outcome.result }
        }
        return hosts.indices.compactMap { found[$0] }
    }

    func dial(_ host: String, _ command: String) throws -> LibSSH2Channel {
        try #require(try dial([host], command).first).get()
    }

    /// The error that there is to be.
    func failure(_ host: String) throws -> SSHError {
        switch try #require(try dial([host], "true").first) {
        case .success(let channel):
            channel.close()
            throw SSHError(.network, "\(host) was reached")
        case .failure(let error): return error
        }
    }

    /// Sends to channels and receives from them until all have ended, by one poll.
    func run(_ exchanges: [Exchange], seconds: Int = 60) throws {
        for (index, exchange) in exchanges.enumerated() {
            try poll.add(exchange.channel.descriptor, token: UInt64(index), exchange.interest)
        }
        let limit = MonotonicTime.now + .seconds(seconds)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        for exchange in exchanges {
            exchange.send()
            // What came with the answer to the command is told of by no descriptor.
            exchange.receive(&buffer)
            if exchange.hasEnded { poll.remove(exchange.channel.descriptor) }
        }
        while exchanges.contains(where: { !$0.hasEnded }) {
            try #require(MonotonicTime.now < limit, "the channels did not end")
            for (index, exchange) in exchanges.enumerated() where !exchange.hasEnded && exchange.changesInterest() {
                try poll.change(exchange.channel.descriptor, token: UInt64(index), exchange.interest)
            }
            var events: [ReadyEvent] = []
            try poll.wait(milliseconds: 1000, into: &events)
            for event in events where event.token < UInt64(exchanges.count) {
                let exchange = exchanges[Int(event.token)]
                exchange.wakings += 1
                if event.isWritable { exchange.send() }
                if event.isReadable || event.isHungUp { exchange.receive(&buffer) }
                if exchange.hasEnded { poll.remove(exchange.channel.descriptor) }
            }
        }
    }
}

/// What goes over a channel both ways.
final class Exchange {
    let channel: LibSSH2Channel
    var input: [UInt8]
    /// The first bytes that came.
    var output: [UInt8] = []
    var received = 0
    /// Pieces that were not what they should be.
    var wrong = 0
    var hasEnded = false
    var end: TransferResult?
    var wakings = 0
    /// How many bytes the channel had taken and not given back, of those that come back, at most.
    private(set) var mostUnderWay = 0
    private var sent = 0
    private var isWatchedForWriting = false
    /// Whether each byte that comes is to be that of the pattern.
    private let checks: Bool

    init(_ channel: LibSSH2Channel, input: [UInt8] = [], checks: Bool = false) {
        self.channel = channel
        self.input = input
        self.checks = checks
    }

    /// What a stream that is checked repeats. Its length is prime, so that no piece of it can be lost or come twice
    /// unseen.
    private static let pattern = (0..<65521).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }

    /// The first bytes of such a stream.
    static func patterned(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + pattern.count)
        while bytes.count < count { bytes += pattern }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Whether these bytes are what such a stream has from a place on.
    private static func isPatterned(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let start = (place + done) % pattern.count
            let count = min(pattern.count - start, bytes.count - done)
            guard let base = bytes.baseAddress,
                pattern.withUnsafeBytes({ memcmp(base + done, $0.baseAddress! + start, count) }) == 0
            else { return false }
            done += count
        }
        return true
    }

    var text: String { String(decoding: output, as: UTF8.self) }
    var interest: Interest { isWatchedForWriting ? [.reading, .writing] : .reading }

    func changesInterest() -> Bool {
        let before = isWatchedForWriting
        isWatchedForWriting = channel.wantsToWrite
        return before != isWatchedForWriting
    }

    func send() {
        while sent < input.count {
            let result = input.withUnsafeBytes { channel.write(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            guard case .bytes(let count) = result else { return }
            sent += count
            mostUnderWay = max(mostUnderWay, sent - received)
        }
    }

    func receive(_ buffer: inout [UInt8]) {
        while true {
            let result = buffer.withUnsafeMutableBytes { channel.read(into: $0) }
            switch result {
            case .bytes(let count):
                let isRight = buffer.withUnsafeBytes {
                    Self.isPatterned(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: received)
                }
                if checks, !isRight { wrong += 1 }
                if output.count < 1 << 16 { output += buffer[..<count] }
                received += count
            case .wouldBlock: return
            case .ended, .failed:
                end = result
                hasEnded = true
                return
            }
        }
    }
}

extension SSHHosts {
    /// Changes the client's configuration.
    func rewrite(_ change: (String) -> String) throws {
        let text = try String(contentsOfFile: configPath, encoding: .utf8)
        try change(text).write(toFile: configPath, atomically: true, encoding: .utf8)
    }

    /// Changes the lines of the client's list of host keys.
    func rewriteKnown(_ change: ([String]) -> [String]) throws {
        let text = try String(contentsOfFile: knownHostsPath, encoding: .utf8)
        let lines = change(text.split(separator: "\n").map(String.init))
        try lines.map { $0 + "\n" }.joined().write(toFile: knownHostsPath, atomically: true, encoding: .utf8)
    }
}

/// What a command that says yes says by way of a channel to a host.
func says(_ loop: TestLoop, _ host: String) throws -> String {
    let exchange = Exchange(try loop.dial(host, "hostname >/dev/null; echo yes"))
    try loop.run([exchange])
    return exchange.text
}

/// Expects that nodeA can't be reached, for such a reason.
func expectFailure(
    _ hosts: SSHHosts, _ kind: SSHError.Kind, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let error = try TestLoop(hosts).failure("nodeA")
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
}
