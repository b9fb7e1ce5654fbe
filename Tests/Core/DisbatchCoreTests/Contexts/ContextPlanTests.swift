import Testing

@testable import DisbatchCore

struct ContextPlanTests {
    /// A machine of 8 cores called `node3.cluster`.
    private static func surroundings(
        _ variables: [String: String] = [:], programs: [String] = []
    ) -> Surroundings {
        Surroundings(
            hostName: "node3.cluster", ownCores: 8, variable: { variables[$0] },
            findPrograms: { wanted in wanted.filter(programs.contains) },
            readFile: { _ in nil }, ownAddresses: { ["10.1.2.3", "fe80::7"] })
    }

    private static func local(_ change: (inout ContextSizing) -> Void) throws(ContextError) -> ContextPlan {
        var sizing = ContextSizing()
        change(&sizing)
        return try LocalContext.plan(sizing, surroundings())
    }

    private static func ssh(
        _ lists: [String], rank: Int, _ change: (inout ContextSizing) -> Void = { _ in }
    ) throws(ContextError) -> ContextPlan {
        var sizing = ContextSizing()
        change(&sizing)
        return try SSHContext.plan(lists, rank: rank, sizing, surroundings())
    }

    private static func engine(_ slots: Int, _ cores: Int, node: String = "node3.cluster") -> EnginePlan {
        EnginePlan(node: node, slots: slots, coresPerTask: cores)
    }

    @Test(
        arguments: [
            (nil, nil, 8, 1), (2, nil, 4, 2), (3, nil, 2, 4), (0.5, nil, 16, 1), (1.5, nil, 5, 1), (8, nil, 1, 8),
            (nil, 3, 3, 2), (4, 5, 5, 1), (nil, 20, 20, 1), (100, 1, 1, 8), (nil, 65_535, 65_535, 1),
        ] as [(Double?, Int?, Int, Int)])
    func slotsAndCores(perTask: Double?, perNode: Int?, slots: Int, cores: Int) throws {
        let plan = try Self.local {
            $0.coresPerTask = perTask
            $0.tasksPerNode = perNode
        }
        #expect(plan.engines == [Self.engine(slots, cores)])
        #expect(plan.label == "LOCAL0" && plan.kind == "local" && !plan.bindsCores)
        #expect(plan.notes == ["8 cores of this machine, by affinity mask and control group"])
        #expect(plan.warnings.isEmpty)
    }

