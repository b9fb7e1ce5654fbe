import Glibc
import LinuxSystem
import SecureChannels
import TestSupport
import Testing

/// Two ends of a connection, by sockets of this machine.
@Suite struct SecureChannelTests {
    private let secret = LinkSecret.random()

    private func pair(
        _ clientSecret: LinkSecret, _ serverSecret: LinkSecret
    ) throws -> (client: SecureChannel, server: SecureChannel) {
        let ends = try DescriptorPair.sockets().release()
        return (
            try SecureChannel(Descriptor(owning: ends.first), secret: clientSecret, role: .client),
            try SecureChannel(Descriptor(owning: ends.second), secret: serverSecret, role: .server)
        )
    }

    /// Reads all that is there.
    private func drain(_ channel: SecureChannel) -> (bytes: [UInt8], end: TransferResult) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 5000)
        while true {
            let result = buffer.withUnsafeMutableBytes { channel.read(into: $0) }
            guard case .bytes(let count) = result else { return (bytes, result) }
            bytes += buffer[..<count]
        }
    }

    private func send(_ bytes: [UInt8], by channel: SecureChannel) -> TransferResult {
        bytes.withUnsafeBytes { channel.write($0) }
    }

    /// Lets both ends take what the other sent until neither has more.
    private func settle(_ first: SecureChannel, _ second: SecureChannel) -> (first: [UInt8], second: [UInt8]) {
        var all: (first: [UInt8], second: [UInt8]) = ([], [])
        for _ in 0..<4 {
            all.second += drain(second).bytes
            all.first += drain(first).bytes
        }
        return all
    }

    @Test func bothEndsHearEachOther() throws {
        let (client, server) = try pair(secret, secret)
        #expect(send([1], by: client) == .wouldBlock, "nothing is said to who has not shown that it is the one")
        _ = settle(client, server)
        #expect(client.isAuthenticated && server.isAuthenticated)
        #expect(send(Array("to the server".utf8), by: client) == .bytes(13))
        #expect(send(Array("to the client".utf8), by: server) == .bytes(13))
        let heard = settle(client, server)
        #expect(heard.first == Array("to the client".utf8))
        #expect(heard.second == Array("to the server".utf8))
        client.close()
        #expect(eventually { drain(server).end == .ended })
    }

    @Test func manyBytesComeInOrderAndWaitForRoom() throws {
        let (client, server) = try pair(secret, secret)
        _ = settle(client, server)
        let all = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }
        var sent = 0
        var got: [UInt8] = []
        var waited = false
        while got.count < all.count {
            if sent < all.count, case .bytes(let count) = send(Array(all[sent...]), by: client) { sent += count }
            waited = waited || client.wantsToWrite
            got += drain(server).bytes
        }
        #expect(got == all)
        #expect(waited, "a socket does not take all of it at once")
    }

    @Test func anotherSecretIsRefusedByBoth() throws {
        let (client, server) = try pair(.random(), secret)
        #expect(drain(server).end == .failed(code: EPROTO))
        server.close()
        #expect(eventually { drain(client).end == .ended })
        #expect(!client.isAuthenticated && !server.isAuthenticated)
    }

    /// An end that says what it likes.
    private final class Stranger {
        let socket: Descriptor
        init(_ socket: consuming Descriptor) { self.socket = socket }

        func say(_ bytes: [UInt8]) throws { try socket.writeAll(bytes) }

        /// What was said to it.
        func take() -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            guard case .bytes(let count) = buffer.withUnsafeMutableBytes({ socket.read(into: $0) }) else { return [] }
            return Array(buffer[..<count])
        }
    }

    private func stranger(_ role: LinkRole) throws -> (raw: Stranger, channel: SecureChannel) {
        let ends = try DescriptorPair.sockets().release()
        let raw = Stranger(Descriptor(owning: ends.first))
        try raw.socket.setNonBlocking()
        return (raw, try SecureChannel(Descriptor(owning: ends.second), secret: secret, role: role))
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "\n", "disbatch-link-2\n", String(repeating: "x", count: 100_000)])
    func garbageIsRefusedAtOnce(text: String) throws {
        let (raw, server) = try stranger(.server)
        try raw.say(Array(text.utf8.prefix(60_000)))
        #expect(drain(server).end == .failed(code: EPROTO))
        #expect(raw.take().isEmpty, "a stranger is told nothing")
    }

    @Test func halfAGreetingIsWaitedFor() throws {
        let (raw, server) = try stranger(.server)
        try raw.say(Array("disbatch-li".utf8))
        #expect(drain(server).end == .wouldBlock)
        #expect(!server.isAuthenticated)
    }

    @Test func aGreetingThatIsPlayedAgainGetsNoFurther() throws {
        let (raw, client) = try stranger(.client)
        let greeting = raw.take()
        #expect(drain(client).end == .wouldBlock)
        let (replayer, server) = try stranger(.server)
        try replayer.say(greeting)
        #expect(drain(server).end == .wouldBlock)
        #expect(!replayer.take().isEmpty, "the greeting is a right one")
        // Whatever comes next can't be what only the two ends could make.
        try replayer.say([UInt8](repeating: 7, count: 24) + [17, 0] + [UInt8](repeating: 7, count: 17))
        #expect(drain(server).end == .failed(code: EPROTO))
        #expect(!server.isAuthenticated)
    }

    /// Passes on what two ends say, with a byte changed.
    @Test(arguments: [0, 20, 50, 79, 80, 100, 104, 105, 110, 130])
    func aChangedByteIsNoticed(place: Int) throws {
        let (toClient, client) = try stranger(.client)
        let (toServer, server) = try stranger(.server)
        var upward: [UInt8] = []
        var isBroken = false
        func pass() throws {
            var bytes = toClient.take()
            for index in bytes.indices where upward.count + index == place { bytes[index] ^= 1 }
            upward += bytes
            if !bytes.isEmpty { try toServer.say(bytes) }
            let down = toServer.take()
            if !down.isEmpty { try toClient.say(down) }
        }
        for round in 0..<8 {
            try pass()
            let heard = drain(server)
            if case .failed = heard.end { isBroken = true }
            #expect(heard.bytes.isEmpty)
            _ = drain(client)
            if round == 4 { _ = send(Array("something to change".utf8), by: client) }
        }
        #expect(upward.count > place, "the byte was never sent")
        // A message that is now longer is waited for, and is then none.
        if place != 105 { #expect(isBroken, "byte \(place) was changed unnoticed") }
    }

    @Test func secretsAreText() throws {
        let text = secret.hexadecimal
        #expect(text.utf8.count == 64)
        #expect(LinkSecret(hexadecimal: text) == secret)
        for bad in [
            "", "0", String(text.dropLast()), text + "00", String(text.dropLast()) + "g", "é" + text.dropFirst(2),
        ] {
            #expect(LinkSecret(hexadecimal: bad) == nil)
        }
        #expect(LinkSecret.random() != secret)
    }
}
