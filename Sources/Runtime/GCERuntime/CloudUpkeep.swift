import DisbatchCore
import EngineHosting
import GoogleAPI
import LinuxSystem
import RunClient

/// Actions on machines of Google's that need no run.
enum CloudUpkeep {
    /// `--gce-check`.
    ///
    /// - Returns: 0 where all is well, else 1.
    static func examine(_ setup: CloudSetup) throws -> Int32 {
        let checks = CloudCheck.all(
            try setup.client(), settings: setup.settings, zones: setup.zones, count: setup.limit, model: setup.model)
        for check in checks {
            var line = "\(check.isGood ? "good" : "BAD ")  \(check.subject): \(check.finding)\n"
            if !check.isGood, let remedy = check.remedy { line += "      mend it: \(remedy)\n" }
            StandardStream.output.write(line)
        }
        if setup.zones.isEmpty {
            StandardStream.output.line("BAD   zone: none is given\n      mend it: gcloud config set compute/zone ZONE")
        }
        return checks.allSatisfy(\.isGood) && !setup.zones.isEmpty ? 0 : 1
    }

    /// `--gce-list`: a line each, of all runs.
    static func list(_ setup: CloudSetup) throws {
        let found = try setup.client().instances(labels: [CloudLabel.run: nil])
        var rows = [["RUN", "NAME", "ZONE", "STATUS", "MACHINE", "MODEL", "CREATED"]]
        for instance in found {
            rows.append([
                instance.labels[CloudLabel.run] ?? "", instance.name, instance.zone, instance.status,
                instance.machineType, instance.model.rawValue, instance.created,
            ])
        }
        let lines = Columns.aligned(rows, rightAligned: [])
        StandardStream.output.line(found.isEmpty ? "no machines" : lines.joined(separator: "\n"))
    }

    /// `--gce-cleanup`: deletes the machines of a run, or of all runs.
    ///
    /// - Returns: 0 where all are gone, else 1.
    static func cleanUp(_ setup: CloudSetup, run: String?) throws -> Int32 {
        let client = try setup.client()
        let found = try client.instances(labels: [CloudLabel.run: run])
        var operations: [(String, CloudOperation)] = []
        var failures = 0
        func attempt(_ name: String, _ body: () throws(CloudError) -> Void) {
            do throws(CloudError) { try body() } catch {
                failures += 1
                StandardStream.error.line("\(name): \(error)")
            }
        }
        for instance in found {
            attempt(instance.name) { () throws(CloudError) in
                if let operation = try client.delete(instance: instance.name, zone: instance.zone) {
                    operations.append((instance.name, operation))
                }
            }
        }
        for (name, operation) in operations {
            attempt(name) { () throws(CloudError) in
                try client.wait(for: operation, until: .now + .seconds(600))
                StandardStream.output.line("deleted \(name)")
            }
        }
        if found.isEmpty { StandardStream.output.line("no machines") }
        return failures == 0 ? 0 : 1
    }
}
