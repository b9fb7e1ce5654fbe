import Testing

@testable import DisbatchCore

@Suite("Driver contexts")
struct DriverContextTests {
    private func context(_ new: NewContext) -> DriverContext { DriverContext(id: ContextID(0), new) }

    @Test("engines are leased unless the driver's own machine has them")
    func leases() {
        #expect(!context(.local()).isLeased(.local()))
        #expect(context(.local()).isLeased(.ssh("a")))
        #expect(context(.relayed()).isLeased(.local()))
    }

    @Test("a relay's own machine is another than the driver's")
    func nodeKinds() {
        #expect(context(.local()).nodeKind(of: .local()) == .local)
        #expect(context(.relayed()).nodeKind(of: .local()) == .ssh)
        #expect(context(.relayed()).nodeKind(of: .slurm("a")) == .slurm)
    }

    @Test("the user's word on cores and nodes goes before what suits the context")
    func policy() {
        var new = NewContext.job("a")
        new.policy.binding = .cores
        #expect(context(new).bindsCores)
        #expect(context(new).retirementCommand == nil)
        new.policy.retirement = .standard
        #expect(context(new).retirementCommand?.contains("scontrol update") == true)
        new.policy.retirement = .command("give")
        #expect(context(new).retirementCommand == "give")
        #expect(context(.hosts("a")).retirementCommand == nil)
    }

    @Test("tasks have a directory of their own on machines that were made for the run")
    func homes() {
        #expect(context(.of([], kind: "gce")).homeDirectory(ofRun: "r1") == "/home/disbatch/r1")
        #expect(context(.hosts("a")).homeDirectory(ofRun: "r1") == nil)
    }

    @Test("a relay that is cut off can't be told anything, and has its time")
    func relays() {
        let end = Instant(nanoseconds: 5)
        var relayed = context(.relayed("a"))
        #expect(relayed.isRelayed && !relayed.isCutOff && relayed.nextDeadline == .distantFuture)
        relayed.relay = .cutOff(until: end)
        #expect(relayed.isRelayed && relayed.isCutOff && relayed.nextDeadline == end)
        relayed.relay = .lost
        #expect(relayed.isRelayed && relayed.isCutOff && relayed.nextDeadline == .distantFuture)
        let own = context(.hosts("a"))
        #expect(!own.isRelayed && !own.isCutOff)
    }

    @Test("only an elastic context may grow")
    func growth() {
        #expect(context(.elastic()).mayGrow && context(.elastic()).isElastic)
        #expect(!context(.relayed("a")).mayGrow)
    }
}
