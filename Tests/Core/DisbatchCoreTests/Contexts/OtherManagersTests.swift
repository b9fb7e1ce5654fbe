import Testing

@testable import DisbatchCore

/// Grid Engine, PBS and LSF.
struct OtherManagersTests {
    private func gridEngine(_ hosts: String, _ more: [String: String] = [:]) -> AllocationFixture {
        let own = ["JOB_ID": "42", "SGE_ROOT": "/r", "PE_HOSTFILE": "/pe", "SGE_TASK_ID": "undefined", "NSLOTS": "5"]
        return AllocationFixture(own.merging(more) { $1 }, files: ["/pe": hosts])
    }

    @Test func theEndOfAGridEngineJob() throws {
        let plan = try AllocationFixture(["JOB_ID": "7", "SGE_ROOT": "/sge", "SGE_TASK_ID": "3"]).plan()
        let query = try #require(plan.endQuery)
        #expect(query.words == ["qstat", "-xml", "-j", "7"])
        #expect(plan.job == "7.3")
        let limit = "<CE_name>h_rt</CE_name>\n<CE_stringval>0:1:30</CE_stringval><CE_doubleval>90.000000</CE_doubleval>"
        let other = "<CE_name>h_vmem</CE_name><CE_doubleval>5.0</CE_doubleval>"
        let tasks = [1, 3, 4].map {
            "<JAT_task_number>\($0)</JAT_task_number>\n  <JAT_start_time>\(1_000_000_000 + $0)</JAT_start_time>"
        }.joined()
        #expect(query.end(in: other + limit + tasks) == .seconds(1_000_000_093))
        #expect(query.end(in: limit + tasks.replacing("_time>1", with: "_time>1000")) != nil)
        #expect(
            query.end(in: limit + tasks.replacing("</JAT_start", with: "123</JAT_start")) == .seconds(1_000_000_093))
        #expect(query.end(in: limit + tasks.replacing("</JAT_start", with: "123456789</JAT_start")) == nil)
        #expect(query.end(in: other + tasks) == .never)
        #expect(query.end(in: limit) == nil)
        #expect(query.end(in: "") == nil)
    }

    @Test func gridEngineHosts() throws {
        let text = "node3 2 all.q@node3 UNDEFINED\nsge2 1 all.q@sge2 UNDEFINED\nsge2 2 long.q@sge2 <NULL>\n"
        let plan = try gridEngine(text).plan()
        #expect(plan.shape == ["node3 2x1", "sge2 3x1"])
        #expect(plan.commands == ["", "qrsh -inherit sge2 /opt/engine"])
        #expect(plan.engines.map(\.nodeKind) == [.local, .gridEngine])
        #expect(plan.label == "J42" && plan.kind == "sge" && plan.reason == "PE_HOSTFILE is set")
        #expect(try gridEngine(text).plan { $0.coresPerTask = 1.5 }.shape == ["node3 1x2", "sge2 2x1"])
        #expect(try gridEngine(text).plan { $0.tasksPerNode = 4 }.shape == ["node3 4x1", "sge2 4x1"])
        #expect(try gridEngine(text, ["SGE_TASK_ID": "7"]).plan().label == "J42.7")
    }

    @Test(arguments: [("5", "node3.cluster 5x1"), (nil, "node3.cluster 1x1")])
    func gridEngineWithoutParallelEnvironment(slots: String?, shape: String) throws {
        var job = AllocationFixture(["JOB_ID": "42", "SGE_ROOT": "/r"])
        job.variables["NSLOTS"] = slots
        let plan = try job.plan()
        #expect(plan.shape == [shape] && plan.commands == [""])
        #expect(plan.reason == "JOB_ID and SGE_ROOT are set")
    }

    @Test(arguments: [
        ("", "/pe (PE_HOSTFILE) is empty: nothing was run"),
        ("a 2\nb\n", "/pe:2: \"b\" is no host with its slots: nothing was run"),
        ("a 0\n", "/pe:1: \"a 0\" is no host with its slots: nothing was run"),
        ("../a 1\n", "/pe:1: \"../a 1\" is no host with its slots: nothing was run"),
    ])
    func gridEngineErrors(text: String, error: String) {
        #expect(gridEngine(text).error() == error)
    }

    @Test func gridEngineWithoutItsFile() {
        let job = AllocationFixture(["JOB_ID": "42", "PE_HOSTFILE": "/pe"])
        #expect(job.error() == "/pe, which PE_HOSTFILE names, can't be read: nothing was run")
    }

    /// The node file of `-l select=2:ncpus=2:mpiprocs=2+1:ncpus=1` in the manual of OpenPBS.
    @Test func pbsHosts() throws {
        let variables = ["PBS_JOBID": "1234.server", "PBS_NODEFILE": "/nodes"]
        let files = ["/nodes": "VNodeA\nVNodeA\nVNodeB\nVNodeB\nnode3\n"]
        var job = AllocationFixture(variables, files: files, programs: ["pbs_tmrsh", "pbsdsh"])
        #expect(try job.plan().shape == ["VNodeA 2x1", "VNodeB 2x1", "node3 1x1"])
        #expect(try job.plan().commands == ["pbs_tmrsh VNodeA /opt/engine", "pbs_tmrsh VNodeB /opt/engine", ""])
        #expect(try job.plan().label == "J1234")
        job.programs = ["pbsdsh"]
        #expect(try job.plan().commands[0] == "pbsdsh -h VNodeA /opt/engine")
        job.variables["PBS_JOBID"] = "1234[5].server"
        #expect(try job.plan().label == "J1234[5]")
        job.files["/nodes"] = "\n"
        #expect(job.error() == "PBS_NODEFILE names no host: nothing was run")
        job.variables["PBS_NODEFILE"] = nil
        #expect(job.error().hasPrefix("PBS_NODEFILE is not set, as PBS has it in a job: nothing was run."))
    }

    /// `LSB_MCPU_HOSTS` as in LSF's reference: "hostA 5 hostB 20 hostC 10".
    @Test func lsfHosts() throws {
        var job = AllocationFixture(
            ["LSB_JOBID": "9", "LSB_JOBINDEX": "0", "LSB_MCPU_HOSTS": "hostA 5 hostB 20 node3 10"])
        #expect(try job.plan().shape == ["hostA 5x1", "hostB 20x1", "node3 10x1"])
        #expect(try job.plan().commands == ["blaunch hostA /opt/engine", "blaunch hostB /opt/engine", ""])
        #expect(try job.plan().label == "J9")
        job.variables["LSB_JOBINDEX"] = "3"
        #expect(try job.plan().label == "J9.3")
        job.variables["LSB_MCPU_HOSTS"] = "hostA 5 hostB"
        #expect(job.error() == "LSB_MCPU_HOSTS is \"hostA 5 hostB\", no hosts with their slots: nothing was run")
        job.variables["LSB_MCPU_HOSTS"] = nil
        job.variables["LSB_DJOB_HOSTFILE"] = "/hosts"
        job.files["/hosts"] = "hostA\nhostA\nhostB\n"
        #expect(try job.plan().shape == ["hostA 2x1", "hostB 1x1"])
    }

    // MARK: Choice

    @Test func whichContextIsTaken() throws {
        var job = AllocationFixture([
            "SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": "n1", "SLURM_JOB_CPUS_PER_NODE": "1",
            "SLURM_TASKS_PER_NODE": "1", "PE_HOSTFILE": "/pe", "JOB_ID": "2", "SGE_ROOT": "/r", "PBS_JOBID": "3",
            "PBS_NODEFILE": "/pe", "LSB_JOBID": "4", "LSB_MCPU_HOSTS": "a 1", "DISBATCH_SSH_NODELIST": "localhost:1",
        ])
        job.files = ["/pe": "a 1\n"]
        let order: [(String, String)] = [
            ("slurm", "SLURM_JOB_ID"), ("sge", "PE_HOSTFILE"), ("sge", "SGE_ROOT"), ("pbs", "PBS_JOBID"),
            ("lsf", "LSB_JOBID"), ("ssh", "DISBATCH_SSH_NODELIST"), ("local", ""),
        ]
        for (kind, variable) in order {
            #expect(try job.plan().kind == kind)
            #expect(try job.plan(sshLists: ["localhost:2"]).kind == "ssh")
            job.variables[variable] = nil
        }
    }

    @Test func oneThatIsAskedFor() throws {
        let job = AllocationFixture(
            ["SLURM_JOB_ID": "1", "DISBATCH_SSH_NODELIST": "localhost:3"], programs: ["sbatch"])
        #expect(try job.plan(.local).shape == ["node3.cluster 8x1"])
        #expect(try job.plan(.local).reason == "--context")
        #expect(try job.plan(.ssh).shape == ["node3.cluster 3x1"])
        let text = "JOB_ID is not set, as Grid Engine has it in a job: nothing was run.\n"
        #expect(job.error(.gridEngine).hasPrefix(text))
        #expect(AllocationFixture([:]).error(.ssh).hasPrefix("--context ssh needs hosts: name them with -s"))
        #expect(throws: ContextError("-s can't go with --context slurm: leave one of them out")) {
            try job.plan(.slurm, sshLists: ["localhost:1"])
        }
    }
}
