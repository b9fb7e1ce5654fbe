/// The meaning of one `#DISBATCH` line of a task file.
enum Directive: Equatable {
    case prefix([UInt8])
    case suffix([UInt8])
    case repetition(Repetition)
    case barrier(checks: Bool, key: [UInt8]?)
    case perEngine(PerEnginePhase, command: [UInt8])

    /// `REPEAT count [start first] [step step] [command]`. The last index is known to fit into an Int.
    struct Repetition: Equatable {
        var count: Int
        var first = 0
        var step = 1
        var command: [UInt8] = []
        /// Where the count stands in the line, for errors that the line alone does not show.
        var countColumn = 0
    }

    /// The words that can follow `#DISBATCH `, in any case.
    enum Name: String, CaseIterable {
        case prefix = "PREFIX"
        case suffix = "SUFFIX"
        case repetition = "REPEAT"
        case barrier = "BARRIER"
        case perEngine = "PERENGINE"

        /// The name that `word`, in upper case, was probably meant to be: at most two letters off.
        static func nearest(to word: [UInt8]) -> Name? {
            let near = allCases.map { (name: $0, distance: editDistance(Array($0.rawValue.utf8), word)) }
            return near.filter { $0.distance <= 2 }.min { $0.distance < $1.distance }?.name
        }
    }

    /// How every directive begins, at column 0.
    static let mark = Array("#DISBATCH".utf8)
    /// Where a directive's name stands: after the mark and one space.
    static let nameColumn = mark.count + 1
}

/// Why a `#DISBATCH` line is none that can be obeyed.
struct DirectiveError: Error, Equatable {
    var message: String
    /// The offset in the line of the byte that is wrong; the line's length if something is missing at its end.
    var column: Int
}

/// The number of single bytes to insert, delete or replace that turn `first` into `second` (Levenshtein).
/// Words much longer than any name are not compared: their distance is the difference of the lengths.
func editDistance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    let difference = abs(first.count - second.count)
    guard difference <= 2 else { return difference }
    var row = Array(0...second.count)
    for (index, byte) in first.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for column in second.indices {
            let replaced = diagonal + (byte == second[column] ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
        }
    }
    return row[second.count]
}
