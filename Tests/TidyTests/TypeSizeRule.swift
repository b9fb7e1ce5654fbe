/// How many methods and stored properties a type may have, in all its extensions together: files and functions can be
/// short where a type is not.
struct TypeSizeRule {
    static let methodLimit = 60
    static let propertyLimit = 25

    /// A type that is larger than that today. Its numbers may only fall.
    struct Exception {
        let type: String
        var methods = TypeSizeRule.methodLimit
        var properties = TypeSizeRule.propertyLimit
    }

    static let exceptions = [
        Exception(type: "DisbatchCore.DriverMachine", methods: 68),
        Exception(type: "DisbatchCore.Scheduler", methods: 73),
        // A field for each option, and no method that changes one.
        Exception(type: "Options.DriverOptions", properties: 29),
        Exception(type: "SSHTransport.ResolvedSSHConfiguration", properties: 26),
        Exception(type: "Simulation.FakeEngine", properties: 26),
        Exception(type: "Simulation.Oracle", properties: 29),
        Exception(type: "Simulation.SimulationParameters", properties: 52),
    ]

    /// What a type has.
    struct Size: Equatable {
        var methods = 0
        /// Those of instances.
        var properties = 0
    }

    /// The sizes of the types of Sources, by target and name: `DriverRuntime.Driver`.
    let sizes: [String: Size]

    init(_ files: [SourceFile]) {
        var sizes: [String: Size] = [:]
        for file in files where file.isSwift {
            if let target = file.target { Self.count(file.code, in: target, into: &sizes) }
        }
        self.sizes = sizes
    }

    func findings(exceptions: [Exception] = Self.exceptions) -> [String] {
        let allowed = Dictionary(uniqueKeysWithValues: exceptions.map { ($0.type, $0) })
        let tooLarge = sizes.sorted { $0.key < $1.key }.compactMap { name, size -> String? in
            let limit = allowed[name] ?? Exception(type: name)
            guard size.methods > limit.methods || size.properties > limit.properties else { return nil }
            return "type size: \(name) has \(size.methods) methods and \(size.properties) stored properties, more than "
                + "\(limit.methods) and \(limit.properties): it wants to be two"
        }
        let needless = exceptions.compactMap { exception -> String? in
            let size = sizes[exception.type] ?? Size()
            if size.methods > Self.methodLimit || size.properties > Self.propertyLimit { return nil }
            return "type size: \(exception.type) needs no exception any more"
        }
        return tooLarge + needless
    }

    // MARK: Counting

    /// The source is formatted: what a type holds is indented by four more than the type, and the brace that ends it
    /// stands below its beginning.
    private static func count(_ code: [String], in target: String, into sizes: inout [String: Size]) {
        var open: [(name: String, indent: Int)] = []
        for line in code {
            let indent = line.utf8.prefix { $0 == UInt8(ascii: " ") }.count
            let text = line.dropFirst(indent)
            guard let first = text.utf8.first else { continue }
            if first == UInt8(ascii: "}"), let last = open.last, last.indent >= indent {
                open.removeLast()
                continue
            }
            // What is further in is a function's.
            if let last = open.last, indent != last.indent + 4 { continue }
            let words = text.split(separator: " ").drop(while: isModifier)
            guard let keyword = words.first, words.count > 1 else { continue }
            if declaresType(words) {
                guard text.last != "}" else { continue }
                let name = words[words.startIndex + 1].prefix { $0.isLetter || $0.isNumber || "._".contains($0) }
                open.append((([open.last?.name ?? target] + [String(name)]).joined(separator: "."), indent))
            } else if let type = open.last {
                if keyword == "func" { sizes[type.name, default: Size()].methods += 1 }
                if isStored(text, keyword) { sizes[type.name, default: Size()].properties += 1 }
            }
        }
    }

    private static func isModifier(_ word: Substring) -> Bool {
        word.first == "@" || modifiers.contains(word.prefix { $0 != "(" })
    }

    private static let modifiers: Set<Substring> = [
        "package", "private", "fileprivate", "internal", "public", "static", "final", "mutating", "nonmutating",
        "consuming", "borrowing", "nonisolated", "lazy", "weak", "unowned", "override", "indirect",
    ]

    private static let typeWords: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "extension"]

    private static func declaresType(_ words: ArraySlice<Substring>) -> Bool {
        guard let keyword = words.first, typeWords.contains(keyword), let next = words.dropFirst().first else {
            return false
        }
        // Of `class func` and `class var`, the word is a modifier.
        return next != "func" && next != "var" && next.first?.isLetter == true
    }

    /// Whether a line declares a stored property: one of an instance that is not computed, whose braces, if any, are
    /// those of its value.
    private static func isStored(_ text: Substring, _ keyword: Substring) -> Bool {
        guard keyword == "let" || keyword == "var" else { return false }
        let before = text.prefix { $0 != "{" }
        return !before.split(separator: " ").contains("static") && (before == text || before.contains("="))
    }
}
