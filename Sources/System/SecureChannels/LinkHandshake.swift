import CSodium

/// Which end of a link one is.
package enum LinkRole: UInt8, Sendable {
    /// The side that connects.
    case client = 67
    /// The side that listens.
    case server = 83

    var other: LinkRole { self == .client ? .server : .client }
}

/// How both ends of a new connection prove to each other that they have the secret, and agree on keys that no other
/// connection has.
///
/// Each sends a greeting: a line that says what it speaks, a fresh public key (X25519), and a mark of it made with the
/// secret (BLAKE2b); the server answers when the client's mark is right, and its own mark covers the client's key. The
/// keys of the connection come from what the two fresh keys have in common, from the secret and from both greetings.
/// Whoever plays an old greeting again can't say anything after it.
struct LinkHandshake {
    static let line = Array("disbatch-link-1\n".utf8)
    static let keySize = 32
    static let markSize = 32
    /// The length of a greeting.
    static let greetingSize = line.count + keySize + markSize

    private let secret: LinkSecret
    private let role: LinkRole
    private let privateKey: [UInt8]
    let publicKey: [UInt8]

    init(_ secret: LinkSecret, _ role: LinkRole) {
        Sodium.start()
        self.secret = secret
        self.role = role
        var ownPublic = [UInt8](repeating: 0, count: Self.keySize)
        var ownPrivate = [UInt8](repeating: 0, count: Self.keySize)
        crypto_kx_keypair(&ownPublic, &ownPrivate)
        publicKey = ownPublic
        privateKey = ownPrivate
    }

    /// - Parameter client: the client's public key, for the server's greeting.
    func greeting(answering client: [UInt8] = []) -> [UInt8] {
        Self.line + publicKey + mark(role, client + publicKey)
    }

    /// The public key in the other's greeting; nil where it is not one of somebody who has the secret.
    func accept(_ greeting: [UInt8]) -> [UInt8]? {
        guard greeting.count == Self.greetingSize, greeting.starts(with: Self.line) else { return nil }
        let key = Array(greeting.dropFirst(Self.line.count).prefix(Self.keySize))
        let given = Array(greeting.suffix(Self.markSize))
        let right = mark(role.other, role == .client ? publicKey + key : key)
        return sodium_memcmp(given, right, right.count) == 0 ? key : nil
    }

    /// The keys for what is received and what is sent; nil where the other's key is none.
    func keys(with other: [UInt8]) -> (receive: [UInt8], send: [UInt8])? {
        var shared = [UInt8](repeating: 0, count: Self.keySize)
        guard crypto_scalarmult(&shared, privateKey, other) == 0 else { return nil }
        let (client, server) = role == .client ? (publicKey, other) : (other, publicKey)
        var both = [UInt8](repeating: 0, count: 64)
        let text = shared + client + server
        crypto_generichash(&both, both.count, text, UInt64(text.count), secret.bytes, secret.bytes.count)
        let (first, second) = (Array(both[..<32]), Array(both[32...]))
        return role == .client ? (first, second) : (second, first)
    }

    private func mark(_ role: LinkRole, _ text: [UInt8]) -> [UInt8] {
        var mark = [UInt8](repeating: 0, count: Self.markSize)
        let text = [role.rawValue] + Self.line + text
        crypto_generichash(&mark, mark.count, text, UInt64(text.count), secret.bytes, secret.bytes.count)
        return mark
    }
}
