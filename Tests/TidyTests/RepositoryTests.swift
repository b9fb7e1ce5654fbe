import Foundation
import Testing

/// The project's own source under the rules.
@Suite struct RepositoryTests {
    @Test func rulesSeeTheRepository() {
        let paths = Set(Repository.files.map(\.path))
        for path in ["Package.swift", "Makefile", ".ci/run", "Sources/Programs/disbatch/main.swift", "man/disbatch.1"] {
            #expect(paths.contains(path))
        }
    }

    @Test func importsAreDependencies() throws {
        let rule = ImportRule(package: try Repository.text("Package.swift"))
        #expect(found(rule.findings) == "")
        let targets = Set(Repository.files.filter { $0.path.hasPrefix("Sources/") && $0.isSwift }.compactMap(\.target))
        #expect(Set(rule.dependencies.keys) == targets, "Package.swift's targets and the folders that have sources")
    }

    @Test func sizesAreWithinTheLimits() { #expect(found(SizeRules.findings) == "") }

    @Test func wordsAreAllowed() { #expect(found(WordRules.findings) == "") }

    @Test func whatOthersUseIsDocumented() { #expect(found(DocumentationRule.findings) == "") }

    @Test func typesAreWithinTheLimits() {
        #expect(TypeSizeRule(Repository.files).findings().joined(separator: "\n") == "")
    }

    @Test func commentsBeginWithNouns() { #expect(found(DocumentationRule.vagueComments) == "") }

    /// An exception that nothing needs any more is taken off the list.
    @Test(arguments: WordRules.exceptions)
    func exceptionsAreNeeded(exception: WordRules.Exception) {
        let file = Repository.files.first { $0.path == exception.path }
        let isUsed = file?.code.contains { $0.contains(exception.word) } == true
        #expect(isUsed, "\(exception.path) has no \(exception.word) any more")
    }

    @Test func manualPagesAreInstalled() throws {
        let makefile = try Repository.text("Makefile").split(whereSeparator: \.isWhitespace)
        for file in Repository.files where file.path.hasPrefix("man/") {
            let name = file.path.dropFirst("man/".count)
            #expect(makefile.contains(name), "the Makefile does not install man/\(name)")
        }
    }

    /// Whatever the readme tells to type exists.
    @Test func makeTargetsOfTheReadmeExist() throws {
        let makefile = try Repository.text("Makefile")
        for match in try Repository.text("README.md").matches(of: /\bmake ([a-z]+)/) {
            #expect(makefile.contains("\n\(match.1):"), "the Makefile has no \(match.1)")
        }
    }

    @Test func examplesAreListed() throws {
        let list = try Repository.text("Examples/README.md")
        let paths = Repository.files.map { $0.path.split(separator: "/") }
        let folders = Set(paths.filter { $0.count > 2 && $0[0] == "Examples" }.map { $0[1] })
        #expect(!folders.isEmpty)
        for folder in folders { #expect(list.contains("[\(folder)](\(folder))"), "Examples/README.md lacks \(folder)") }
    }

    private func found(_ rule: (SourceFile) -> [Finding]) -> String {
        Repository.files.flatMap(rule).map(\.description).joined(separator: "\n")
    }
}
