extension AllocationEndQuery {
    /// The question to Grid Engine, of one member of a job.
    package static func gridEngine(job: String, member: Int) -> AllocationEndQuery {
        AllocationEndQuery(words: ["qstat", "-xml", "-j", job], member: member)
    }

    /// The start of the member, and the time that the job has by `-l h_rt`.
    static func gridEngineEnd(in text: String, member: Int) -> AllocationEnd? {
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
