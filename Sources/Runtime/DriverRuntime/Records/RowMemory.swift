/// The last bytes of a status file, of a bounded number: they can be written anew where the file itself is spoilt.
struct RowMemory {
    private let limit: Int
    private var pieces: [[UInt8]] = []
    private var first = 0
    private(set) var count = 0
    /// Whether it holds the file from its beginning.
    private(set) var isComplete = true

    init(limit: Int = 16 << 20) { self.limit = limit }

    /// Adds whole rows. Where that is more than the limit, the oldest go.
    mutating func append(_ rows: [UInt8]) {
        count += rows.count
        if let last = pieces.indices.last, last >= first, pieces[last].count + rows.count <= min(1 << 16, limit / 8) {
            pieces[last] += rows
        } else {
            pieces.append(rows)
        }
        while count > limit, first < pieces.count {
            count -= pieces[first].count
            pieces[first] = []
            first += 1
            isComplete = false
        }
        guard first > 1024 else { return }
        pieces.removeFirst(first)
        first = 0
    }

    /// Notes that rows stand in the file that it does not hold.
    mutating func forgetAll() {
        self = RowMemory(limit: limit)
        isComplete = false
    }

    /// All that it holds, in order.
    var bytes: [UInt8] { Array(pieces[first...].joined()) }

    /// Takes the last `count` bytes out again.
    mutating func removeLast(_ count: Int) -> [UInt8] {
        let all = bytes
        let wasComplete = isComplete
        self = RowMemory(limit: limit)
        append(Array(all.dropLast(count)))
        isComplete = wasComplete
        return Array(all.suffix(count))
    }
}
