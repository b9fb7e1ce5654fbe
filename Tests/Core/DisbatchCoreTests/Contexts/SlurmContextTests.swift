import Testing

@testable import DisbatchCore

struct SlurmContextTests {
    /// `salloc -c 5 -n 10 --ntasks-per-node=3` as disBatch has it in its source, with what the arguments change.
    private func fixture(_ changes: [String: String?] = [:], files: [String: String] = [:]) -> AllocationFixture {
        var variables = [
            "SLURM_JOB_ID": "1568029", "SLURM_JOB_NODELIST": "worker[2080,5071-5072,5422]",
            "SLURM_JOB_CPUS_PER_NODE": "40,128(x3)", "SLURM_TASKS_PER_NODE": "3(x4)",
        ]
        for (name, value) in changes { variables[name] = value }
        return AllocationFixture(variables, files: files)
    }

    @Test func nodesSlotsAndLabel() throws {
        let plan = try fixture(["SLURM_CPUS_PER_TASK": "5", "SLURM_NTASKS_PER_NODE": "3"]).plan()
        #expect(plan.shape == ["worker2080 3x13", "worker5071 3x42", "worker5072 3x42", "worker5422 3x42"])
        #expect(plan.label == "J1568029" && plan.kind == "slurm" && plan.bindsCores)
        #expect(plan.engines.allSatisfy { $0.nodeKind == .slurm })
        #expect(plan.warnings.isEmpty)
        #expect(plan.reason == "SLURM_JOB_ID is set")
        #expect(plan.notes.first == "job 1568029: 4 nodes, 424 cores")
        #expect(try fixture().plan { $0.label = "mine" }.label == "mine")
    }

    @Test func theEndOfTheAllocation() throws {
        let query = try #require(try fixture().plan().endQuery)
        let words = query.words.joined(separator: " ")
        #expect(words == "env TZ=UTC0 SLURM_TIME_FORMAT=standard squeue -h -j 1568029 -o %e")
        #expect(query.end(in: "2026-11-21T10:02:03\n") == CivilTime("2026-11-21 10:02:03").map { .utc($0) })
        #expect(query.end(in: "squeue: warning: slow\n2026-01-02T00:00:00\n") != nil)
        #expect(query.end(in: "NONE\n") == .never)
        #expect(query.end(in: "UNLIMITED\n") == .never)
        for text in [
            "", "slurm_load_jobs error: Invalid job id specified\n", "2026-13-01T00:00:00", "10:00",
            "99999999999-01-01T00:00:00",
        ] {
            #expect(query.end(in: text) == nil, "\(text)")
        }
    }

