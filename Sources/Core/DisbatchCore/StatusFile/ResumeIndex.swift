/// The tasks that earlier runs finished, by id: what `-r` and `-R` need.
package struct ResumeIndex: Sendable {
    /// One for each task, in rising order of id.
    package let entries: [ResumeEntry]

    fileprivate init(entries: [ResumeEntry]) {
        self.entries = entries
    }

    /// The entry of a task, found in O(log n).
    package func entry(for id: TaskID) -> ResumeEntry? {
        let index = firstIndex(notBelow: id)
        return index < entries.count && entries[index].id == id ? entries[index] : nil
    }

    fileprivate func firstIndex(notBelow id: TaskID) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Finds entries for ids asked in rising order, in O(1) each on average.
    package struct Cursor: Sendable {
        private let index: ResumeIndex
        /// No entry before this one has an id that may still be asked for.
        private var position = 0

        package init(_ index: ResumeIndex) {
            self.index = index
        }

        /// The place in ``ResumeIndex/entries`` of the entry that was found last.
        package var currentPlace: Int { position }

        /// The entry of a task whose id is not below those asked before.
        package mutating func entry(for id: TaskID) -> ResumeEntry? {
            precondition(position == 0 || index.entries[position - 1].id < id, "ids must rise")
            while position < index.entries.count, index.entries[position].id < id { position += 1 }
            guard position < index.entries.count, index.entries[position].id == id else { return nil }
            return index.entries[position]
        }
    }

    /// Gathers the rows of status files, in any order.
    package struct Builder: ~Copyable {
        private var entries: [ResumeEntry] = []
        private var isRising = true

        package init() {}

        /// Takes a row if it says how a task ended: those of blank kind and `S` do.
        ///
        /// - Parameters:
        ///   - file: which of the status files it stands in, from 0; less than ``ResumeEntry/maximumFileCount``.
        ///   - offset: where in that file it begins, in bytes.
        package mutating func add(_ row: StatusRowView, file: Int, offset: UInt64) {
            guard row.kind == .ended(.task) || row.kind == .ended(.skipped) else { return }
            let entry = ResumeEntry(row, file: file, offset: offset)
            if let last = entries.last, last.id >= entry.id { isRising = false }
            entries.append(entry)
        }

        /// Sorts by id and keeps the row that counts of each.
        package consuming func build() -> ResumeIndex {
            guard !isRising else { return ResumeIndex(entries: entries) }
            entries.sort { $0.id < $1.id }
            var kept = 0
            for index in entries.indices.dropFirst() {
                if entries[index].id != entries[kept].id {
                    kept += 1
                    entries[kept] = entries[index]
                } else if entries[index].outweighs(entries[kept]) {
                    entries[kept] = entries[index]
                }
            }
            entries.removeSubrange((kept + 1)...)
            return ResumeIndex(entries: entries)
        }
    }
}
