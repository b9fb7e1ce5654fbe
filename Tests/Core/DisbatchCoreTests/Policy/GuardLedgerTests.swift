import Testing

@testable import DisbatchCore

@Suite("Guard ledger")
struct GuardLedgerTests {
    private let context = ContextID(0)

    @Test("tells an engine of what earlier runs left on its node, until it is ready")
    func earlier() {
        var ledger = GuardLedger(earlier: ["1.1": "a", "2.2": "a", "3.3": "b"])
        #expect(ledger.haveEarlier(on: ["c", "a"]) && !ledger.haveEarlier(on: ["c"]))
        #expect(ledger.leftBehind(node: "a", context: context, planIndex: 0) == ["1.1", "2.2"])
        ledger.greeted("9.9", context: context, planIndex: 0)
        #expect(ledger.cleared(by: "9.9", node: "a", context: context, planIndex: 0) == ["1.1", "2.2"])
        #expect(!ledger.haveEarlier(on: ["a"]) && ledger.haveEarlier(on: ["b"]))
        #expect(ledger.rest.map(\.guardName) == ["3.3"] && ledger.rest.map(\.node) == ["b"])
    }

    @Test("tells an engine of those before it in its place, and forgets them when it is ready")
    func places() {
        var ledger = GuardLedger()
        ledger.greeted("1.1", context: context, planIndex: 0)
        let isKnown = ledger.keep("1.1", on: "a")
        #expect(isKnown && ledger.hasOwn)
        #expect(ledger.leftBehind(node: "a", context: context, planIndex: 0) == ["1.1"])
        #expect(ledger.leftBehind(node: "a", context: context, planIndex: 1) == [], "another place")
        #expect(ledger.leftBehind(node: "a", context: ContextID(1), planIndex: 0) == [], "another context")
        ledger.greeted("2.2", context: context, planIndex: 0)
        #expect(ledger.cleared(by: "2.2", node: "a", context: context, planIndex: 0) == ["1.1"])
        #expect(!ledger.hasOwn)
    }

    @Test("forgets an engine of which nothing is left, and tells whether later runs knew it")
    func gone() {
        var ledger = GuardLedger()
        for name in ["1.1", "2.2"] { ledger.greeted(name, context: context, planIndex: 0) }
        _ = ledger.keep("1.1", on: "a")
        let wasKnown = ledger.gone("1.1", context: context, planIndex: 0)
        let wasOtherKnown = ledger.gone("2.2", context: context, planIndex: 0)
        #expect(wasKnown && !wasOtherKnown)
        #expect(ledger.leftBehind(node: "a", context: context, planIndex: 0) == [])
        #expect(ledger.rest.isEmpty)
    }

    @Test(
        "keeps no guard that would not be read as it is written",
        arguments: [("", "a"), ("1.1\n2.2", "a"), ("1.1", "a b"), ("1 1", "a")])
    func unreadable(name: String, node: String) {
        var ledger = GuardLedger()
        let isKept = ledger.keep(name, on: node)
        #expect(!isKept && !ledger.hasOwn && ledger.rest.isEmpty)
    }

    @Test("remembers the last 16 of one place")
    func most() {
        var ledger = GuardLedger()
        for number in 1...20 { ledger.greeted("\(number)", context: context, planIndex: 0) }
        let known = ledger.leftBehind(node: "a", context: context, planIndex: 0)
        #expect(known == (5...20).map { "\($0)" })
    }
}
