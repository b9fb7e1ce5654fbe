import Testing

@testable import DisbatchCore

@Suite("What is known of resource managers")
struct ManagerTraitsTests {
    @Test("only Grid Engine warns by SIGUSR2", arguments: ["slurm", "sge", "pbs", "lsf", "ssh", "local", "gce"])
    func warnings(kind: String) { #expect(ManagerTraits.of(kind: kind).warnsBySIGUSR2 == (kind == "sge")) }

    @Test(
        "only Slurm ends steps and takes nodes back", arguments: ["slurm", "sge", "pbs", "lsf", "ssh", "local", "gce"])
    func steps(kind: String) {
        let traits = ManagerTraits.of(kind: kind)
        #expect((traits.stepControl != nil) == (kind == "slurm"))
        #expect((traits.retirementCommand != nil) == (kind == "slurm"))
    }

    @Test("a step's command gets the job and the step's name as its arguments")
    func stepWords() throws {
        let control = try #require(ManagerTraits.of(kind: "slurm").stepControl)
        let words = control.words(job: "12", step: "disbatch-3")
        #expect(words.prefix(2) == ["/bin/sh", "-c"])
        #expect(words.suffix(3) == ["sh", "12", "disbatch-3"])
        #expect(control.command.hasSuffix("exit \(LostSteps.stillThere)"))
    }

    @Test("kinds that nobody knows have nothing in particular")
    func unknown() {
        let traits = ManagerTraits.of(kind: "other")
        #expect(!traits.warnsBySIGUSR2 && traits.stepControl == nil && traits.retirementCommand == nil)
        #expect(traits.homeDirectory == nil && traits.permanentFailures.isEmpty)
        #expect(!traits.saysOnlyThatItEnded("srun: error: n1: task 0: Exited with exit code 1"))
    }

    @Test(
        "some failures to launch are for good",
        arguments: [
            ("user@h: Permission denied (publickey).", true), ("Host key verification failed.", true),
            ("ssh: Could not resolve hostname h: Name or service not known", false),
            ("srun: error: Unable to create step for job 7: Invalid generic resource (gres) specification", true),
            ("slurmstepd: error: execve(): /no/engine: No such file or directory", true),
            ("ssh: connect to host h port 22: Connection refused", false),
            ("srun: error: Unable to create step for job 7: Job/step already completing or completed", true),
            ("srun: Job 7 step creation temporarily disabled, retrying", false), ("killed by SIGKILL", false),
        ])
    func permanence(message: String, isPermanent: Bool) { #expect(LaunchFailure.isPermanent(message) == isPermanent) }

    @Test(
        "srun says after the reason that its step ended",
        arguments: [
            ("srun: error: n1: task 0: Exited with exit code 1", true), ("srun: Terminating StepId=7.0", true),
            ("srun: launch/slurm: _task_finish: Received task exit", true), ("srun: error: Invalid job id", false),
            ("n1: Exited with exit code 1", false),
        ])
    func lastWords(line: String, isThat: Bool) {
        #expect(LaunchFailure.saysOnlyThatItEnded(Array(line.utf8)[...]) == isThat)
    }
}
