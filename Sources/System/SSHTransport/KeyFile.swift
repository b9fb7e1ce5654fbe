import DisbatchCore
import Glibc
import LinuxSystem

/// The parts of a key's file that need no passphrase.
struct KeyFile: Equatable {
    /// As in `ssh-ed25519`; empty where it could not be told.
    var type = ""
    /// The public key as it is sent; empty where it could not be told.
    var publicKey: [UInt8] = []
    var isEncrypted = false
    /// Whether there is more than the public key.
    var isPrivate = false
    /// Whether others may read or write the private key's file, which is ours: OpenSSH takes no key from such a file.
    var isExposed = false

    /// Types of keys that libssh2 1.10 can prove to have. It knows RSA by SHA-1 alone, which servers refuse.
    static let supportedTypes = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]

    /// Reads a private key's file, and the public key's beside it; nil where there is neither.
    init?(path: String) {
        let text = TextFile.readBytes(path)
        let beside = TextFile.readBytes(path + ".pub")
        guard text != nil || beside != nil else { return nil }
        self.init(
            text: String(decoding: text ?? [], as: UTF8.self), publicText: String(decoding: beside ?? [], as: UTF8.self)
        )
        var status = stat()
        if isPrivate, stat(path, &status) == 0, status.st_uid == getuid() { isExposed = status.st_mode & 0o77 != 0 }
    }

    init(text: String, publicText: String = "") {
        readPublic(text)
        if type.isEmpty { readPrivate(text) }
        if publicKey.isEmpty {
            let old = type
            readPublic(publicText)
            if type.isEmpty { type = old }
        }
    }

    private mutating func readPublic(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, let blob = Base64.decode(words[1].utf8), let name = Self.type(of: blob),
            name == words[0]
        else { return }
        type = name
        publicKey = blob
    }

    private mutating func readPrivate(_ text: String) {
        let lines = text.split(whereSeparator: \.isNewline)
        guard let first = lines.first(where: { $0.hasPrefix("-----BEGIN ") }) else { return }
        isPrivate = true
        if first.contains("OPENSSH PRIVATE KEY") {
            readOpenSSH(lines.filter { !$0.hasPrefix("-") }.joined())
        } else {
            if first.contains("RSA") { type = "ssh-rsa" }
            if first.contains("BEGIN EC ") { type = "ecdsa-sha2-nistp256" }
            isEncrypted = text.contains("ENCRYPTED")
        }
    }

    /// "openssh-key-v1", then strings: cipher, key derivation, its options; the number of keys; a public key.
    private mutating func readOpenSSH(_ text: String) {
        let magic = Array("openssh-key-v1\0".utf8)
        guard let bytes = Base64.decode(text.utf8), bytes.starts(with: magic) else { return }
        var rest = bytes[magic.count...]
        guard let cipher = SSHString.take(&rest), SSHString.take(&rest) != nil, SSHString.take(&rest) != nil,
            rest.count > 4
        else { return }
        rest = rest.dropFirst(4)
        isEncrypted = Array(cipher) != Array("none".utf8)
        guard let blob = SSHString.take(&rest) else { return }
        publicKey = Array(blob)
        type = Self.type(of: publicKey) ?? ""
    }

    /// The type that a public key names.
    static func type(of publicKey: [UInt8]) -> String? {
        var rest = publicKey[...]
        return SSHString.take(&rest).map { String(decoding: $0, as: UTF8.self) }
    }
}
