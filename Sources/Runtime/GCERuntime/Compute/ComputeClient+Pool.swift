import DisbatchCore
import GoogleAPI
import LinuxSystem

/// A run, as the machines of its pool know it.
struct PoolMember: Equatable, Sendable {
    var pool: String
    /// ``InstanceSettings/hash``
    var settings: String
    /// The run's label, which no other run has.
    var run: String
    /// ``InstanceRequest/keyLine``
    var keyLine: String
    /// How long an instance lives without an engine, while a run has it and while none has.
    var lifeWithoutEngine: Duration
    var lifeInPool: Duration

    init(_ request: InstanceRequest, pool: String) {
        self.pool = pool
        settings = request.settings.hash
        run = CloudNames.labelValue(request.run)
        keyLine = request.keyLine
        lifeWithoutEngine = request.settings.lifeWithoutEngine
        lifeInPool = request.settings.lifeInPool
    }
}

/// Instances that one run after the other has.
///
/// An instance belongs to the run that stands as ``CloudMetadata/owner`` in its metadata. Nobody takes it while anyone
/// stands there, alive or not, and of several who enter themselves at once the fingerprint lets one. The label of the
/// run is changed while the instance has an owner: what has a run's label has no other owner.
extension ComputeClient {
    private static var changeLimit: Duration { .seconds(60) }

    /// The instances of the pool that no run has, sorted by name: those that run may be taken.
    func instances(leftTo member: PoolMember) throws(CloudError) -> [CloudInstance] {
        try instances(labels: [CloudLabel.pool: member.pool, CloudLabel.settings: member.settings])
            .filter { $0.owner == nil }
    }

    /// Takes an instance for a run, which may log in to it then.
    ///
    /// - Returns: nil where it is another's, or gone.
    /// - Throws: where it may be the run's: ``release(_:zone:by:)`` is to follow.
    func claim(
        _ name: String, zone: String, for member: PoolMember
    ) throws(CloudError) -> CloudInstance? {
        guard let free = try instance(name, zone: zone), free.isRunning, free.owner == nil,
            free.labels[CloudLabel.pool] == member.pool, free.labels[CloudLabel.settings] == member.settings
        else { return nil }
        let keys = free.metadata.first { $0.key == CloudMetadata.keys }?.value.string.map { [$0] } ?? []
        do throws(CloudError) {
            try change(
                free,
                [
                    CloudMetadata.keys: (keys + [member.keyLine]).joined(separator: "\n"),
                    CloudMetadata.owner: member.run,
                    CloudMetadata.grace: String(member.lifeWithoutEngine.components.seconds),
                ])
        } catch {
            // Whose it is now is looked at, whatever went wrong.
            guard error.kind == .conflict || error.kind == .notFound else { throw error }
        }
        guard let own = try instance(name, zone: zone), own.isRunning, own.owner == member.run else { return nil }
        try label(own, run: member.run)
        return own
    }

    /// Leaves an instance to its pool; nothing is done where it is another's.
    func release(_ name: String, zone: String, by member: PoolMember) throws(CloudError) {
        guard let own = try instance(name, zone: zone), own.owner == member.run else { return }
        try label(own, run: CloudLabel.idle(pool: member.pool))
        let keys = own.metadata.first { $0.key == CloudMetadata.keys }?.value.string ?? ""
        let others = keys.split(separator: "\n").filter { $0 != member.keyLine }
        try change(
            own,
            [
                CloudMetadata.keys: others.isEmpty ? nil : others.joined(separator: "\n"),
                CloudMetadata.owner: nil, CloudMetadata.grace: String(member.lifeInPool.components.seconds),
            ])
    }

    /// Changes items of the metadata, if nobody has changed any since the instance was looked at: then this is a
    /// conflict.
    ///
    /// - Parameter items: new values; nil for what goes.
    private func change(_ instance: CloudInstance, _ items: [String: String?]) throws(CloudError) {
        let action = "change the metadata of \(instance.name)"
        let kept = instance.metadata.filter { items[$0.key] == nil }.map { ($0.key, $0.value) }
        let new = items.sorted { $0.key < $1.key }.compactMap { key, value in value.map { (key, JSONValue.string($0)) }
        }
        let body: JSONValue = [
            "fingerprint": instance.metadataFingerprint,
            "items": .array((kept + new).map { ["key": .string($0.0), "value": $0.1] }),
        ]
        try post("setMetadata", body, instance, action)
    }

    /// Says in the label of an instance whose it is.
    private func label(_ instance: CloudInstance, run: String) throws(CloudError) {
        var labels = instance.labels
        labels[CloudLabel.run] = run
        let body: JSONValue = [
            "labelFingerprint": instance.labelFingerprint,
            "labels": .object(labels.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }),
        ]
        try post("setLabels", body, instance, "label \(instance.name)")
    }

    private func post(
        _ verb: String, _ body: JSONValue, _ instance: CloudInstance, _ action: String
    ) throws(CloudError) {
        var call = Call(method: "POST", path: "zones/\(instance.zone)/instances/\(instance.name)/\(verb)")
        call.query = [("requestId", RequestID().text)]
        call.body = body.text()
        let operation = try CloudOperation(perform(call, action), zone: instance.zone, action)
        try wait(for: operation, until: .now + Self.changeLimit)
    }
}
