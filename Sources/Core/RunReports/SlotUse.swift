/// How many slots were busy, and how many there were, over a run's time.
package struct SlotUse: Equatable, Sendable {
    /// Seconds since 1970.
    package let start: Double
    package let finish: Double
    /// Slots busy on average in each part of the time.
    package private(set) var busy: [Double]
    /// Slots there were on average; all 0 where engines are not known.
    package private(set) var available: [Double]

    /// Of the time from `start` to `finish`, in equal parts.
    package init(start: Double, finish: Double, parts: Int) {
        self.start = start
        self.finish = max(finish, start + 1e-3)
        busy = Array(repeating: 0, count: parts)
        available = busy
    }

    /// Seconds of a part.
    package var width: Double { (finish - start) / Double(busy.count) }

    /// Takes an attempt: a slot was busy all that time.
    package mutating func addBusy(from begin: Double, to end: Double) {
        Self.add(1, from: begin - start, to: end - start, width: width, to: &busy)
    }

    /// Takes an engine, with its slots.
    package mutating func addSlots(_ count: Int, from begin: Double, to end: Double) {
        Self.add(Double(count), from: begin - start, to: end - start, width: width, to: &available)
    }

    private static func add(
        _ weight: Double, from begin: Double, to end: Double, width: Double, to parts: inout [Double]
    ) {
        let (begin, end) = (max(0, begin), min(end, width * Double(parts.count)))
        guard end > begin else { return }
        var part = min(parts.count - 1, Int(begin / width))
        while part < parts.count, Double(part) * width < end {
            let overlap = min(end, Double(part + 1) * width) - max(begin, Double(part) * width)
            if overlap > 0 { parts[part] += weight * overlap / width }
            part += 1
        }
    }

    package var knowsSlots: Bool { available.contains { $0 > 0 } }

    package var mostBusy: Double { busy.max() ?? 0 }
    package var mostAvailable: Double { available.max() ?? 0 }

    /// Slot seconds that were used, of all there were; nil where engines are not known.
    package var usedPart: Double? {
        let all = available.reduce(0, +)
        return all > 0 ? min(1, busy.reduce(0, +) / all) : nil
    }

    /// How long the end of the run had less than half of its slots busy.
    package var tailSeconds: Double {
        let full = knowsSlots ? mostAvailable : mostBusy
        return Double(busy.reversed().prefix { $0 < full / 2 }.count) * width
    }

    /// Fewer parts, each the mean of some of these.
    package func mean(parts: Int, of values: [Double]) -> [Double] {
        (0..<parts).map { part in
            let range =
                part * values.count / parts..<max(part * values.count / parts + 1, (part + 1) * values.count / parts)
            return values[range].reduce(0, +) / Double(range.count)
        }
    }
}
