extension SlurmContext {
    /// Nodes can be given back, and the step of an engine whose srun is gone can be ended.
    static let traits: ManagerTraits = {
        var traits = ManagerTraits()
        traits.stepControl = StepControl(
            command: """
                steps=$(squeue -h -s -j "$1" -o '%i %j') || exit 1
                step=$(printf '%s\\n' "$steps" | sed -n "s/^ *\\([^ ]*\\) $2 *$/\\1/p")
                [ -n "$step" ] || exit 0
                scancel "$step"; exit 4
                """)
        // It leaves scripts in its working directory. A node where another run, or any step, is at work stays; that of
        // "extern" is on each. Components of a heterogeneous job can't be made smaller.
        traits.retirementCommand = """
            [ -z "$SLURM_HET_SIZE" ] || exit 0
            steps=$(squeue -h -s -j "$SLURM_JOB_ID" -o '%j %N') || exit
            others=$(printf '%s\\n' "$steps" | grep -v -e "^$STEP_PREFIX-" -e '^extern ' | sed 's/.* //' | paste -sd, -)
            dir=$(mktemp -d) && cd "$dir" || exit
            scontrol update JobId="$SLURM_JOB_ID" NodeList="${DRIVER_NODE:+$DRIVER_NODE,}$ACTIVE${others:+,$others}"
            status=$?; cd / && rm -r "$dir"; exit $status
            """
        traits.permanentFailures = [
            "execve(): ", "Invalid generic resource", "Invalid job id", "Expired or invalid job",
            "Requested node configuration is not available", "Job/step already completing or completed",
            "Invalid node name", "CPU count",
        ]
        traits.saysOnlyThatItEnded = { line in
            line.hasPrefix("srun: ")
                && [": Exited with exit code", "Terminating StepId", "launch/slurm: ", "Job step aborted"]
                    .contains { line.contains($0) }
        }
        return traits
    }()
}
