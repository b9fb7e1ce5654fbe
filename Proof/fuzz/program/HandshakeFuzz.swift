import CFuzzer
import Glibc
import LinuxSystem
import SecureChannels

/// A channel whose other end has not the secret: whatever comes, it hears nothing, it is not convinced, and it keeps
/// little.
enum HandshakeFuzz {
    private static let own = LinkSecret.random()
    private static let other = LinkSecret.random()

    static func run(_ input: inout FuzzInput) {
        let mode = input.byte()
        let role: LinkRole = mode & 1 == 0 ? .server : .client
        var cutter = FuzzPieces(seed: input.byte())
        guard let (channel, raw) = Self.channel(role) else { return }
        defer { channel.close() }
        var bytes = input.rest()
        // A greeting of the right form, made with another secret.
        if mode & 6 == 2 { bytes = greeting(of: other, role) + bytes }
        // The right greeting, with something in it changed.
        if mode & 6 == 4 { bytes = changed(greeting(of: own, role), by: bytes) }
        let before = __sanitizer_get_current_allocated_bytes()
        cutter.cut(bytes) { piece in
            let sent = Array(piece).withUnsafeBytes { write(raw, $0) }
            hearNothing(channel)
            if case .bytes = sent { return }
            drain(raw)
        }
        let after = __sanitizer_get_current_allocated_bytes()
        expect(after < before + (1 << 20), "\(after - before) bytes are kept")
        expect(!channel.isAuthenticated, "who has not the secret is not believed")
        Glibc.close(raw)
        hearNothing(channel)
    }

    private static func channel(_ role: LinkRole) -> (SecureChannel, Int32)? {
        guard let ends = try? DescriptorPair.sockets().release() else { return nil }
        _ = fcntl(ends.second, F_SETFL, O_NONBLOCK)
        guard let channel = try? SecureChannel(Descriptor(owning: ends.first), secret: own, role: role) else {
            return nil
        }
        return (channel, ends.second)
    }

    private static func hearNothing(_ channel: SecureChannel) {
        var buffer = [UInt8](repeating: 0, count: 1 << 12)
        for _ in 0..<3 {
            let result = buffer.withUnsafeMutableBytes { channel.read(into: $0) }
            if case .bytes(let count) = result { expect(false, "\(count) bytes are heard") }
        }
        let sent = buffer.withUnsafeBytes { channel.write(UnsafeRawBufferPointer(rebasing: $0[..<10])) }
        if case .bytes(let count) = sent { expect(count == 0, "something is said") }
    }

    private static func drain(_ raw: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 12)
        while case .bytes(let count) = buffer.withUnsafeMutableBytes({ read(raw, into: $0) }), count > 0 {}
    }

    /// What the other end would send first.
    private static func greeting(of secret: LinkSecret, _ role: LinkRole) -> [UInt8] {
        guard let ends = try? DescriptorPair.sockets().release() else { return [] }
        defer { Glibc.close(ends.second) }
        _ = fcntl(ends.second, F_SETFL, O_NONBLOCK)
        let other: LinkRole = role == .server ? .client : .server
        guard let channel = try? SecureChannel(Descriptor(owning: ends.first), secret: secret, role: other) else {
            return []
        }
        var buffer = [UInt8](repeating: 0, count: 1 << 12)
        // A server speaks when it has been greeted.
        if other == .server {
            guard let mine = try? DescriptorPair.sockets().release() else { return [] }
            defer { Glibc.close(mine.second) }
            _ = fcntl(mine.second, F_SETFL, O_NONBLOCK)
            guard let client = try? SecureChannel(Descriptor(owning: mine.first), secret: secret, role: .client) else {
                return []
            }
            if case .bytes(let count) = buffer.withUnsafeMutableBytes({ read(mine.second, into: $0) }) {
                _ = buffer.withUnsafeBytes { write(ends.second, UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            }
            client.close()
            _ = buffer.withUnsafeMutableBytes { channel.read(into: $0) }
        }
        var greeting: [UInt8] = []
        if case .bytes(let count) = buffer.withUnsafeMutableBytes({ read(ends.second, into: $0) }) {
            greeting = Array(buffer[..<count])
        }
        channel.close()
        return greeting
    }

    /// Some of its first 80 bytes are others.
    private static func changed(_ greeting: [UInt8], by mask: [UInt8]) -> [UInt8] {
        var greeting = greeting
        guard greeting.count >= 80 else { return greeting }
        greeting[Int(mask.first ?? 0) % 80] ^= (mask.dropFirst().first ?? 0) | 1
        for (place, byte) in mask.dropFirst(2).enumerated() where place < greeting.count {
            if place != Int(mask.first ?? 0) % 80 { greeting[place] ^= byte }
        }
        return greeting
    }
}
