@testable import DisbatchCore

/// What a job of a resource manager finds: its variables, and the files that they name.
struct AllocationFixture {
    var variables: [String: String]
    var files: [String: String] = [:]
    var programs: [String] = []
    /// What commands print, by their words.
    var outputs: [String: String] = [:]
    var hostName = "node3.cluster"

    init(_ variables: [String: String], files: [String: String] = [:], programs: [String] = []) {
        self.variables = variables
        self.files = files
        self.programs = programs
    }

    /// The plan that is made there.
    func plan(
        _ kind: ContextKind? = nil, sshLists: [String] = [], _ change: (inout ContextSizing) -> Void = { _ in }
    ) throws -> ContextPlan {
        var sizing = ContextSizing()
        change(&sizing)
        let (variables, files, programs, outputs) = (variables, files, programs, outputs)
        return try ContextChoice.plan(
            kind, sshLists: sshLists, sizing,
            Surroundings(
                hostName: hostName, ownCores: 8, variable: { variables[$0] },
                findPrograms: { wanted in wanted.filter(programs.contains) },
                readFile: { files[$0] }, output: { outputs[$0.joined(separator: " ")] }))
    }

    /// Why there can be no plan; empty where there is one.
    func error(_ kind: ContextKind? = nil, _ change: (inout ContextSizing) -> Void = { _ in }) -> String {
        do {
            _ = try plan(kind, change)
            return ""
        } catch {
            return "\(error)"
        }
    }
}

extension ContextPlan {
    /// Each engine in short: its node, slots and cores for each.
    var shape: [String] { engines.map { "\($0.node) \($0.slots)x\($0.coresPerTask)" } }

    /// The command that each engine is launched by; empty for those of this machine.
    var commands: [String] {
        engines.map { engine in
            guard case .launched(let launcher) = engine.place else { return "" }
            let words = launcher.words(env: "/bin/env", program: launcher.program, engine: "/opt/engine")
            return words.joined(separator: " ")
        }
    }
}
