/// Facts about the machine, for the choice of a context.
package struct Surroundings: Sendable {
    /// The machine's name.
    package var hostName: String
    /// Its addresses in the network, as `10.0.0.7` or `fe80::1`.
    package var ownAddresses: @Sendable () -> Set<String>
    /// How many of its cores the user may use.
    package var ownCores: Int
    /// Reads a variable of the driver's environment.
    package var variable: @Sendable (String) -> String?
    /// Which of these programs stand on PATH.
    package var findPrograms: @Sendable ([String]) -> [String]
    /// The text of a file; nil where it can't be read.
    package var readFile: @Sendable (String) -> String?
    /// The output of a command on PATH; nil where it fails.
    package var output: @Sendable ([String]) -> String?

    package init(
        hostName: String, ownCores: Int,
        variable: @escaping @Sendable (String) -> String?,
        findPrograms: @escaping @Sendable ([String]) -> [String],
        readFile: @escaping @Sendable (String) -> String?,
        output: @escaping @Sendable ([String]) -> String? = { _ in nil },
        ownAddresses: @escaping @Sendable () -> Set<String> = { [] }
    ) {
        self.hostName = hostName
        self.ownCores = ownCores
        self.variable = variable
        self.findPrograms = findPrograms
        self.readFile = readFile
        self.output = output
        self.ownAddresses = ownAddresses
    }

    /// Whether a name or an address means this machine: `localhost`, or the same before the first dot, as in disBatch.
    func isThisMachine(_ name: String) -> Bool {
        if name.contains(":") || name.utf8.allSatisfy({ Byte.isDigit($0) || $0 == UInt8(ascii: ".") }) {
            return name == "127.0.0.1" || name == "::1" || ownAddresses().contains(name)
        }
        func short(_ name: String) -> String { String(name.prefix { $0 != "." }).lowercased() }
        return name.lowercased() == "localhost" || short(name) == short(hostName)
    }

    /// A variable that is set, and not to nothing.
    func value(_ name: String) -> String? {
        guard let value = variable(name), !value.isEmpty else { return nil }
        return value
    }

    /// A variable that a resource manager sets in its jobs.
    func required(_ name: String, _ manager: ResourceManager) throws(ContextError) -> String {
        if let value = value(name) { return value }
        throw ContextError(
            """
            \(name) is not set, as \(manager.name) has it in a job: nothing was run.
            Start disbatch from the job's script, or name cores with -s HOST:CORES
            """)
    }

    /// A whole number above 0 in a variable; nil where that is not set.
    func count(_ name: String) throws(ContextError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let count = Int(text), count > 0 else {
            throw ContextError("\(name) is \"\(text)\", not a number above 0: nothing was run")
        }
        return count
    }

    /// The file that a resource manager's variable names.
    func file(of name: String, _ manager: ResourceManager) throws(ContextError) -> String {
        let path = try required(name, manager)
        if let text = readFile(path) { return text }
        throw ContextError("\(path), which \(name) names, can't be read: nothing was run")
    }
}
