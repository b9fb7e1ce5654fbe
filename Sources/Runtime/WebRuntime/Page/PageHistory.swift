/// How a run went so far, as the page's chart shows it: a bounded number of samples, ever further apart.
struct PageHistory: Equatable, Sendable {
    /// The state of the run at a moment.
    struct Sample: Equatable, Sendable {
        /// Seconds since the run began.
        var time: Double
        var done: Int
        var running: Int
        var failed: Int
    }

    /// In order of time.
    private(set) var samples: [Sample] = []
    /// Seconds between two samples, at least.
    private var interval = 1.0
    private let limit: Int

    /// - Parameter limit: how many samples are kept at most.
    init(limit: Int = 240) { self.limit = max(2, limit) }

    /// Keeps a sample, where it is long enough after the one before.
    mutating func note(_ sample: Sample) {
        // A little early is in time: else every second one would be left out.
        if let last = samples.last, sample.time - last.time < interval * 0.9 { return }
        samples.append(sample)
        guard samples.count > limit else { return }
        interval *= 2
        samples = samples.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    }

    /// Keeps the very last sample, however short after the one before.
    mutating func close(with sample: Sample) {
        if let last = samples.last, last.time >= sample.time { samples.removeLast() }
        samples.append(sample)
    }
}