    @Test func theCommandOfEachNode() throws {
        let plan = try fixture(["SLURM_CPUS_PER_TASK": "5", "SLURM_NTASKS": "12", "SLURM_HINT": "x"]).plan()
        #expect(
            plan.commands[0] == """
                /bin/env -u SLURM_CPUS_PER_TASK -u SLURM_HINT -u SLURM_NTASKS SLURM_CPU_BIND=none SLURM_MPI_TYPE=none \
                srun --unbuffered --overlap --export=ALL --kill-on-bad-exit=0 --wait=0 \
                -n 1 -N 1 -w worker2080 /opt/engine
                """)
        #expect(plan.commands[3].hasSuffix(" -w worker5422 /opt/engine"))
    }

    @Test(
        arguments: [
            // Of the job; -c, -t, --fill; slots and cores of the first two nodes.
            ([:], nil, nil, false, "3x13 3x42"),
            (["SLURM_TASKS_PER_NODE": "20(x4)"], nil, nil, false, "20x2 20x6"),
            (["SLURM_TASKS_PER_NODE": "20(x4)", "SLURM_CPUS_PER_TASK": "4"], nil, nil, false, "10x4 20x6"),
            (["SLURM_TASKS_PER_NODE": "50(x4)"], nil, nil, false, "40x1 50x2"),
            (["SLURM_TASKS_PER_NODE": "50(x4)"], 0.5, nil, false, "50x1 50x1"),
            ([:], 20, nil, false, "2x20 3x20"), ([:], 2.5, nil, false, "3x2 3x2"),
            ([:], nil, 7, false, "7x5 7x18"), ([:], 2, 7, false, "7x2 7x2"),
            (["SLURM_NTASKS_PER_NODE": "3"], nil, nil, true, "3x13 3x42"),
            ([:], nil, nil, true, "40x1 128x1"), ([:], 16, nil, true, "2x16 8x16"),
            (["SLURM_CPUS_PER_TASK": "5"], nil, nil, true, "8x5 25x5"),
            (["CUDA_VISIBLE_DEVICES": "0"], nil, nil, true, "3x13 3x42"),
        ] as [([String: String], Double?, Int?, Bool, String)])
    func slots(changes: [String: String], perTask: Double?, perNode: Int?, fills: Bool, shape: String) throws {
        let plan = try fixture(changes.mapValues { $0 }).plan {
            $0.coresPerTask = perTask
            $0.tasksPerNode = perNode
            $0.fillsNodes = fills
        }
        let first = plan.shape.prefix(2).map { $0.split(separator: " ")[1] }
        #expect(first.joined(separator: " ") == shape)
    }

    @Test(
        arguments: [
            (["SLURM_CPUS_PER_TASK": "5"], 2, nil, "-c 2.0 differs from the job's 5 (SLURM_CPUS_PER_TASK): -c is used"),
            (
                ["SLURM_NTASKS_PER_NODE": "3"], nil, 2,
                "-t 2 differs from the job's 3 (SLURM_NTASKS_PER_NODE): -t is used"
            ),
            (["GPU_DEVICE_ORDINAL": "0"], nil, nil, "--fill is ignored: the job has GPUs (GPU_DEVICE_ORDINAL is set)"),
            ([:], 64, nil, "worker2080 is not used: it has 40 cores, too few for one task of 64.0 (-c)"),
        ] as [([String: String], Double?, Int?, String)])
    func warnings(changes: [String: String], perTask: Double?, perNode: Int?, text: String) throws {
        let plan = try fixture(changes.mapValues { $0 }).plan {
            $0.coresPerTask = perTask
            $0.tasksPerNode = perNode
            $0.fillsNodes = text.contains("--fill")
        }
        #expect(plan.warnings == [text])
    }

    @Test func agreementIsNoWarning() throws {
        let plan = try fixture(["SLURM_CPUS_PER_TASK": "5", "SLURM_NTASKS_PER_NODE": "3"]).plan {
            $0.coresPerTask = 5
            $0.tasksPerNode = 3
        }
        #expect(plan.warnings.isEmpty)
    }

    @Test(arguments: [
        ("1", "3"), ("a100:2", "a100:6"), ("gpu:2", "6"), ("gres/gpu:v100:1", nil), ("a:1,b:2", "a:3,b:6"),
    ])
    func graphicsOfAllTasks(each: String, all: String?) throws {
        let plan = try fixture(["SLURM_GPUS_PER_TASK": each]).plan()
        let words = plan.commands[0].split(separator: " ").filter { $0.hasPrefix("--gpus=") }
        #expect(words.map { String($0.dropFirst(7)) } == (all.map { [$0] } ?? []))
        #expect(plan.commands[0].contains("-u SLURM_GPUS_PER_TASK "))
    }

    @Test func graphicsOfTheWholeJob() throws {
        var job = fixture(["SLURM_GPUS": "7"])
        job.outputs["scontrol -o -d show job 1568029"] = """
            JobId=1568029 JobName=x NodeList=worker[2080,5071-5072,5422] TRES=cpu=424,gres/gpu=7 JOB_GRES=gpu:7   \
            Nodes=worker2080 CPU_IDs=0-39 Mem=0 GRES=gpu:a100:1(IDX:0),gpu:v100:2(IDX:1,3)   \
            Nodes=worker[5071-5072] CPU_IDs=0-127 Mem=0 GRES=gpu:a100:2(IDX:0-1),nic:1(IDX:0)   \
            Nodes=worker5422 CPU_IDs=0-127 Mem=0 GRES= NtasksPerN:B:S:C=0:0:*:*
            """
        let shares = try job.plan().commands.map { command in
            command.split(separator: " ").first { $0.hasPrefix("--gpus=") }.map(String.init) ?? ""
        }
        #expect(shares == ["--gpus=a100:1,v100:2", "--gpus=a100:2", "--gpus=a100:2", ""])
        job.outputs = [:]
        #expect(job.error().hasPrefix("\"scontrol -o -d show job 1568029\" fails, which tells which node has how many"))
    }

    // MARK: srun's settings

    @Test(arguments: [
        (nil, "none"), ("verbose,cores", "verbose,cores"), ("none", "none"),
        ("quiet,mask_cpu:0x3", "none"),
        ("", "none"),
    ])
    func binding(own: String?, used: String) throws {
        let command = try fixture(["SLURM_CPU_BIND": own]).plan().commands[0]
        #expect(command.contains(" SLURM_CPU_BIND=\(used) "))
        #expect(command.contains(" -c 40 ") == (used != "none"), "what srun binds an engine to is all of the node's")
    }

    @Test func aFileOfSettingsStandsInTheirPlace() throws {
        let text = "SLURM_CPU_BIND=none\n\nSLURM_HINT=nomultithread\nX=a b=c\n"
        let job = fixture(["DISBATCH_SLURM_SRUN_OPTIONS_FILE": "/o", "SLURM_HINT": "x"], files: ["/o": text])
        let plan = try job.plan()
        #expect(plan.commands[0].hasPrefix("/bin/env SLURM_CPU_BIND=none SLURM_HINT=nomultithread X=a b=c srun "))
        #expect(plan.notes.contains("srun's environment: X=a b=c"))
        let missing = fixture(["DISBATCH_SLURM_SRUN_OPTIONS_FILE": "/o"])
        #expect(
            missing.error() == "/o, which DISBATCH_SLURM_SRUN_OPTIONS_FILE names, can't be read: nothing was run")
        let bad = fixture(["DISBATCH_SLURM_SRUN_OPTIONS_FILE": "/o"], files: ["/o": "A=1\n--mem=0\n"])
        #expect(bad.error() == "/o:2: \"--mem=0\" is not NAME=VALUE: nothing was run")
    }

    // MARK: Errors

    @Test(
        arguments: [
            (["SLURM_JOB_NODELIST": nil], "SLURM_NODELIST is not set, as Slurm has it in a job"),
            (["SLURM_JOB_NODELIST": "n[2-1]"], "SLURM_JOB_NODELIST is \"n[2-1]\", no list of nodes"),
            (["SLURM_JOB_CPUS_PER_NODE": nil], "SLURM_JOB_CPUS_PER_NODE is not set, as Slurm has it in a job"),
            (["SLURM_JOB_CPUS_PER_NODE": "4(x"], "SLURM_JOB_CPUS_PER_NODE is \"4(x\", no list of counts"),
            (["SLURM_TASKS_PER_NODE": nil], "SLURM_TASKS_PER_NODE is not set, as Slurm has it in a job"),
            (
                ["SLURM_TASKS_PER_NODE": "3(x3)"],
                "SLURM_TASKS_PER_NODE is \"3(x3)\", for 3 nodes, and the job has 4: nothing was run."
            ),
            (["SLURM_CPUS_PER_TASK": "0"], "SLURM_CPUS_PER_TASK is \"0\", not a number above 0"),
            (["SLURM_NTASKS_PER_NODE": "x"], "SLURM_NTASKS_PER_NODE is \"x\", not a number above 0"),
            (["SLURM_CPUS_PER_TASK": "200"], "no node of job 1568029 has the cores for one task of 200.0 (-c)"),
        ] as [([String: String?], String)])
    func errors(changes: [String: String?], text: String) {
        let error = fixture(changes).error()
        #expect(error.hasPrefix(text), "\(error)")
        #expect(error.contains("nothing was run"))
    }

    // MARK: Steps, arrays, heterogeneous jobs

    /// What srun and salloc set in a step, on one node of the job.
    private static let step = [
        "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_NODELIST": "worker5071",
        "SLURM_TASKS_PER_NODE": "1", "SLURM_CPUS_ON_NODE": "8",
    ]

    @Test func aStepOfOneTaskUsesWhatItHas() throws {
        let plan = try fixture(Self.step).plan()
        #expect(plan.shape == ["worker5071 1x8"])
        #expect(
            plan.warnings == [
                "this is a step of one task, on worker5071: 8 of the job's 424 cores are used; without srun before it, "
                    + "disbatch uses all"
            ])
        #expect(try fixture(Self.step).plan { $0.fillsNodes = true }.shape == ["worker5071 8x1"])
    }

    @Test func theShellThatSallocStartsHasAllOfTheJob() throws {
        let plan = try fixture(Self.step.merging(["SLURM_STEP_ID": "4294967290"]) { $1 }).plan { $0.coresPerTask = 20 }
        #expect(plan.shape == ["worker2080 2x20", "worker5071 6x20", "worker5072 6x20", "worker5422 6x20"])
        #expect(plan.warnings.isEmpty)
    }

    @Test func severalCopiesOfTheDriverAreRefused() {
        let error = fixture(Self.step.merging(["SLURM_STEP_NUM_TASKS": "3"]) { $1 }).error()
        #expect(
            error.hasPrefix("srun started 3 of these, and each would run all tasks: nothing was run.\nWrite \"sbatch"))
    }

    @Test func aMemberOfAnArraySaysWhatItRuns() throws {
        let plan = try fixture(["SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2"]).plan()
        #expect(plan.warnings == ["this is member 2 of the job array 7: each member runs all tasks of its own"])
    }

    @Test func allComponentsOfAHeterogeneousJobAreUsed() throws {
        var variables: [String: String?] = ["SLURM_HET_SIZE": "2"]
        for (name, values) in [
            "SLURM_JOB_NODELIST": ["a", "b[1-2]"], "SLURM_JOB_CPUS_PER_NODE": ["4", "8,2"],
            "SLURM_TASKS_PER_NODE": ["4", "2,1"],
        ] {
            for group in 0...1 { variables["\(name)_HET_GROUP_\(group)"] = values[group] }
        }
        variables["SLURM_CPUS_PER_TASK_HET_GROUP_1"] = "2"
        variables["SLURM_GPUS_PER_TASK_HET_GROUP_1"] = "1"
        let plan = try fixture(variables).plan()
        #expect(plan.shape == ["a 4x1", "b1 2x4", "b2 1x2"])
        #expect(plan.commands[0].contains(" -w a --het-group=0 "))
        #expect(plan.commands[1].contains(" -w b1 --het-group=1 --gpus=2 "))
        #expect(plan.notes.first == "job 1568029: 3 nodes, 14 cores")
    }

    @Test func aNodeWithFewerOfTheTasksHasFewerSlots() throws {
        let plan = try fixture(["SLURM_NTASKS_PER_NODE": "3", "SLURM_TASKS_PER_NODE": "3(x3),1"]).plan()
        #expect(plan.shape.last == "worker5422 1x128")
    }

    @Test func tooManySlots() {
        let error = fixture().error {
            $0.coresPerTask = 1e-300
            $0.fillsNodes = true
        }
        #expect(error == "worker2080: more than 65535 tasks at once are not possible (-c, -t)")
    }

    @Test func tasksOfNodesAreNotAskedForInVain() throws {
        let plan = try fixture(["SLURM_TASKS_PER_NODE": nil]).plan { $0.tasksPerNode = 1 }
        #expect(plan.shape.first == "worker2080 1x40")
    }
}
