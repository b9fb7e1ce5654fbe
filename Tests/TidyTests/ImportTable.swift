import Foundation

/// Which target may import what: the table under "Imports" in ARCHITECTURE.md.
struct ImportTable {
    private(set) var allowed: [String: Set<String>] = [:]

    /// Reads the table's rows: "| targets | imports |", names in backquotes.
    init(architecture text: String) {
        let section = text.components(separatedBy: "\n## Imports\n").dropFirst().first ?? ""
        let end = section.range(of: "\n## ")?.lowerBound ?? section.endIndex
        for line in section[..<end].split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|")
            guard cells.count >= 2 else { continue }
            for target in Self.names(cells[0]) { allowed[target] = Set(Self.names(cells[1])) }
        }
    }

    private static func names(_ cell: Substring) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    /// The imports that the table does not allow.
    func findings(in file: SourceFile) -> [Finding] {
        guard file.isSwift, file.path.hasPrefix("Sources/"), let target = file.target else { return [] }
        guard let allowed = allowed[target] else {
            return [Finding(file, 0, "import table: ARCHITECTURE.md has no row for \(target)")]
        }
        let names = allowed.isEmpty ? "nothing" : allowed.sorted().joined(separator: ", ")
        return file.code.enumerated().compactMap { index, line in
            guard let module = Self.imported(by: line), !allowed.contains(module) else { return nil }
            return Finding(file, index, "import table: \(target) may import \(names); not \(module)")
        }
    }

    private static func imported(by line: String) -> String? {
        guard
            let match = line.firstMatch(
                of: /^(?:[@a-z]\S* )*import (?:(?:struct|class|enum|protocol|func|var|let|typealias) )?(\w+)/)
        else { return nil }
        return String(match.1)
    }
}
