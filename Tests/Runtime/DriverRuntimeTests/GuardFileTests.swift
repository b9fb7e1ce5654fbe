import DisbatchCore
import EngineHosting
import LinuxSystem
import Testing

@testable import DriverRuntime

/// Guards that one run leaves to the next.
struct GuardFileTests {
    private let directory = DriverTestDirectory()

    private func path(_ name: String) -> String { directory.path + "/" + name }

    /// A run, as long as it goes on, whose driver does with the file what the ledger says.
    private struct Run: ~Copyable {
        let lock: AliveLock
        let file: GuardFile
        var ledger: GuardLedger

        init(_ path: String, after others: [String]) throws(StartError) {
            lock = try AliveLock.take(path)
            file = GuardFile(lock.file.raw, path: path, others: others)
            ledger = GuardLedger(earlier: file.earlier)
        }

        mutating func keep(_ name: String, on node: String) {
            if ledger.keep(name, on: node) { file.note(name, node: node) }
        }

        mutating func forget(_ name: String) {
            if ledger.gone(name, context: ContextID(0), planIndex: 0) { file.noteEnd(of: name) }
        }

        mutating func forgetEarlier(on node: String) {
            for name in ledger.cleared(by: "", node: node, context: ContextID(0), planIndex: 0) {
                file.noteEnd(of: name)
            }
        }

        func writeRest(lease: Duration?) -> Bool { file.writeRest(of: ledger, lease: lease) }

        /// Ends it as a kill does.
        consuming func end() {}
    }

    private func run(_ name: String, after others: [String] = []) throws -> Run {
        try Run(path(name), after: others.map(path))
    }

    @Test func theNextRunHasThoseThatWereNotForgotten() throws {
        var first = try run("a")
        first.keep("1.10", on: "nodeA")
        first.keep("2.20", on: "nodeB")
        first.keep("3.30", on: "nodeA")
        first.forget("1.10")
        first.end()
        var second = try run("b", after: ["a"])
        #expect(second.ledger.earlier(on: "nodeA") == ["3.30"] && second.ledger.earlier(on: "nodeB") == ["2.20"])
        #expect(second.ledger.haveEarlier(on: ["nodeC", "nodeB"]) && !second.ledger.haveEarlier(on: ["nodeC"]))
        second.forgetEarlier(on: "nodeA")
        #expect(second.ledger.earlier(on: "nodeA").isEmpty && !second.ledger.haveEarlier(on: ["nodeA"]))
    }

    /// In the same file, as with the same prefix, and over a run that handed on what it did not reach.
    @Test(arguments: [["a"], ["a", "b"], ["b", "a"]]) func throughARunThatDidNotReachThem(names: [String]) throws {
        var first = try run("a")
        first.keep("1.10", on: "nodeA")
        first.keep("2.20", on: "nodeB")
        first.end()
        var second = try run("b", after: ["a"])
        second.forgetEarlier(on: "nodeB")
        second.keep("4.40", on: "nodeB")
        second.forget("4.40")
        let isLeft = second.writeRest(lease: nil)
        #expect(isLeft)
        #expect(directory.text("b") == "GUARD=1.10 nodeA\n")
        second.end()
        let third = try run("b", after: names)
        #expect(third.ledger.earlier(on: "nodeA") == ["1.10"])
    }

    @Test func nothingIsWrittenWhereNothingIsLeft() throws {
        var first = try run("a")
        first.keep("1.10", on: "nodeA")
        first.forget("1.10")
        let hasRest = first.writeRest(lease: .seconds(300))
        #expect(!hasRest)
        first.keep("2.20", on: "nodeA")
        let isLeft = first.writeRest(lease: .seconds(300))
        #expect(isLeft)
        #expect(directory.text("a") == "LEASE=300\nGUARD=2.20 nodeA\n")
        #expect(AliveLock.secondsLeft(path("a")) > 300)
    }

    /// Its engines live: they are not lost.
    @Test func aRunThatGoesOnHasLostNone() throws {
        var first = try run("a")
        first.keep("1.10", on: "nodeA")
        let second = try run("b", after: ["a"])
        #expect(second.ledger.earlier(on: "nodeA").isEmpty)
        first.end()
    }

    @Test(arguments: [("", "nodeA"), ("1 2", "nodeA"), ("1.10", "a\nb"), ("1.10", "node A"), ("1.10\t", "a")])
    func whatCouldBeReadOtherwiseIsNotKept(name: String, node: String) throws {
        var first = try run("a")
        first.keep(name, on: node)
        #expect(directory.text("a") == "DRIVER=\(ProcessIdentity.own)\n", "the driver alone is named")
    }
}

extension GuardLedger {
    /// What an engine on a node is told to end.
    fileprivate func earlier(on node: String) -> [String] {
        leftBehind(node: node, context: ContextID(0), planIndex: 0)
    }
}
