import CSSH2
import LinuxSystem

/// The entries of the user's lists for one host.
final class KnownHosts {
    /// The lists' judgement of a key that the host showed.
    enum Verdict: Equatable {
        case known
        case unknown
        /// A list has another key of this type.
        case changed(file: String)
    }

    /// The host's names in the lists; the second, where there is one, counts only where no list has the first.
    let names: [String]
    /// A line in force that libssh2 can't heed: `@cert-authority` or `@revoked`.
    private(set) var marker: String?
    private var files: [(path: String, list: OpaquePointer)] = []

    init(_ configuration: ResolvedSSHConfiguration, session: OpaquePointer) {
        if let alias = configuration.hostKeyAlias {
            names = [alias]
        } else if configuration.port == 22 {
            names = [configuration.hostName]
        } else {
            names = ["[\(configuration.hostName)]:\(configuration.port)", configuration.hostName]
        }
        for path in configuration.knownHostsFiles {
            guard let bytes = TextFile.readBytes(path), let list = libssh2_knownhost_init(session) else { continue }
            files.append((path, list))
            for line in bytes.split(separator: 10) { add(String(decoding: line, as: UTF8.self), to: list, path) }
        }
    }

    deinit { for file in files { libssh2_knownhost_free(file.list) } }

    /// Libssh2 stops at lines that it can't read, and knows no patterns: it is given one line at a time, with the name
    /// alone.
    private func add(_ line: String, to list: OpaquePointer, _ path: String) {
        var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
        guard let first = words.first, !first.hasPrefix("#") else { return }
        let mark = first.hasPrefix("@") ? String(words.removeFirst()) : nil
        guard words.count >= 3 else { return }
        if words[0].hasPrefix("|") {
            if mark != nil { marker = "\(mark ?? "") in \(path)" }
            return feed(words[0], words[1], words[2], to: list)
        }
        for name in names where HostPattern.matches(list: words[0], name) {
            if let mark {
                marker = "\(mark) in \(path)"
            } else {
                feed(name[...], words[1], words[2], to: list)
            }
        }
    }

    private func feed(_ name: Substring, _ type: Substring, _ key: Substring, to list: OpaquePointer) {
        let line = "\(name) \(type) \(key)"
        libssh2_knownhost_readline(list, line, line.utf8.count, LIBSSH2_KNOWNHOST_FILE_OPENSSH)
    }

    private static let types: [(name: String, mask: Int32)] = [
        ("ssh-ed25519", LIBSSH2_KNOWNHOST_KEY_ED25519), ("ecdsa-sha2-nistp256", LIBSSH2_KNOWNHOST_KEY_ECDSA_256),
        ("ecdsa-sha2-nistp384", LIBSSH2_KNOWNHOST_KEY_ECDSA_384),
        ("ecdsa-sha2-nistp521", LIBSSH2_KNOWNHOST_KEY_ECDSA_521), ("ssh-rsa", LIBSSH2_KNOWNHOST_KEY_SSHRSA),
        ("ssh-dss", LIBSSH2_KNOWNHOST_KEY_SSHDSS), ("", LIBSSH2_KNOWNHOST_KEY_UNKNOWN),
    ]

    /// The types of keys that the lists have of the host; "" for those that libssh2 does not know.
    var knownTypes: [String] { knownTypes(of: nameInForce) }

    /// The name that counts. A plain name is another host's where there is any key for the name with the port.
    private var nameInForce: String { names.first { !knownTypes(of: $0).isEmpty } ?? names[0] }

    private func knownTypes(of name: String) -> [String] {
        // No host has this key, so that a list with another one of its type says so.
        let nobodys: [UInt8] = [0]
        return Self.types.filter { type in
            files.contains { check($0.list, name, nobodys, type.mask) == LIBSSH2_KNOWNHOST_CHECK_MISMATCH }
        }.map(\.name)
    }

    /// The lists' judgement of a key.
    func verdict(_ key: [UInt8]) -> Verdict {
        let mask = Self.types.first { $0.name == KeyFile.type(of: key) }?.mask ?? LIBSSH2_KNOWNHOST_KEY_UNKNOWN
        let name = nameInForce
        if files.contains(where: { check($0.list, name, key, mask) == LIBSSH2_KNOWNHOST_CHECK_MATCH }) { return .known }
        let other = files.first { check($0.list, names[0], key, mask) == LIBSSH2_KNOWNHOST_CHECK_MISMATCH }
        return other.map { .changed(file: $0.path) } ?? .unknown
    }

    private func check(_ list: OpaquePointer, _ name: String, _ key: [UInt8], _ mask: Int32) -> Int32 {
        let how = LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW | mask
        return key.withUnsafeBytes { bytes in
            libssh2_knownhost_checkp(
                list, name, -1, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, how, nil)
        }
    }
}

/// The patterns of OpenSSH's files: `*` is any text, `?` any character, `!` before one excludes.
enum HostPattern {
    /// Whether a name is meant by a list of patterns, comma-separated.
    static func matches(list: Substring, _ name: String) -> Bool {
        var isMeant = false
        for pattern in list.split(separator: ",") {
            if pattern.hasPrefix("!") {
                if matches(pattern.dropFirst(), name) { return false }
            } else if matches(pattern, name) {
                isMeant = true
            }
        }
        return isMeant
    }

    /// Whether a name is meant by one pattern.
    static func matches(_ pattern: Substring, _ name: String, heedsCase: Bool = false) -> Bool {
        let pattern = Array((heedsCase ? String(pattern) : pattern.lowercased()).utf8)
        let name = Array((heedsCase ? name : name.lowercased()).utf8)
        var (at, place) = (0, 0)
        // Where the last star stands, and what it stands for up to now.
        var star: (at: Int, place: Int)?
        while place < name.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                star = (at, place)
                at += 1
            } else if at < pattern.count, pattern[at] == name[place] || pattern[at] == UInt8(ascii: "?") {
                at += 1
                place += 1
            } else if let last = star {
                star = (last.at, last.place + 1)
                at = last.at + 1
                place = last.place + 1
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
