extension AllocationEndQuery {
    /// The question to Slurm. (The user's variables may have times in another form, or of another place than the
    /// driver's.)
    static func slurm(job: String) -> AllocationEndQuery {
        AllocationEndQuery(words: [
            "env", "TZ=UTC0", "SLURM_TIME_FORMAT=standard", "squeue", "-h", "-j", job, "-o", "%e",
        ])
    }

    static func slurmEnd(in text: String) -> AllocationEnd? {
        // A warning may stand before it.
        for line in text.split(whereSeparator: \.isNewline).reversed() {
            let word = line.drop { $0 == " " }
            if word.hasPrefix("NONE") || word.hasPrefix("UNLIMITED") || word.hasPrefix("N/A") { return .never }
            if let time = CivilTime(word) { return .utc(time) }
        }
        return nil
    }
}
