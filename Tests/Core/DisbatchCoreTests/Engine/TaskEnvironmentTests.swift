import Testing

@testable import DisbatchCore

struct TaskEnvironmentTests {
    /// A user's environment on the driver's machine.
    static let driver = [
        "PATH=/usr/bin:/bin", "HOME=/home/u", "USER=u", "LANG=C.UTF-8", "PWD=/data", "OLDPWD=/", "SHLVL=1",
        "SSH_CONNECTION=1 2 3 4", "DISPLAY=:0", "TMPDIR=/tmp/u", "HOSTNAME=login", "SLURM_JOB_ID=7",
        "SLURM_NODEID=0", "SLURMD_NODENAME=n1", "CUDA_VISIBLE_DEVICES=0,1", "DISBATCH_TASKID=5",
        "DISBATCH_SSH_NODELIST=a:1", "DISBATCH_GUARD=1.2", "QUEUE=all.q", "LANG=de_DE", "no equals sign", "=x",
        "EMPTY=",
        "_=/usr/bin/disbatch", "BASH_FUNC_f%%=() { :; }",
    ]

    /// The engine's own, on its node.
    static let node = [
        "PATH=/sbin", "HOME=/root", "USER=root", "TMPDIR=/scratch/1", "HOSTNAME=n2", "SLURM_NODEID=1",
        "SLURMD_NODENAME=n2", "CUDA_VISIBLE_DEVICES=3", "GPU_DEVICE_ORDINAL=3", "SHELL=/bin/zsh", "QUEUE=fast.q",
        "OTHER=1", "SGE_TASK_ID=undefined",
    ]

    static let extra = ["LANG=C", "NEW=a=b", "HOME=/h", "DISBATCH_TASKID=9", "=bad", "bad"]

    private static func make(_ kind: NodeKind) -> [String] {
        func bytes(_ list: [String]) -> [[UInt8]] { list.map { Array($0.utf8) } }
        return TaskEnvironment.make(driver: bytes(driver), node: bytes(node), kind: kind, extra: bytes(extra))
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// On the driver's machine it is the driver's, but for what is of another run.
    @Test func local() {
        #expect(
            Self.make(.local) == [
                "PATH=/usr/bin:/bin", "HOME=/h", "USER=u", "LANG=C", "PWD=/data", "OLDPWD=/", "SHLVL=1",
                "SSH_CONNECTION=1 2 3 4", "DISPLAY=:0", "TMPDIR=/tmp/u", "HOSTNAME=login", "SLURM_JOB_ID=7",
                "SLURM_NODEID=0", "SLURMD_NODENAME=n1", "CUDA_VISIBLE_DEVICES=0,1", "DISBATCH_SSH_NODELIST=a:1",
                "QUEUE=all.q", "EMPTY=", "_=/usr/bin/disbatch", "BASH_FUNC_f%%=() { :; }", "NEW=a=b",
            ])
    }

    /// A container has programs of its own, where its image says.
    @Test func container() {
        func bytes(_ list: [String]) -> [[UInt8]] { list.map { Array($0.utf8) } }
        let driver = bytes(["PATH=/home/u/bin:/bin", "HOME=/home/u", "LANG=C.UTF-8", "CONDA=/home/u/conda", "SHLVL=2"])
        let image = bytes([
            "PATH=/opt/conda/bin:/bin", "CONDA=/opt/conda", "HOME=/home/disbatch", "XDG_CACHE_HOME=/tmp", "PWD=/",
            "DISBATCH_GUARD=1.2",
        ])
        let mark = bytes(["DISBATCH_CONTAINER=1"])
        func make(_ node: [[UInt8]]) -> [String] {
            TaskEnvironment.make(driver: driver, node: node, kind: .ssh, extra: [])
                .map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(
            Set(make(image + mark)) == [
                "PATH=/opt/conda/bin:/bin", "CONDA=/opt/conda", "HOME=/home/disbatch", "LANG=C.UTF-8",
            ])
        #expect(
            Set(make(image)) == [
                "PATH=/home/u/bin:/bin", "CONDA=/home/u/conda", "HOME=/home/disbatch", "LANG=C.UTF-8",
            ])
    }

    /// The login's own on the other host stays: who and where one is there.
    @Test func ssh() {
        #expect(
            Self.make(.ssh) == [
                "PATH=/usr/bin:/bin", "LANG=C", "SLURM_JOB_ID=7", "SLURM_NODEID=0", "SLURMD_NODENAME=n1",
                "CUDA_VISIBLE_DEVICES=0,1", "DISBATCH_SSH_NODELIST=a:1", "QUEUE=all.q", "EMPTY=",
                "BASH_FUNC_f%%=() { :; }", "HOME=/h", "USER=root", "TMPDIR=/scratch/1", "HOSTNAME=n2",
                "SHELL=/bin/zsh", "NEW=a=b",
            ])
    }

    /// The step's own variables tell the node and its devices.
    @Test func slurm() {
        #expect(
            Self.make(.slurm) == [
                "PATH=/usr/bin:/bin", "HOME=/h", "USER=u", "LANG=C", "SLURM_JOB_ID=7", "DISBATCH_SSH_NODELIST=a:1",
                "QUEUE=all.q", "EMPTY=", "BASH_FUNC_f%%=() { :; }", "TMPDIR=/scratch/1", "HOSTNAME=n2",
                "SLURM_NODEID=1", "SLURMD_NODENAME=n2", "CUDA_VISIBLE_DEVICES=3", "GPU_DEVICE_ORDINAL=3", "NEW=a=b",
            ])
    }

    @Test func gridEngine() {
        #expect(
            Self.make(.gridEngine) == [
                "PATH=/usr/bin:/bin", "HOME=/h", "USER=u", "LANG=C", "SLURM_JOB_ID=7", "SLURM_NODEID=0",
                "SLURMD_NODENAME=n1", "CUDA_VISIBLE_DEVICES=0,1", "DISBATCH_SSH_NODELIST=a:1", "EMPTY=",
                "BASH_FUNC_f%%=() { :; }", "TMPDIR=/scratch/1", "HOSTNAME=n2", "QUEUE=fast.q",
                "SGE_TASK_ID=undefined", "NEW=a=b",
            ])
    }

    @Test func bytesThatAreNoTextStay() {
        let odd: [UInt8] = [0xff, 0x3d, 0xc3, 0x28]
        #expect(TaskEnvironment.make(driver: [odd], node: [], kind: .local, extra: []) == [odd])
    }

    @Test func valueIsTheLastOfAName() {
        let environment = ["A=1", "AB=2", "A=3=4", "B"].map { Array($0.utf8) }
        #expect(TaskEnvironment.value(of: "A", in: environment) == Array("3=4".utf8))
        #expect(TaskEnvironment.value(of: "B", in: environment) == nil)
        #expect(TaskEnvironment.value(of: "", in: environment) == nil)
    }
}
