/// An address as `--use-address` and `--web-address` take it.
package struct HostPort: Equatable, Sendable {
    /// The host's name or address; an IPv6 address without its brackets.
    package var host: String
    /// 0 lets the system choose.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// This machine alone, at any port.
    package static let loopback = HostPort(host: "127.0.0.1", port: 0)
}

/// A variable for each task's environment, from `--env`.
package struct EnvironmentSetting: Equatable, Sendable {
    package var name: String
    /// nil passes on the driver's own value, if it has one.
    package var value: String?

    package init(name: String, value: String?) {
        self.name = name
        self.value = value
    }
}

/// Typed values of options. Each error names the option, quotes the value and says what it should be.
extension ParsedOptions.Occurrence {
    func bad(_ what: String) -> OptionError {
        OptionError(.badValue, "\(spelling) \((value ?? "").quoted): \(what)")
    }

    /// A text that is not empty.
    func text() throws(OptionError) -> String {
        guard let value, !value.isEmpty else { throw bad("must not be empty") }
        return value
    }

    /// A whole number.
    func count(atLeast minimum: Int) throws(OptionError) -> Int {
        guard let value, let number = Int(value), number >= minimum else {
            throw bad("not a whole number of \(minimum) or more")
        }
        return number
    }

    /// A number above 0, with decimals if need be.
    func positiveNumber() throws(OptionError) -> Double {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let value, value.utf8.allSatisfy({ digits.contains($0) || $0 == UInt8(ascii: ".") }),
            let number = Double(value), number > 0, number.isFinite
        else { throw bad("not a number above 0, such as 2 or 0.5") }
        return number
    }

    /// A duration: `90`, `90s`, `10m`, `2h`, `1d`, `1h30m`.
    func duration(allowsZero: Bool) throws(OptionError) -> Duration {
        guard let value, let duration = parseDuration(value) else {
            throw bad("not a duration; write 90, 90s, 10m, 2h, 1d or 1h30m (at most 10000d)")
        }
        guard allowsZero || duration > .zero else { throw bad("must be more than 0") }
        return duration
    }

    /// One of a few words, in any case.
    func choice<Choice: RawRepresentable<String> & CaseIterable>() throws(OptionError) -> Choice {
        try choice(of: Array(Choice.allCases), word: \.rawValue)
    }

    func choice<Choice>(of choices: [Choice], word: (Choice) -> String) throws(OptionError) -> Choice {
        let wanted = value?.lowercased()
        guard let choice = choices.first(where: { word($0).lowercased() == wanted }) else {
            throw bad("not one of \(choices.map(word).joined(separator: ", "))")
        }
        return choice
    }

    /// A host and a port: `host:8080`, `[::1]:0`.
    func hostPort() throws(OptionError) -> HostPort {
        let text = value ?? ""
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw bad("not HOST:PORT with a port from 0 to 65535")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw bad("not HOST:PORT with a port from 0 to 65535") }
        return HostPort(host: String(host), port: port)
    }

    /// A host, and perhaps a port: `0.0.0.0`, `host:8080`, `::1`, `[::1]:8080`.
    func listeningAddress() throws(OptionError) -> HostPort {
        let text = value ?? ""
        let isBare = !text.hasPrefix("[") && text.count { $0 == ":" } != 1
        let whole = isBare ? "\(text):0" : text.hasSuffix("]") ? text + ":0" : text
        guard let colon = whole.lastIndex(of: ":"), let port = UInt16(whole[whole.index(after: colon)...]) else {
            throw bad("not HOST or HOST:PORT with a port from 0 to 65535")
        }
        var host = whole[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        let signs = Set(
            host.contains(":")
                ? "abcdefABCDEF0123456789:." : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
        guard !host.isEmpty, host.allSatisfy({ signs.contains($0) }) else {
            throw bad("not HOST or HOST:PORT with a port from 0 to 65535")
        }
        return HostPort(host: String(host), port: port)
    }

    /// Where mail can go: `name@host.org`, or a user of the mail server's own machine. Nothing that could be taken for
    /// more than one address, or for another line of a message.
    func mailAddress() throws(OptionError) -> String {
        let text = value ?? ""
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        let local = Set((letters + ".!#$%&'*+/=?^_`{|}~-").utf8)
        let domain = Set((letters + ".-").utf8)
        guard (1...2).contains(parts.count), text.utf8.count <= 254, parts.allSatisfy({ !$0.isEmpty }),
            parts[0].utf8.allSatisfy({ local.contains($0) }), !text.hasPrefix("-"),
            parts.dropFirst().allSatisfy({ $0.utf8.allSatisfy { domain.contains($0) } })
        else { throw bad("not one mail address, such as name@host.org") }
        return text
    }

    /// Ports from one to another: `5000-5010`, or one alone.
    func ports() throws(OptionError) -> ClosedRange<UInt16> {
        let ends = (value ?? "").split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first > 0,
            first <= last
        else { throw bad("not ports from 1 to 65535, such as 5000-5010") }
        return first...last
    }

    /// A path from the root: it is one on other machines too.
    func absolutePath() throws(OptionError) -> String {
        let path = try text()
        guard path.hasPrefix("/") else { throw bad("not an absolute path") }
        return path
    }

    /// The names of environment variables, with commas between them.
    func variableNames() throws(OptionError) -> [String] {
        var names: [String] = []
        for name in (value ?? "").split(separator: ",", omittingEmptySubsequences: false) {
            names.append(try checkedVariableName(String(name)))
        }
        return names
    }

    /// `NAME` or `NAME=VALUE`; not a variable that disbatch sets for each task.
    func environmentSetting() throws(OptionError) -> EnvironmentSetting {
        let text = value ?? ""
        let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) ?? text.endIndex
        let name = try checkedVariableName(String(text[..<equals]))
        guard !taskVariables.contains(name) else { throw bad("disbatch sets \(name) itself for each task") }
        let value = equals == text.endIndex ? nil : String(text[text.utf8.index(after: equals)...])
        return EnvironmentSetting(name: name, value: value)
    }

    private func checkedVariableName(_ name: String) throws(OptionError) -> String {
        let isName = name.utf8.enumerated().allSatisfy { position, byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): position > 0
            default: false
            }
        }
        guard isName, !name.isEmpty else {
            throw bad("a variable's name is letters, digits and _, and does not begin with a digit")
        }
        return name
    }

    /// A context's label, which becomes part of the names of its log files.
    func label() throws(OptionError) -> String {
        let label = try text()
        guard label.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") }) else {
            throw bad("must hold no blank and no /, for it becomes part of file names")
        }
        return label
    }
}

/// The variables that disbatch sets for each task.
package let taskVariables = [
    "DISBATCH_JOBID", "DISBATCH_NAMETASKS", "DISBATCH_TASKID", "DISBATCH_TASKID_ZP", "DISBATCH_STREAM_INDEX",
    "DISBATCH_STREAM_INDEX_ZP", "DISBATCH_REPEAT_INDEX", "DISBATCH_REPEAT_INDEX_ZP", "DISBATCH_CORES_PER_TASK",
    "DISBATCH_CYLINDER_RANK", "DISBATCH_ENGINE_RANK", "DISBATCH_WORKDIR",
]
