import Foundation
import TestSupport

@testable import EndToEndSupport

/// Starts disbatch in allocations of the tests' Slurm.
enum SlurmJobs {
    /// Puts our programs into `bin`, as installed.
    static func prepare(_ box: Sandbox) throws {
        guard !box.exists("bin/disbatch") else { return }
        try box.makeDirectory("bin")
        try box.writeProgram("bin/disbatch", "#!/bin/sh\nexec '\(BuildDirectory.path)/disbatch' \"$@\"\n")
    }

    /// What a job of Slurm and its commands need here.
    static func environment(_ box: Sandbox) throws -> [String: String?] {
        try prepare(box)
        let cluster = try SlurmCluster.shared()
        box.cluster = cluster
        return [
            "SLURM_CONF": cluster.configuration, "PATH": box.at("bin") + ":/usr/bin:/bin",
            "HOSTNAME": "submit", "CALLER": "me",
        ]
    }

    /// `salloc ALLOCATION disbatch -p run OPTIONS tasks.txt`, started.
    static func start(
        _ text: String?, _ allocation: [String], _ options: [String] = [], in box: Sandbox
    ) throws -> RunningProgram {
        if let text { try box.write("tasks.txt", text) }
        return try box.start(
            ["-Q"] + allocation + ["disbatch", "-p", "run"] + options + ["tasks.txt"], program: "/usr/bin/salloc",
            environment: environment(box))
    }

    static func run(
        _ text: String?, _ allocation: [String], _ options: [String] = [], in box: Sandbox
    ) throws -> ProgramResult {
        try start(text, allocation, options, in: box).wait(within: 60)
    }
}
