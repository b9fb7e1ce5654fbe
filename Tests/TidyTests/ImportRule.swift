import Foundation

/// What each target may import: what Package.swift says that it depends on, and the C library where its folder is not a
/// pure one.
struct ImportRule {
    /// The dependencies of each target of Sources.
    let dependencies: [String: Set<String>]

    /// Folders that decide and do not act: the standard library alone, and other pure modules.
    static let pureFolders = ["Sources/Core/", "Sources/Runtime/GCERuntime/Fleet/"]

    /// Reads the calls of `module` and `program`: a name in quotation marks, then a list of such names, if any.
    init(package text: String) {
        var dependencies: [String: Set<String>] = [:]
        let call = /\n        (module|program)\(\s*"([^"]+)"(?:, in: \.\w+)?(?:,\s*\[([^\]]*)\])?/
        for match in text.matches(of: call) {
            let names = (match.3 ?? "").split(separator: "\"", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            dependencies[String(match.2)] = Set(names)
        }
        self.dependencies = dependencies
    }

    func findings(in file: SourceFile) -> [Finding] {
        guard file.isSwift, file.path.hasPrefix("Sources/"), let target = file.target else { return [] }
        guard let own = dependencies[target] else {
            return [Finding(file, 0, "imports: Package.swift has no target \(target)")]
        }
        let isPure = Self.pureFolders.contains(where: file.path.hasPrefix)
        let allowed = isPure ? own.filter(isPureModule) : own.union(["Glibc"])
        let names = allowed.isEmpty ? "nothing" : allowed.sorted().joined(separator: ", ")
        let place = isPure ? "\(target), pure here," : target
        return file.code.enumerated().compactMap { index, line in
            guard let module = Self.imported(by: line), !allowed.contains(module) else { return nil }
            return Finding(file, index, "imports: \(place) may import \(names); not \(module)")
        }
    }

    /// Whether a module has no clock and no I/O, as those of Core.
    private func isPureModule(_ name: String) -> Bool { Self.coreModules.contains(name) }

    private static let coreModules: Set<String> = {
        let folder = Repository.root.appending(path: "Sources/Core").path
        return Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    }()

    private static func imported(by line: String) -> String? {
        guard line.contains("import "),
            let match = line.firstMatch(
                of: /^(?:[@a-z]\S* )*import (?:(?:struct|class|enum|protocol|func|var|let|typealias) )?(\w+)/)
        else { return nil }
        return String(match.1)
    }
}
