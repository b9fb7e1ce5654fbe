import DisbatchCore
import GoogleAPI
import LinuxSystem

/// Instances that are asked for at once.
extension CloudWorkers {
    /// Makes instances, and has each watched as soon as it runs.
    ///
    /// What is asked for here comes to be at any time until the operation has ended, so that a deletion before would be
    /// answered by "not found": the end of the making is no end of this, and instances are told of as they come.
    func insertBulk(_ names: [String], _ zone: String, _ body: JSONValue) {
        var missing = Set(names)
        var hasBegun = false
        do throws(CloudError) {
            guard !inserting.isCancelled else { throw CloudError(.cancelled, "make instances in \(zone)", "given up") }
            let client = try service.client(everything)
            let begun = try client.bulkInsert(body, count: names.count, zone: zone)
            hasBegun = true
            let ended = try follow(begun, client, &missing)
            guard !missing.isEmpty else { return }
            try tellReasons(ended, client, names.filter(missing.contains))
        } catch {
            // Once it has begun, instances may be there whatever went wrong with looking.
            let kind = hasBegun && !error.kind.isAmbiguous ? .transport : error.kind
            tell(.bulkFailed(names.filter(missing.contains), kind, error.description, isRefused: !hasBegun))
        }
    }

    /// Waits for the end of the operation, and tells of the instances that run, and at the end of those that are there.
    private func follow(
        _ begun: CloudOperation, _ client: ComputeClient, _ missing: inout Set<String>
    ) throws(CloudError) -> CloudOperation {
        let deadline = MonotonicTime.now + Self.startLimit
        var operation = begun
        var pause = Duration.milliseconds(250)
        while true {
            do throws(CloudError) {
                if !operation.isDone { operation = try client.operation(begun.name, zone: begun.zone) }
                // Listed after the look at the operation: when that has ended, all are there.
                for instance in try client.instances(labels: [CloudLabel.run: service.run], zone: begun.zone)
                where missing.contains(instance.name) && !instance.isEnding
                    && (operation.isDone || instance.isRunning)
                {
                    missing.remove(instance.name)
                    tell(.accepted(instance.name))
                    submit(.awaitLogin(name: instance.name, zone: begun.zone))
                }
                if operation.isDone { return operation }
            } catch {
                guard error.kind.isPassing, MonotonicTime.now < deadline else { throw error }
            }
            let action = "make instances in \(begun.zone)"
            guard MonotonicTime.now < deadline else {
                throw CloudError(.transport, action, "they are not there in time")
            }
            guard everything.wait(pause) else { throw CloudError(.cancelled, action, "given up") }
            pause = min(pause * 2, .seconds(4))
        }
    }

    /// Tells why instances are not there, reason by reason.
    private func tellReasons(
        _ ended: CloudOperation, _ client: ComputeClient, _ missing: [String]
    ) throws(CloudError) {
        let failures = try client.failures(of: ended)
        let action = "make instances in \(ended.zone)"
        // Where one failed, others may be given up with words that tell nothing.
        let telling = failures.keys.sorted().compactMap { failures[$0] }.first { !$0.kind.isAmbiguous }
        let common = telling ?? ended.error ?? CloudError(.server, action, "the service gave no reason")
        var groups: [CloudErrorKind: (names: [String], error: CloudError)] = [:]
        for name in missing {
            let own = failures[name] ?? common
            let reason = own.kind == .conflict ? common : own
            groups[reason.kind, default: ([], reason)].names.append(name)
        }
        let isRefused = failures.isEmpty && ended.error != nil
        for (kind, group) in groups.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            tell(.bulkFailed(group.names, kind, group.error.description, isRefused: isRefused))
        }
    }
}