    @Test(
        arguments: [
            (9, nil, "node3.cluster has 8 cores, too few for one task of 9.0 (-c)"),
            (nil, 0, "node3.cluster has 8 cores, too few for one task of 1.0 (-c)"),
            (1e-300, nil, "node3.cluster: more than 65535 tasks at once are not possible (-c, -t)"),
            (nil, 65_536, "node3.cluster: more than 65535 tasks at once are not possible (-c, -t)"),
            (nil, .max, "node3.cluster: more than 65535 tasks at once are not possible (-c, -t)"),
        ] as [(Double?, Int?, String)])
    func impossibleSlots(perTask: Double?, perNode: Int?, text: String) {
        #expect(throws: ContextError(text)) {
            try Self.local {
                $0.coresPerTask = perTask
                $0.tasksPerNode = perNode
            }
        }
    }

    @Test(
        arguments: [
            (["localhost:4"], 4), (["localhost:1,localhost:2", "localhost:3"], 6), (["node3:2"], 2),
            (["node3.elsewhere:2"], 2), (["node3.cluster:1", "localhost:1", "node3:1"], 3), (["localhost:+5"], 5),
            (["localhost:1000000"], nil),
        ] as [([String], Int?)])
    func ownHosts(lists: [String], slots: Int?) throws {
        guard let slots else {
            #expect(throws: ContextError.self) { try Self.ssh(lists, rank: 0) }
            return
        }
        let plan = try Self.ssh(lists, rank: 2)
        #expect(plan.engines == [Self.engine(slots, 1)])
        #expect(plan.label == "SSH2" && plan.kind == "ssh" && !plan.bindsCores)
    }

    @Test func hostsAddUpInNotes() throws {
        let plan = try Self.ssh(["localhost:1,node3:2,localhost:3"], rank: 0) { $0.label = "mine" }
        #expect(plan.notes == ["localhost: 4 cores", "node3: 2 cores"])
        #expect(plan.label == "mine")
    }

    @Test(arguments: [
        "localhost", ":4", "[]:4", "localhost:", "localhost:0", "localhost:-1", "localhost:x", "localhost:1.5",
        "localhost:99999999999999999999", "localhost:9223372036854775807", "localhost: 4",
    ])
    func listsThatAreNone(entry: String) {
        #expect(throws: ContextError("-s: \"\(entry)\" is not HOST:CORES, such as localhost:8")) {
            try Self.ssh([entry], rank: 0)
        }
        #expect(throws: ContextError("-s: \"\(entry)\" is not HOST:CORES, such as localhost:8")) {
            try Self.ssh(["localhost:1,\(entry)"], rank: 0)
        }
    }

    @Test func blanksAndEmptyItemsArePassedOver() throws {
        let plan = try Self.ssh([" far:3 , node3:1,", ", me@near:1\n", ""], rank: 0)
        #expect(plan.engines.map(\.node) == ["far", "node3.cluster", "me@near"])
        for lists in [[""], [","], [" , "]] {
            #expect(throws: ContextError("-s names no host: HOST:CORES is wanted, such as localhost:8")) {
                try Self.ssh(lists, rank: 0)
            }
        }
    }

    @Test func addressesOfIPv6() throws {
        let plan = try Self.ssh(["[fd00::1]:2,fd00::2:3,[::1]:1,[fe80::7]:1"], rank: 0)
        #expect(plan.engines.map(\.place) == [.ssh(host: "fd00::1"), .ssh(host: "fd00::2"), .here])
        #expect(plan.engines.map(\.slots) == [2, 3, 2])
    }

    @Test func eachHostHasOneEngine() throws {
        let plan = try Self.ssh(
            ["far.away:3,localhost:1,me@near:2", "far.away:1,node3:4"], rank: 0
        ) { $0.coresPerTask = 2 }
        var (far, near) = (Self.engine(2, 2, node: "far.away"), Self.engine(1, 2, node: "me@near"))
        far.place = .ssh(host: "far.away")
        near.place = .ssh(host: "me@near")
        #expect(plan.engines == [far, Self.engine(2, 2), near])
        #expect(plan.engines.map(\.nodeKind) == [.ssh, .local, .ssh])
    }

    @Test(arguments: ["-oProxyCommand=x:1", "a b:1", "a\tb:1", "a\n:1", "../a:1", "ssh://a:1"])
    func namesThatMeanSomethingElse(entry: String) {
        #expect(throws: ContextError("-s: \"\(entry)\": a host's name has no blanks or slashes, and no dash before it"))
        {
            try Self.ssh([entry], rank: 0)
        }
    }

    @Test(arguments: [
        ("localhost", true), ("node3", true), ("node3.cluster", true), ("node3.other", true), ("node33", false),
        ("node", false), ("", false), ("localhost.localdomain", false), (".cluster", false), ("LOCALHOST", true),
        ("Node3", true), ("127.0.0.1", true), ("::1", true), ("127.0.0.2", false), ("10.1.2.3", true),
        ("10.1.2.4", false), ("fe80::7", true), ("fe80::8", false),
    ])
    func thisHost(name: String, isThis: Bool) {
        #expect(Self.surroundings().isThisMachine(name) == isThis)
    }

    // MARK: Choice

    @Test func optionsGoFirst() throws {
        let plan = try ContextChoice.plan(
            sshLists: ["localhost:2"], ContextSizing(),
            Self.surroundings(["DISBATCH_SSH_NODELIST": "localhost:5", "SLURM_JOB_ID": "1"], programs: ["sbatch"]))
        #expect(plan.engines == [Self.engine(2, 1)] && plan.label == "SSH0")
    }

    @Test func thenTheListOfTheEnvironment() throws {
        let plan = try ContextChoice.plan(
            sshLists: [], ContextSizing(),
            Self.surroundings(["DISBATCH_SSH_NODELIST": "localhost:5"], programs: ["qsub"]))
        #expect(plan.engines == [Self.engine(5, 1)])
    }

    @Test func elseThisMachine() throws {
        let empty = Self.surroundings(["DISBATCH_SSH_NODELIST": ""])
        let plan = try ContextChoice.plan(sshLists: [], ContextSizing(), empty)
        #expect(plan.kind == "local" && plan.warnings.isEmpty)
    }

    @Test(arguments: ["sbatch", "qsub", "pbsdsh", "bsub"])
    func aLoginNodeRunsNothing(program: String) {
        let text = """
            this looks like a login node (\(program) is here, and there is no allocation): nothing was run.
            Submit it, with N tasks at once:  sbatch -n N disbatch ...
            or use this machine's own cores:  disbatch -s localhost:N ...
            """
        #expect(throws: ContextError(text)) {
            try ContextChoice.plan(sshLists: [], ContextSizing(), Self.surroundings(programs: [program]))
        }
    }
}
