/// When an allocation ends, as its resource manager tells.
package enum AllocationEnd: Equatable, Sendable {
    /// It has no limit.
    case never
    /// At a local time of this machine.
    case local(CivilTime)
}

/// A date and a time of day, in no particular time zone.
package struct CivilTime: Equatable, Sendable {
    package var year: Int
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int

    /// Reads the six numbers of `2026-11-21T10:00:00`, whatever stands between them; nil if there are not six.
    package init?(_ text: some StringProtocol) {
        let numbers = text.split { !("0"..."9").contains($0) }.compactMap { Int($0) }
        guard numbers.count == 6, (1...12).contains(numbers[1]), (1...31).contains(numbers[2]), numbers[3] < 24,
            numbers[4] < 60, numbers[5] <= 60
        else { return nil }
        (year, month, day) = (numbers[0], numbers[1], numbers[2])
        (hour, minute, second) = (numbers[3], numbers[4], numbers[5])
    }
}

/// The question to a resource manager when an allocation ends.
package struct AllocationEndQuery: Equatable, Sendable {
    /// The command that asks; its first word is a program on PATH.
    package var words: [String]

    /// Asks Slurm of a job. (The user's variable may have times in another form.)
    static func slurm(job: String) -> AllocationEndQuery {
        AllocationEndQuery(words: ["env", "SLURM_TIME_FORMAT=standard", "squeue", "-h", "-j", job, "-o", "%e"])
    }

    /// Reads the answer: nil where it is none.
    package func end(in text: String) -> AllocationEnd? {
        // A warning may stand before it.
        for line in text.split(whereSeparator: \.isNewline).reversed() {
            let word = line.drop { $0 == " " }
            if word.hasPrefix("NONE") || word.hasPrefix("UNLIMITED") || word.hasPrefix("N/A") { return .never }
            if let time = CivilTime(word) { return .local(time) }
        }
        return nil
    }
}
