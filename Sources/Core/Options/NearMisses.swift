/// The names that differ least from a mistyped one, at most three, and one of each thing that has several names;
/// none if all differ by more than two slips of the finger (a letter too many, too few, wrong, or two swapped).
/// Upper and lower case are the same here.
package func nearMisses(of name: String, among things: [[String]]) -> [String] {
    let limit = name.utf8.count < 4 ? 1 : 2
    let nearest = things.compactMap { names in
        // A length that differs more is so many slips at least: what is long takes no time.
        names.filter { abs($0.utf8.count - name.utf8.count) <= limit + 1 }.map {
            (name: $0, slips: slips(from: name, to: $0))
        }.min { $0.slips < $1.slips }
    }
    guard let least = nearest.map(\.slips).min(), least <= limit else { return [] }
    return Array(nearest.filter { $0.slips == least }.map(\.name).prefix(3))
}

/// How many slips lead from one word to another (optimal string alignment distance).
private func slips(from first: String, to second: String) -> Int {
    let source = Array(first.lowercased().utf8)
    let target = Array(second.lowercased().utf8)
    var beforeLast: [Int] = []
    var last = Array(0...target.count)
    for (row, byte) in source.enumerated() {
        var current = [row + 1]
        for (column, other) in target.enumerated() {
            var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (byte == other ? 0 : 1))
            if row > 0, column > 0, byte == target[column - 1], source[row - 1] == other {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current.append(best)
        }
        beforeLast = last
        last = current
    }
    return last[target.count]
}
