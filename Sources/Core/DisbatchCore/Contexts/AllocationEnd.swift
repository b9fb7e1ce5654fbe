/// When an allocation ends, as its resource manager tells.
package enum AllocationEnd: Equatable, Sendable {
    /// An allocation without a limit.
    case never
    /// At a time of day in UTC.
    case utc(CivilTime)
    /// Seconds since the beginning of 1970.
    case seconds(Int)

    /// The end in seconds since the beginning of 1970; nil for never.
    package var secondsSince1970: Int? {
        switch self {
        case .never: nil
        case .utc(let time): time.secondsSince1970
        case .seconds(let seconds): seconds
        }
    }
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
        guard numbers.count == 6, (1970...9999).contains(numbers[0]), (1...12).contains(numbers[1]),
            (1...31).contains(numbers[2]), numbers[3] < 24,
            numbers[4] < 60, numbers[5] <= 60
        else { return nil }
        (year, month, day) = (numbers[0], numbers[1], numbers[2])
        (hour, minute, second) = (numbers[3], numbers[4], numbers[5])
    }

    /// This time of day in UTC, in seconds since the beginning of 1970.
    package var secondsSince1970: Int {
        // Years begin in March, so that a leap day is the last of one; an era has 400 years.
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let yearOfEra = year % 400
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = year / 400 * 146_097 + dayOfEra - 719_468
        return ((days * 24 + hour) * 60 + minute) * 60 + second
    }
}

/// The question to a resource manager when an allocation ends. How each is asked, and what it answers, is in its
/// folder.
package struct AllocationEndQuery: Equatable, Sendable {
    /// The command that asks; its first word is a program on PATH.
    package var words: [String]
    /// The member of a job array of Grid Engine that is asked of, or 1; nil for Slurm.
    var member: Int?

    /// Reads the answer: nil where it is none.
    package func end(in text: String) -> AllocationEnd? {
        if let member { Self.gridEngineEnd(in: text, member: member) } else { Self.slurmEnd(in: text) }
    }
}
