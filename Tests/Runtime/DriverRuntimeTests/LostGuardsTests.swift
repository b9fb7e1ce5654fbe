import LinuxSystem
import Testing
@testable import DriverRuntime

/// Guards that one run leaves to the next.
struct LostGuardsTests {
    private let directory = DriverTestDirectory()

    private func path(_ name: String) -> String { directory.path + "/" + name }

    /// A run, as long as it goes on.
    private struct Run: ~Copyable {
        let lock: AliveLock
        var guards: LostGuards

        init(_ path: String, after others: [String]) throws(SystemError) {
            lock = try AliveLock.take(path)
            guards = LostGuards(notingIn: lock.file.raw, path: path, others: others)
        }

        /// Ends it as a kill does.
        consuming func end() {}
    }

    private func run(_ name: String, after others: [String] = []) throws -> Run {
        try Run(path(name), after: others.map(path))
    }

    @Test func theNextRunHasThoseThatWereNotForgotten() throws {
        var first = try run("a")
        first.guards.keep("1.10", on: "nodeA")
        first.guards.keep("2.20", on: "nodeB")
        first.guards.keep("3.30", on: "nodeA")
        first.guards.forget("1.10")
        first.end()
        var second = try run("b", after: ["a"])
        #expect(second.guards.earlier(on: "nodeA") == ["3.30"] && second.guards.earlier(on: "nodeB") == ["2.20"])
        #expect(second.guards.haveEarlier(on: ["nodeC", "nodeB"]) && !second.guards.haveEarlier(on: ["nodeC"]))
        second.guards.forgetEarlier(on: "nodeA")
        #expect(second.guards.earlier(on: "nodeA").isEmpty && !second.guards.haveEarlier(on: ["nodeA"]))
    }

    /// In the same file, as with the same prefix, and over a run that handed on what it did not reach.
    @Test(arguments: [["a"], ["a", "b"], ["b", "a"]]) func throughARunThatDidNotReachThem(names: [String]) throws {
        var first = try run("a")
        first.guards.keep("1.10", on: "nodeA")
        first.guards.keep("2.20", on: "nodeB")
        first.end()
        var second = try run("b", after: ["a"])
        second.guards.forgetEarlier(on: "nodeB")
        second.guards.keep("4.40", on: "nodeB")
        second.guards.forget("4.40")
        #expect(second.guards.writeRest(lease: nil))
        #expect(directory.text("b") == "GUARD=1.10 nodeA\n")
        second.end()
        let third = try run("b", after: names)
        #expect(third.guards.earlier(on: "nodeA") == ["1.10"])
    }

    @Test func nothingIsWrittenWhereNothingIsLeft() throws {
        var first = try run("a")
        first.guards.keep("1.10", on: "nodeA")
        first.guards.forget("1.10")
        let hasRest = first.guards.writeRest(lease: .seconds(300))
        #expect(!hasRest)
        first.guards.keep("2.20", on: "nodeA")
        #expect(first.guards.writeRest(lease: .seconds(300)))
        #expect(directory.text("a") == "LEASE=300\nGUARD=2.20 nodeA\n")
        #expect(AliveLock.secondsLeft(path("a")) > 300)
    }

    /// Its engines live: they are not lost.
    @Test func aRunThatGoesOnHasLostNone() throws {
        var first = try run("a")
        first.guards.keep("1.10", on: "nodeA")
        let second = try run("b", after: ["a"])
        #expect(second.guards.earlier(on: "nodeA").isEmpty)
        first.end()
    }

    @Test(arguments: [("", "nodeA"), ("1 2", "nodeA"), ("1.10", "a\nb"), ("1.10", "node A"), ("1.10\t", "a")])
    func whatCouldBeReadOtherwiseIsNotKept(name: String, node: String) throws {
        var first = try run("a")
        first.guards.keep(name, on: node)
        #expect(directory.text("a") == "")
    }
}
