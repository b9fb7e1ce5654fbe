import DisbatchCore

/// The requests that make a run's instances.
struct InstanceRequest: Equatable, Sendable {
    var settings: InstanceSettings
    /// The run's name, as a label has it.
    var run: String
    /// The public half of the run's key, as authorized_keys has it: `ssh-ed25519 AAAA...`.
    var publicKey: String

    init(settings: InstanceSettings, run: String, publicKey: String) {
        self.settings = settings
        self.run = run
        self.publicKey = publicKey
    }

    /// The body of instances.insert, keys always in the same order.
    func body(name: String, zone: String, model: ProvisioningModel) -> JSONValue {
        object([("name", .string(name))] + properties(zone, model) { "zones/\(zone)/\($0)/\($1)" })
    }

    /// The body of instances.bulkInsert: instances alike but for their names, as many of them as there is room for.
    func bulkBody(names: [String], zone: String, model: ProvisioningModel) -> JSONValue {
        // Types are bare names here: the zone is that of the request.
        [
            "count": .string(String(names.count)), "minCount": "1",
            "perInstanceProperties": .object(names.map { .init($0, .object([])) }),
            "instanceProperties": object(properties(zone, model) { $1 }),
        ]
    }

    /// The properties that all instances of a zone share.
    ///
    /// - Parameter type: the address of a type, of its collection and its name.
    private func properties(
        _ zone: String, _ model: ProvisioningModel, _ type: (_ collection: String, _ name: String) -> String
    ) -> [(String, JSONValue?)] {
        [
            ("machineType", .string(type("machineTypes", settings.machineType))),
            ("labels", .object(labels.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })),
            ("tags", settings.tags.isEmpty ? nil : ["items": .array(settings.tags.map { .string($0) })]),
            ("disks", .array([bootDisk(type)] + localSSDs(type))),
            ("networkInterfaces", [networkInterface(zone)]),
            ("serviceAccounts", serviceAccounts),
            ("guestAccelerators", accelerators(type)),
            ("scheduling", scheduling(model)),
            ("metadata", ["items": .array(metadata.map { ["key": .string($0.0), "value": .string($0.1)] })]),
        ]
    }

    /// The labels of every instance.
    var labels: [String: String] {
        var labels = settings.labels
        labels[CloudLabel.run] = CloudNames.labelValue(run)
        if let pool = settings.pool {
            labels[CloudLabel.pool] = pool
            labels[CloudLabel.settings] = settings.hash
        }
        return labels
    }

    /// The key as `ssh-keys` in the metadata has it.
    var keyLine: String { "\(settings.user):\(publicKey) \(settings.user)" }

    /// An object of what is there.
    private func object(_ pairs: [(String, JSONValue?)]) -> JSONValue {
        .object(pairs.compactMap { key, value in value.map { .init(key, $0) } })
    }

    private func bootDisk(_ type: (String, String) -> String) -> JSONValue {
        [
            "boot": true, "autoDelete": true,
            "initializeParams": object([
                ("sourceImage", .string(settings.imagePath)),
                ("diskSizeGb", settings.diskGigabytes.map { .string(String($0)) }),
                ("diskType", .string(type("diskTypes", settings.diskType))),
            ]),
        ]
    }

    private func localSSDs(_ type: (String, String) -> String) -> [JSONValue] {
        let disk: JSONValue = [
            "type": "SCRATCH", "autoDelete": true, "interface": "NVME",
            "initializeParams": ["diskType": .string(type("diskTypes", "local-ssd"))],
        ]
        return Array(repeating: disk, count: settings.localSSDs)
    }

    /// A subnetwork without a place is one of the zone's region.
    private func networkInterface(_ zone: String) -> JSONValue {
        let network = settings.network ?? (settings.subnetwork == nil ? "default" : nil)
        let region = CloudNames.region(ofZone: zone)
        return object([
            ("network", network.map { .string($0.contains("/") ? $0 : "global/networks/\($0)") }),
            (
                "subnetwork",
                settings.subnetwork.map { .string($0.contains("/") ? $0 : "regions/\(region)/subnetworks/\($0)") }
            ),
            (
                "accessConfigs",
                settings.hasExternalAddress ? [["type": "ONE_TO_ONE_NAT", "name": "External NAT"]] : nil
            ),
        ])
    }

    private var serviceAccounts: JSONValue? {
        settings.serviceAccount.map {
            [["email": .string($0), "scopes": .array(settings.usedScopes.map { .string($0) })]]
        }
    }

    private func accelerators(_ type: (String, String) -> String) -> JSONValue? {
        guard !settings.gpus.isEmpty else { return nil }
        return .array(
            settings.gpus.map { gpu in
                [
                    "acceleratorType": .string(type("acceleratorTypes", gpu.type)),
                    "acceleratorCount": .integer(Int64(gpu.count)),
                ]
            })
    }

    /// An instance is never started again: what ran on it is run elsewhere by then.
    private func scheduling(_ model: ProvisioningModel) -> JSONValue {
        object([
            ("provisioningModel", .string(model.rawValue)),
            ("instanceTerminationAction", "DELETE"),
            ("automaticRestart", false),
            ("onHostMaintenance", model == .spot || !settings.gpus.isEmpty ? "TERMINATE" : nil),
            ("maxRunDuration", ["seconds": .string(String(settings.longestLife.components.seconds))]),
        ])
    }

    /// The start-up script asks for what begins with `disbatch-`.
    private var metadata: [(String, String)] {
        var items = [
            ("ssh-keys", keyLine), ("block-project-ssh-keys", "TRUE"),
            ("enable-oslogin", "FALSE"), ("enable-guest-attributes", "TRUE"),
            ("disbatch-user", settings.user),
            (CloudMetadata.grace, String(settings.lifeWithoutEngine.components.seconds)),
        ]
        if settings.pool != nil { items.append((CloudMetadata.owner, CloudNames.labelValue(run))) }
        if let endpoint = settings.endpoint { items.append(("disbatch-endpoint", endpoint)) }
        if let container = settings.container { items.append(("disbatch-container", container)) }
        return items + [("startup-script", StartupScript.text)]
    }
}

/// Items of an instance's metadata that change while it lives.
enum CloudMetadata {
    /// The label of the run that has the instance; not there while it is left to its pool.
    static let owner = "disbatch-owner"
    /// How many seconds it lives without an engine.
    static let grace = "disbatch-grace"
    /// The users that may log in, with their keys.
    static let keys = "ssh-keys"
}
