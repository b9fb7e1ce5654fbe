/// The form in which `dbutil` writes a list of tasks (`--format`).
package enum ListFormat: String, CaseIterable, Sendable {
    case table, tsv, csv, json
}
