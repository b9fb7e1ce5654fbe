import DisbatchCore
import Testing

@testable import Options

@Suite struct DbutilOptionsTests {
    @Test func actionsAndWhatGoesWithThem() throws {
        var list = DbutilOptions(action: .list)
        (list.run, list.filter, list.fields, list.format, list.output) = ("x", "id=1", "id", .json, "out")
        let words = ["--run", "x", "--list", "--filter", "id=1", "--fields=id", "--format", "JSON", "-o", "out"]
        #expect(try DbutilOptions.read(words) == .run(list))
        #expect(try DbutilOptions.read(["--show", "17"]) == .run(DbutilOptions(action: .show(17))))
        #expect(try DbutilOptions.read(["--tail", "17"]) == .run(DbutilOptions(action: .tail(17))))
        #expect(try DbutilOptions.read(["--kill", "0"]) == .run(DbutilOptions(action: .ask(.kill(TaskID(0))))))
        #expect(try DbutilOptions.read(["--stats"]) == .run(DbutilOptions(action: .stats)))
        var page = DbutilOptions(action: .report)
        page.htmlFile = "x.html"
        #expect(try DbutilOptions.read(["--report", "--html", "x.html"]) == .run(page))
        #expect(try DbutilOptions.read(["--rebuild", "a", "b"]) == .run(DbutilOptions(action: .rebuild(["a", "b"]))))
        var left = DbutilOptions(action: .remaining("tasks"))
        left.includesFailed = true
        #expect(try DbutilOptions.read(["--remaining", "-R", "tasks"]) == .run(left))
    }

    @Test(arguments: [
        ([], "--list, --show, --stats, --report, --remaining, --rebuild"),
        (["x"], "say what to do"), (["--list", "--stats"], "--list and --stats can't be done at once"),
        (["--list", "x"], "--run PREFIX"), (["--remaining", "a", "b"], "no operand \"b\""),
        (["--show", "x"], "a whole number"), (["--kill", "-1"], "a whole number"),
        (["--tail", "1", "2"], "no operand"),
        (["--tail", "1", "-o", "x"], "-o goes with what reads files alone"), (["--kill"], "--kill needs"),
        (["--stats", "--filter", "id=1"], "--filter goes with --list alone"),
        (["--list", "--html", "x"], "--html goes with --report alone"), (["--list", "-R"], "-R goes with --remaining"),
        (["--stats", "--format", "csv"], "here it can be json"),
        (["--report", "--html", "x", "-o", "y"], "names its file"),
        (["--list", "--format", "xml"], "table, tsv, csv, json"), (["--moon"], "unknown option"),
        (["--list", "--filter", ""], "must not be empty"), (["--rebuild", "-o", "x"], "what is printed"),
    ])
    func wrongUsage(words: [String], part: String) {
        let error = #expect(throws: OptionError.self) { try DbutilOptions.read(words) }
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }
}
