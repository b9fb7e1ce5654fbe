import Testing

@testable import RunReports

@Suite struct TaskFilterTests {
    private let row = {
        var row = failed(7, code: 3, node: "n12", error: "bad", ending: "exited")
        row.finish = (row.start ?? 0) + 61.5
        row.memory = 300 << 20
        return row
    }()

    @Test(arguments: [
        "state=failed", "state!=done", "state=done|failed", "state=f*", "id=7", "line=8", "id<8", "id<=7", "id>=7",
        "id>6",
        "id!=8", "return_code!=0", "return_code==3", "elapsed>60", "elapsed<2m", "elapsed>=61.5", "node=n1*",
        "node=n?2",
        "node!=n2*", "memory>200M", "memory<1g", "err=b*d", "attempts=1", "state=failed,return_code=3,node=n12",
        "repeat_index=-1", "cpu<=0.5", "command=true",
    ])
    func holds(text: String) throws {
        #expect(try TaskFilter(text).matches(row), "\(text)")
    }

    @Test(arguments: [
        "state=done", "state=succeeded", "id=8", "id>7", "return_code=0", "elapsed>2m", "node=n1", "node=?",
        "memory>1G",
        "state=failed,id=8", "slot=0", "slot!=0", "engine<5",
    ])
    func doesNotHold(text: String) throws {
        #expect(try !TaskFilter(text).matches(row), "\(text)")
    }

    @Test func whatIsNotKnownIsNeitherEqualNorNot() throws {
        let waiting = task(1, .waiting)
        #expect(try !TaskFilter("return_code=0").matches(waiting))
        #expect(try !TaskFilter("return_code!=0").matches(waiting))
        #expect(try TaskFilter("state=waiting").matches(waiting))
    }

    @Test(arguments: [
        ("stat=failed", "no field \"stat\""), ("state=broken", "abandoned, skipped"), ("id=x", "a whole number"),
        ("id=1.5", "a whole number"), ("elapsed>1y", "90s, 10m, 2h, 1d"), ("memory>lots", "100K, 500M, 2G"),
        ("failed", "FIELD=VALUE"), ("", "FIELD=VALUE"), ("state=failed,", "FIELD=VALUE"), ("node>n1", "= or !="),
        ("id=", "a whole number"), ("\u{1b}[31m=1", "\"\u{241b}[31m\""),
    ])
    func errorsSayWhatThereIs(text: String, part: String) {
        let error = #expect(throws: ReportError.self) { try TaskFilter(text) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func unknownFieldsListAll() {
        let error = #expect(throws: ReportError.self) { try TaskField.list("id,nonsense") }
        for field in TaskField.allCases { #expect(error?.description.contains(field.rawValue) == true) }
        #expect(throws: ReportError.self) { try TaskField.list("") }
    }

    @Test(arguments: [
        ("state=failed", true), ("state=waiting", false), ("state!=done", false), ("state=*", false), ("id>5", false),
        ("node=n1", true), ("return_code!=0", true), ("elapsed>5,id=3", true), ("command=*x*", false),
    ])
    func knowsWhetherWaitingTasksCanMatch(text: String, excluded: Bool) throws {
        #expect(try TaskFilter(text).excludesWaiting == excluded)
    }

    @Test(arguments: [
        ("", "", true), ("*", "", true), ("", "a", false), ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false),
        ("**a", "bca", true), ("?", "\u{e9}", true), ("?", "ab", false),
        ("*a*a*a*a*b", String(repeating: "a", count: 200), false),
    ])
    func patterns(pattern: String, text: String, matches: Bool) {
        #expect(GlobPattern(pattern).matches(Array(text.utf8)) == matches)
    }
}
