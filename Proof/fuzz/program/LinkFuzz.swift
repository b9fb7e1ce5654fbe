import CFuzzer
import Glibc
import LinuxSystem
import SecureChannels

/// Two ends with one secret, and somebody between them who passes on, changes, leaves out, repeats and mixes up what
/// they send: each hears what the other said up to some place, and never anything else.
enum LinkFuzz {
    private static let secret = LinkSecret.random()
    /// What both say.
    fileprivate static let text = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8 ^ $0 >> 16) }

    static func run(_ input: inout FuzzInput) {
        guard let client = End(secret, .client), let server = End(secret, .server) else { return }
        var earlier: [UInt8] = []
        let before = __sanitizer_get_current_allocated_bytes()
        for _ in 0..<200 where !input.isAtEnd {
            let order = input.byte()
            let (from, to) = order & 1 == 0 ? (client, server) : (server, client)
            from.collect()
            switch order >> 1 & 15 {
            case 0...2: from.say(Int(input.byte()) << (order >> 5))
            case 3: from.say(40_000)
            case 4...7: earlier += from.pass(Int(input.byte()) << (order >> 4), to: to)
            case 8: earlier += from.pass(.max, to: to)
            case 9: from.change(at: Int(input.integer(UInt16.self)), by: input.byte())
            case 10: from.drop(at: Int(input.integer(UInt16.self)), count: Int(input.byte()))
            case 11: from.insert(input.counted(), at: Int(input.integer(UInt16.self)))
            case 12: from.insert(Array(earlier.prefix(Int(input.integer(UInt16.self)))), at: 0)
            case 13: from.give(to: from)
            default: to.hear()
            }
            to.hear()
            from.check(against: to)
            to.check(against: from)
        }
        let after = __sanitizer_get_current_allocated_bytes()
        let held = client.said + server.said
        expect(after < before + 8 * (held + earlier.count) + (4 << 20), "\(after) bytes are kept for \(held)")
        replay(earlier)
    }

    /// Who says again what was said on another connection is not heard.
    private static func replay(_ bytes: [UInt8]) {
        guard let server = End(secret, .server) else { return }
        bytes.withUnsafeBytes { _ = write(server.raw, $0) }
        server.hear()
        expect(server.heard == 0, "an echo is heard")
        expect(!server.channel.isAuthenticated, "an echo is believed")
    }

    /// One end, and what it has sent that the other has not been given.
    private final class End {
        let channel: SecureChannel
        /// The other side of its socket.
        let raw: Int32
        /// How many bytes of the text were said and heard.
        var said = 0
        var heard = 0
        private var queue: [UInt8] = []
        private var buffer = [UInt8](repeating: 0, count: 1 << 14)

        init?(_ secret: LinkSecret, _ role: LinkRole) {
            guard let ends = try? DescriptorPair.sockets().release() else { return nil }
            raw = ends.second
            _ = fcntl(raw, F_SETFL, O_NONBLOCK)
            guard let channel = try? SecureChannel(Descriptor(owning: ends.first), secret: secret, role: role) else {
                return nil
            }
            self.channel = channel
        }

        deinit {
            channel.close()
            Glibc.close(raw)
        }

        /// Says the next of the bytes that are said, which tell their places.
        func say(_ count: Int) {
            let part = LinkFuzz.text[said..<min(said + count, LinkFuzz.text.count)]
            if case .bytes(let taken) = part.withUnsafeBytes({ channel.write($0) }) { said += taken }
            collect()
        }

        func collect() {
            _ = channel.wantsToWrite
            while case .bytes(let count) = buffer.withUnsafeMutableBytes({ read(raw, into: $0) }), count > 0 {
                queue += buffer[..<count]
            }
        }

        func pass(_ count: Int, to other: End) -> [UInt8] {
            let some = Array(queue.prefix(count))
            guard !some.isEmpty, case .bytes(let sent) = some.withUnsafeBytes({ write(other.raw, $0) }) else {
                return []
            }
            queue.removeFirst(sent)
            return Array(some.prefix(sent))
        }

        func give(to other: End) { _ = pass(.max, to: other) }

        func change(at place: Int, by mask: UInt8) {
            guard !queue.isEmpty else { return }
            queue[place % queue.count] ^= mask
        }

        func drop(at place: Int, count: Int) {
            guard !queue.isEmpty else { return }
            let first = place % queue.count
            queue.removeSubrange(first..<min(queue.count, first + count))
        }

        func insert(_ bytes: [UInt8], at place: Int) {
            queue.insert(contentsOf: bytes, at: queue.isEmpty ? 0 : place % queue.count)
        }

        func hear() {
            while case .bytes(let count) = buffer.withUnsafeMutableBytes({ channel.read(into: $0) }) {
                let isSaid =
                    heard + count <= LinkFuzz.text.count
                    && LinkFuzz.text.withUnsafeBytes { text in
                        memcmp(text.baseAddress! + heard, buffer, count) == 0
                    }
                expect(isSaid, "what is heard was said")
                heard += count
            }
        }

        func check(against other: End) {
            expect(heard <= other.said, "\(heard) bytes are heard of \(other.said)")
            if heard > 0 { expect(channel.isAuthenticated, "who is heard has proved itself") }
        }
    }
}
