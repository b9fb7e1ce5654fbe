import Foundation
import Testing

/// The rules, on small inputs that break them.
@Suite struct RuleTests {
    private func rules(_ findings: [Finding]) -> [String] {
        findings.map { "\($0.line): \($0.rule.prefix { $0 != ":" })" }
    }

    // MARK: Imports

    private static let imports = ImportRule(
        package: """
            let package = Package(
                targets: [
                    library("CThing", pkgConfig: "thing", package: "libthing-dev"),
                    module("DisbatchCore", in: .core),
                    module("Options", in: .core, ["DisbatchCore", "LinuxSystem"]),
                    module(
                        "Machine", in: .system,
                        [
                            "DisbatchCore", "CThing",
                        ],
                        resources: [.embedInCode("x.sh")]),
                    program("tool", ["Machine"]),
                    tests("MachineTests", in: "System", ["Machine"]),
            """)

    @Test func dependenciesAreRead() {
        #expect(
            Self.imports.dependencies == [
                "DisbatchCore": [], "Options": ["DisbatchCore", "LinuxSystem"], "Machine": ["DisbatchCore", "CThing"],
                "tool": ["Machine"],
            ])
    }

    @Test(arguments: [
        ("import Glibc", true),
        ("package import Glibc", true),
        ("@preconcurrency import Glibc", true),
        ("@testable package import struct Glibc.stat", true),
        ("import func Glibc.write", true),
        ("// import Glibc", false),
        ("let text = \"import Glibc\"", false),
        ("important(Glibc)", false),
    ])
    func coreMayNotImport(line: String, isFound: Bool) {
        let file = SourceFile("Sources/Core/DisbatchCore/A.swift", "\n\(line)\n")
        let text = "imports: DisbatchCore, pure here, may import nothing; not Glibc"
        #expect(
            Self.imports.findings(in: file).map(\.description)
                == (isFound ? ["Sources/Core/DisbatchCore/A.swift:2: \(text)"] : []))
    }

    @Test func pureFoldersImportPureModulesAlone() {
        let file = SourceFile("Sources/Core/Options/A.swift", "import DisbatchCore\nimport LinuxSystem")
        #expect(
            Self.imports.findings(in: file).map(\.description) == [
                "Sources/Core/Options/A.swift:2: imports: Options, pure here, may import DisbatchCore; not LinuxSystem"
            ])
    }

    @Test func namesWhatMayBeImported() {
        let file = SourceFile("Sources/System/Machine/Deep/A.swift", "import CThing\nimport Foundation")
        #expect(
            Self.imports.findings(in: file).map(\.description) == [
                "Sources/System/Machine/Deep/A.swift:2: "
                    + "imports: Machine may import CThing, DisbatchCore, Glibc; not Foundation"
            ])
    }

    @Test func folderWithoutATargetIsFound() {
        #expect(rules(Self.imports.findings(in: SourceFile("Sources/Core/New/A.swift", ""))) == ["1: imports"])
        #expect(Self.imports.findings(in: SourceFile("Tests/NewTests/A.swift", "import Foundation")) == [])
    }

    // MARK: Sizes

    @Test(arguments: [(500, []), (501, ["501: file length"])])
    func fileLength(count: Int, expected: [String]) {
        let file = SourceFile("Sources/A/A.swift", String(repeating: "//\n", count: count))
        #expect(rules(SizeRules.findings(in: file)) == expected)
    }

    @Test(arguments: [(120, []), (121, ["2: line length"])])
    func lineLength(count: Int, expected: [String]) {
        let file = SourceFile("Sources/A/A.swift", "\n" + String(repeating: "é", count: count))
        #expect(rules(SizeRules.findings(in: file)) == expected)
    }

    @Test(arguments: [
        "    func f() {", "    package static func f<T>(_ x: T) -> T {", "    init() {", "    init?(x: Int) {",
        "    deinit {",
        "    private mutating func f(\n        x: Int\n    ) throws(E) -> Int {", "    @discardableResult func f() {",
        "    subscript(x: Int) -> Int {", "    package private(set) func f() {",
    ])
    func functionLength(head: String) {
        for (count, isFound) in [(70, false), (71, true)] {
            let body = count - head.split(separator: "\n").count - 1
            let text = "struct A {\n" + head + "\n" + String(repeating: "        x()\n", count: body) + "    }\n}\n"
            let found = rules(SizeRules.findings(in: SourceFile("Sources/A/A.swift", text)))
            #expect(found == (isFound ? ["2: function length"] : []), "\(count) lines")
        }
    }

    @Test func requirementsAndShortFunctionsHaveNoLength() {
        let short = "    func f() -> Int { 1 }\n    func g()\n    func h(\n        x: Int)\n\n"
        let text = "protocol P {\n" + short + String(repeating: "    // x\n", count: 80) + "    }\n}\n"
        #expect(rules(SizeRules.findings(in: SourceFile("Sources/A/A.swift", text))) == [])
    }

    // MARK: Types

    @Test func typesAreSummedOverTheirExtensions() {
        let first = """
            @frozen package struct A<T>: B,
                C
            {
                let a: Int, b = { 1 }
                private(set) var c = 0
                static let d = 4
                var e: Int { 5 }
                var f: Int {
                    let g = 6
                    return g
                }
                enum Inner { case h }
                final class Deep {
                    var i: Int?
                    func j() {}
                }
                lazy var k = {
                    func l() {}
                }()
                init() {}
                @discardableResult mutating func m() { let n = 1 }
            }
            """
        let second = """
            extension A where T == Int {
                func o() {
                }
                static func p()
            }
            extension A.Deep {
                func q() {}
            }
            """
        let rule = TypeSizeRule([
            SourceFile("Sources/Core/M/A.swift", first), SourceFile("Sources/Core/M/Deep/A+B.swift", second),
            SourceFile("Sources/Core/N/A.swift", "extension A {\n    func r() {}\n}"),
            SourceFile("Tests/A.swift", first),
        ])
        #expect(
            rule.sizes == [
                "M.A": .init(methods: 3, properties: 3), "M.A.Deep": .init(methods: 2, properties: 1),
                "N.A": .init(methods: 1, properties: 0),
            ])
    }

    @Test(
        arguments: [
            (60, 25, nil, true), (61, 25, nil, false), (60, 26, nil, false), (61, 26, (61, 26), true),
            (62, 26, (61, 26), false), (61, 27, (61, 26), false), (60, 25, (61, 26), false),
        ] as [(Int, Int, (Int, Int)?, Bool)])
    func typeSize(methods: Int, properties: Int, exception: (Int, Int)?, isAllowed: Bool) {
        let text = (0..<methods).map { "    func f\($0)() {}\n" } + (0..<properties).map { "    let p\($0): Int\n" }
        let rule = TypeSizeRule([SourceFile("Sources/Core/M/A.swift", "struct A {\n\(text.joined())}")])
        let exceptions = exception.map { [TypeSizeRule.Exception(type: "M.A", methods: $0.0, properties: $0.1)] } ?? []
        #expect(rule.findings(exceptions: exceptions).isEmpty == isAllowed)
    }

    // MARK: Words

    @Test(arguments: [
        ("let p = Process()", true), ("let p = ChildProcess()", false), ("try! f()", true), ("x as! Int", true),
        ("fatalError(\"x\")", true), ("DispatchQueue.main", true), ("usleep(1)", true), ("f(\"try!\") // try!", false),
        ("func f() async throws {", true), ("await f()", true), ("case .awaitRows:", false),
        ("final class A: @unchecked Sendable {", true), ("let s = \"\"\"", false), ("// DispatchQueue", false),
        ("f(\"a\\\"\", try! g())", true),
    ])
    func bannedWord(line: String, isFound: Bool) {
        let found = rules(WordRules.findings(in: SourceFile("Sources/A/A.swift", "\n" + line)))
        #expect(found == (isFound ? ["2: banned word"] : []))
    }

    @Test func longTextsAreNoCode() {
        let text = "let s = \"\"\"\n    try! f()\n    \"\"\"\ntry! f()"
        #expect(rules(WordRules.findings(in: SourceFile("Sources/A/A.swift", text))) == ["4: banned word"])
    }

    @Test func testsMayStopThreads() {
        #expect(
            rules(WordRules.findings(in: SourceFile("Tests/A/A.swift", "usleep(1)\ntry! f()"))) == ["2: banned word"])
    }

    @Test func exceptionsAreForOneWord() throws {
        let exception = try #require(WordRules.exceptions.first { $0.word == "@unchecked Sendable" })
        let text = "final class A: @unchecked Sendable {\n    try! f()"
        #expect(rules(WordRules.findings(in: SourceFile(exception.path, text))) == ["2: banned word"])
    }

    @Test(arguments: [
        ("// TODO: more", ["unfinished"]), ("# FIXME", ["unfinished"]), ("the todo list", []),
        ("Its behavior.", ["spelling"]), ("A Color, and gray", ["spelling", "spelling"]), ("behaviour", []),
        ("a programme", ["spelling"]), ("NO_COLOR", []), ("p.color = 1", []),
        ("cd \(Repository.root.path)/Sources", ["machine path"]), ("/home/somebody", []), ("/usr/bin/env", []),
    ])
    func words(line: String, expected: [String]) {
        let found = WordRules.findings(in: SourceFile("README.md", line)).map { String($0.rule.prefix { $0 != ":" }) }
        #expect(found == expected)
    }

    @Test func spellingsAreOfOneKind() {
        let wrong = Set(WordRules.spellings.map(\.0))
        #expect(WordRules.spellings.filter { wrong.contains($0.1) }.isEmpty)
    }

    // MARK: Documentation

    @Test(arguments: [
        ("package struct A {", ["2: doc comment"]),
        ("    package static func f() {", ["2: doc comment"]),
        ("    package mutating func f() {", ["2: doc comment"]),
        ("@frozen\npackage enum A {", ["3: doc comment"]),
        ("// A.\npackage final class A {", ["3: doc comment"]),
        ("/// A.\npackage struct A {", []),
        ("/// A.\n@frozen\npackage struct A {", []),
        ("package static func < (a: A, b: A) -> Bool {", []),
        ("package var a: Int\npackage init() {}\npackage import B", []),
        ("struct A {\nfunc f() {", []),
    ])
    func documentation(text: String, expected: [String]) {
        #expect(rules(DocumentationRule.findings(in: SourceFile("Sources/A/A.swift", "\n" + text))) == expected)
    }

    @Test(arguments: [
        ("/// What it is.", ["2: doc comment"]), ("    /// So many at once.", ["2: doc comment"]),
        ("/// It's here.", ["2: doc comment"]), ("/// The task.\n/// It runs.", []), ("/// Items of a list.", []),
        ("// What it is.", []), ("/// Whatever it is.", []),
    ])
    func subjects(text: String, expected: [String]) {
        #expect(rules(DocumentationRule.vagueComments(in: SourceFile("Sources/A/A.swift", "\n" + text))) == expected)
    }

    @Test func testsNeedNoDocumentation() {
        #expect(DocumentationRule.findings(in: SourceFile("Tests/A/A.swift", "package struct A {}")) == [])
    }
}
