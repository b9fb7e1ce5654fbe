internal import DisbatchCore

/// Entries that the record thread took off the queue and has not written yet, in order; a task's start is replaced by
/// its end if that comes before the start was written.
struct PendingEntries {
    /// At most this many entries, and about this many bytes, are written in one transaction.
    static let chunkEntries = 4_096
    static let chunkBytes = 2 << 20

    private(set) var entries: [RunRecordEntry] = []
    /// Where in `entries` the start of a running attempt stands.
    private var starts: [TaskID: Int] = [:]

    var isEmpty: Bool { entries.isEmpty }
    var bytes: Int { entries.reduce(0) { $0 + $1.cost } }

    /// Adds entries that came after all that are there.
    mutating func add(_ batch: [RunRecordEntry]) {
        entries.reserveCapacity(entries.count + batch.count)
        for entry in batch { add(entry) }
    }

    private mutating func add(_ entry: RunRecordEntry) {
        switch entry {
        case .taskStarted(let task):
            starts[task.spec.id] = entries.count
        case .attemptEnded(let task, _) where !starts.isEmpty && task.kind == .task:
            if let index = starts.removeValue(forKey: task.spec.id), isStart(at: index, of: task.attempt) {
                entries[index] = entry
                return
            }
        default: break
        }
        entries.append(entry)
    }

    private func isStart(at index: Int, of attempt: Int) -> Bool {
        guard case .taskStarted(let started) = entries[index] else { return false }
        return started.attempt == attempt
    }

    /// The entries for the transaction that starts with entry `first`, and their cost in bytes.
    func chunk(from first: Int) -> (range: Range<Int>, bytes: Int) {
        var bytes = 0
        var end = first
        while end < entries.count && end - first < Self.chunkEntries && bytes < Self.chunkBytes {
            bytes += entries[end].cost
            end += 1
        }
        return (first..<end, bytes)
    }

    /// Forgets the first `count` entries, which are written.
    mutating func removeFirst(_ count: Int) {
        guard count > 0 else { return }
        starts.removeAll(keepingCapacity: true)
        if count == entries.count {
            entries.removeAll(keepingCapacity: entries.capacity <= 4 * Self.chunkEntries)
        } else {
            entries.removeFirst(count)
        }
    }
}
