/// When an allocation ends, as its resource manager tells.
package enum AllocationEnd: Equatable, Sendable {
    /// It has no limit.
    case never
    /// At a time of day in UTC.
    case utc(CivilTime)
    /// So many seconds after the beginning of 1970.
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

/// The question to a resource manager when an allocation ends.
package struct AllocationEndQuery: Equatable, Sendable {
    /// The command that asks; its first word is a program on PATH.
    package var words: [String]
    /// The member of a job array of Grid Engine that is asked of, or 1; nil for Slurm.
    var member: Int?

    /// Asks Grid Engine of a job.
    package static func gridEngine(job: String, member: Int) -> AllocationEndQuery {
        AllocationEndQuery(words: ["qstat", "-xml", "-j", job], member: member)
    }

    /// Asks Slurm of a job. (The user's variables may have times in another form, or
    /// of another place than the driver's.)
    static func slurm(job: String) -> AllocationEndQuery {
        AllocationEndQuery(words: [
            "env", "TZ=UTC0", "SLURM_TIME_FORMAT=standard", "squeue", "-h", "-j", job, "-o", "%e",
        ])
    }

    /// Reads the answer: nil where it is none.
    package func end(in text: String) -> AllocationEnd? {
        if let member { return Self.gridEngineEnd(in: text, member: member) }
        // A warning may stand before it.
        for line in text.split(whereSeparator: \.isNewline).reversed() {
            let word = line.drop { $0 == " " }
            if word.hasPrefix("NONE") || word.hasPrefix("UNLIMITED") || word.hasPrefix("N/A") { return .never }
            if let time = CivilTime(word) { return .utc(time) }
        }
        return nil
    }

    /// The start of the member, and the time that the job has by `-l h_rt`.
    private static func gridEngineEnd(in text: String, member: Int) -> AllocationEnd? {
        let elements = elements(of: text)
        guard !elements.isEmpty else { return nil }
        guard let limit = elements.firstIndex(where: { $0.name == "CE_name" && $0.value == "h_rt" }),
            let seconds = elements[limit...].first(where: { $0.name == "CE_doubleval" }).flatMap({ Double($0.value) }),
            seconds > 0, seconds < 1e9
        else { return .never }
        // A member's number and start stand together, in either order.
        var (number, start): (Int?, Int?) = (nil, nil)
        for element in elements {
            switch element.name {
            case "JAT_task_number": number = Int(element.value)
            case "JAT_start_time": start = Int(element.value)
            default: continue
            }
            guard let found = number, let time = start else { continue }
            // Some versions have milliseconds.
            guard 0..<1_000_000_000_000_000 ~= time else { return nil }
            if found == member { return .seconds((time > 100_000_000_000 ? time / 1000 : time) + Int(seconds)) }
            (number, start) = (nil, nil)
        }
        return nil
    }

    /// The elements that hold text alone, in their order.
    private static func elements(of text: String) -> [(name: String, value: String)] {
        text.matches(of: /<(\w+)>([^<]*)<\/(\w+)>/).filter { $0.1 == $0.3 }.map { (String($0.1), String($0.2)) }
    }
}
