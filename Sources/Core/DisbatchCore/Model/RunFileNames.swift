/// The files of runs among the names in a directory: those that drivers write there, some of them for as long as they
/// live.
///
/// A run is known by its status file or its script, with another of its files beside it: a file of the user's that only
/// has such a name is none.
package struct RunFileNames {
    private let prefixes: Set<String>

    package init(_ names: [[UInt8]]) {
        let all = Set(names.map { String(decoding: $0, as: UTF8.self) })
        prefixes = Set(
            all.compactMap { name -> String? in
                guard let prefix = RunPaths.File.status.prefix(of: name) ?? RunPaths.File.utilityScript.prefix(of: name)
                else { return nil }
                return RunPaths.File.allCases.count { all.contains(prefix + $0.rawValue) } > 1 ? prefix : nil
            })
    }

    /// Whether a name is that of a run's file, or of one that disbatch has for a while.
    package func contains(_ name: [UInt8]) -> Bool {
        if name.starts(with: ".disbatch-".utf8) { return true }
        guard !prefixes.isEmpty else { return false }
        let name = String(decoding: name, as: UTF8.self)
        return name.indices.contains { place in
            name[place] == "_" && prefixes.contains(String(name[..<place])) && Self.isEnding(name[place...])
        }
    }

    /// Whether a run's file may have this behind its prefix.
    private static func isEnding(_ text: Substring) -> Bool {
        if RunPaths.File(rawValue: String(text)) != nil { return true }
        let record = RunPaths.File.record.rawValue
        let status = RunPaths.File.status.rawValue
        return text.hasPrefix(record + "-") || text.hasPrefix(status + ".")
            || text.hasPrefix("_status.recovered") || text.hasSuffix(".context.log")
            || text.contains("_engine_") && text.hasSuffix(".log")
    }
}
