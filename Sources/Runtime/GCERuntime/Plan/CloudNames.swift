import DisbatchCore

/// Names and labels as Compute Engine takes them.
enum CloudNames {
    /// Whether an instance may have this name: `[a-z]([-a-z0-9]{0,61}[a-z0-9])?`.
    static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= 63 else { return false }
        return isLetter(first) && last != UInt8(ascii: "-")
            && bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    /// Whether a label may have this key: `[a-z][a-z0-9_-]{0,62}`.
    static func isLabelKey(_ key: String) -> Bool { key.utf8.first.map(isLetter) == true && isLabelValue(key) }

    /// Whether a label may have this value: `[a-z0-9_-]{0,63}`.
    static func isLabelValue(_ value: String) -> Bool {
        value.utf8.count <= 63 && value.utf8.allSatisfy { isLetter($0) || isDigit($0) || "-_".utf8.contains($0) }
    }

    /// The text as a label's value: capitals made small, whatever is not allowed made a hyphen, 63 bytes at most.
    static func labelValue(_ text: String) -> String {
        let value = text.lowercased().unicodeScalars.map { isLabelValue(String($0)) ? Character($0) : "-" }
        return String(value.prefix(63))
    }

    /// The beginning of the names of a run's instances: `disbatch-NAME-NONCE`.
    ///
    /// - Parameters:
    ///   - run: the run's name, of which as much is taken as fits.
    ///   - nonce: hexadecimal digits that no other run has.
    static func prefix(run: String, nonce: String) -> String {
        let allowed = labelValue(run).map { $0 == "_" ? "-" : $0 }
        var words = String(allowed).split(separator: "-").joined(separator: "-").prefix(30)
        while words.last == "-" { words.removeLast() }
        return (["disbatch", String(words), nonce].filter { !$0.isEmpty }).joined(separator: "-")
    }

    /// The name of a run's instance: four digits follow the prefix, or as many as it takes.
    static func name(prefix: String, serial: Int) -> String {
        "\(prefix)-\(String(serial, digits: 4))"
    }

    /// The region of a zone: `us-central1` of `us-central1-b`.
    static func region(ofZone zone: String) -> String {
        zone.lastIndex(of: "-").map { String(zone[..<$0]) } ?? zone
    }

    /// Whether a text can be a part of a request's address: a name, a number, a domain-scoped project.
    static func isPathPart(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 200
            && text.utf8.allSatisfy { byte in
                isLetter(byte | 0x20) || isDigit(byte) || "-_.:".utf8.contains(byte)
            } && !text.hasPrefix(".")
    }

    private static func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte }
    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
}

/// The labels by which instances are found again.
enum CloudLabel {
    /// The run that made the instance.
    static let run = "disbatch-run"
    /// The pool that it belongs to, which other runs may take it from.
    static let pool = "disbatch-pool"
    /// The hash of what it is (``InstanceSettings/hash``): only equal ones may be taken.
    static let settings = "disbatch-settings"

    /// The value of the label ``run`` for an instance that no run has.
    static func idle(pool: String) -> String { CloudNames.labelValue("pool-" + pool) }
}
