import Foundation
import TestSupport
import Testing

@testable import Options

@Suite(.blocking) struct DocumentationTests {
    private static let tables = [DriverOptions.table, EngineOptions.table, DbutilOptions.table]

    @Test(arguments: tables)
    func helpFitsEightyColumnsAndNamesEverything(table: OptionTable) {
        let help = helpText(for: table)
        for line in help.split(separator: "\n") {
            #expect(line.count <= 80, "wider than 80 columns: \(line)")
        }
        for option in table.options {
            let names = option.spellings.joined(separator: ", ")
            #expect(help.contains("  \(names)"), "the help of \(table.program) lacks \(names)")
        }
    }

    @Test(arguments: tables)
    func helpTextsAreSentences(table: OptionTable) {
        for option in table.options {
            let count = option.help.split(separator: ". ").count
            #expect(option.help.hasSuffix(".") && count <= 3, "--\(option.name): \(option.help)")
        }
    }

    /// With DISBATCH_RECORD=1 in the environment this writes the lists instead of comparing them.
    @Test(arguments: tables)
    func manualListsTheOptionsOfTheTable(table: OptionTable) throws {
        let file = ProjectFolder.root.appending(path: "man/\(table.program).1")
        let page = try String(contentsOf: file, encoding: .utf8)
        let begin = try #require(page.range(of: ".\\\" BEGIN OPTIONS (from the option table: make man)\n"))
        let end = try #require(page.range(of: ".\\\" END OPTIONS\n"))
        let list = manOptionList(for: table)
        if ProcessInfo.processInfo.environment["DISBATCH_RECORD"] == "1" {
            let recorded = page[..<begin.upperBound] + list + page[end.lowerBound...]
            try String(recorded).write(to: file, atomically: true, encoding: .utf8)
        } else {
            let isSame = page[begin.upperBound..<end.lowerBound] == list
            #expect(isSame, "man/\(table.program).1 is not what the option table says: run make man")
        }
    }

    @Test(arguments: tables)
    func manualNamesEveryOption(table: OptionTable) {
        let list = manOptionList(for: table)
        for option in table.options {
            for spelling in option.spellings {
                let name = "Fl " + spelling.dropFirst().replacing("-", with: "\\-")
                #expect(list.contains(name), "the manual of \(table.program) lacks \(spelling)")
            }
        }
    }

    @Test(arguments: [
        "disbatch.1", "disbatch-engine.1", "dbutil.1", "dbutil-json.5", "disbatch-status.5", "disbatch-tasks.5",
    ])
    func mandocFindsNothing(page: String) throws {
        guard let mandoc = Tool.find("mandoc") else {
            Issue.record("install mandoc: manual pages are checked with it")
            return
        }
        let path = ProjectFolder.root.appending(path: "man/\(page)").path
        let result = try Tool.run([mandoc, "-T", "lint", "-W", "warning", path])
        #expect(result.text + result.errorText == "", "mandoc complains of man/\(page)")
    }

    @Test func roffCharactersAreEscaped() {
        var table = smallTable
        table.groups = [
            .init(
                "G",
                options: [OptionSpec("x", help: "'Quoted \\n with -x-y, key-value. .dot is no macro. Ends e.g. here.")])
        ]
        #expect(
            manOptionList(for: table) == """
                .Bl -tag -width Ds
                .It Fl \\-x
                \\&'Quoted \\en with \\-x\\-y, key-value. .dot is no macro.
                Ends e.g. here.
                .El

                """)
    }

    /// Each variable that a task is given is in the manual, and no task can be given it by `--env`.
    @Test(arguments: taskVariables)
    func manualNamesTheVariablesOfATask(variable: String) throws {
        let page = try String(contentsOf: ProjectFolder.root.appending(path: "man/disbatch.1"), encoding: .utf8)
        #expect(page.contains(variable), "man/disbatch.1 lacks \(variable)")
        #expect(throws: OptionError.self) { try DriverOptions.read(["--env", variable, "Tasks"]) }
    }
}
