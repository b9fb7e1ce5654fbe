/// A line of a configuration that can't be taken, as a text for users.
struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// `FILE:LINE: what is wrong`, and what to do.
    var description: String

    init(_ description: String) { self.description = description }
}

/// The lines of an INI file: `[section]`, `key = value`, and comments that begin with `#` or `;`.
struct INIText: Equatable, Sendable {
    /// A key and its value, and where they stand.
    struct Entry: Equatable, Sendable {
        var section: String
        var key: String
        var value: String
        /// Counted from 1.
        var line: Int
    }

    var entries: [Entry] = []

    /// - Parameter file: the name for errors.
    /// - Throws: where a line is none of these.
    init(_ text: String, file: String) throws(ConfigurationError) {
        var section = ""
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let line = Self.trimmed(line)
            guard let first = line.first, first != "#", first != ";" else { continue }
            if first == "[" {
                guard line.hasSuffix("]") else {
                    throw ConfigurationError("\(file):\(index + 1): a section is given as [name]\n\(line)")
                }
                section = Self.trimmed(line.dropFirst().dropLast())
                continue
            }
            guard let equals = line.firstIndex(where: { $0 == "=" }), equals != line.startIndex else {
                throw ConfigurationError("\(file):\(index + 1): expected key = value\n\(line)")
            }
            entries.append(
                Entry(
                    section: section, key: Self.trimmed(line[..<equals]),
                    value: Self.trimmed(line[line.index(after: equals)...]), line: index + 1))
        }
    }

    /// The value of a key; the last, where it stands there twice.
    func value(_ section: String, _ key: String) -> String? {
        entries.last { $0.section == section && $0.key == key }?.value
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        var text = Substring(text)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
