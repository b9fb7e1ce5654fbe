import DisbatchCore
import GoogleAPI

/// Something that the API does, and that takes its time.
struct CloudOperation: Equatable, Sendable {
    var name: String
    var zone: String
    var isDone: Bool
    /// Why it failed, where it did.
    var error: CloudError?
    /// The group that an operation shares with those that it began.
    var group: String?

    init(_ json: JSONValue, zone: String, _ action: String) throws(CloudError) {
        guard let name = json["name"].string, let status = json["status"].string else {
            throw CloudError(.transport, action, "the reply is no operation")
        }
        self.name = name
        self.zone = zone
        isDone = status == "DONE"
        group = json["operationGroupId"].string
        error = isDone ? CloudError(operation: json, action) : nil
    }
}

/// An instance, as the API tells of it.
struct CloudInstance: Equatable, Sendable {
    var name: String
    var zone: String
    /// PROVISIONING, STAGING, RUNNING, STOPPING, SUSPENDING, SUSPENDED, REPAIRING or TERMINATED.
    var status: String
    var machineType: String
    var model: ProvisioningModel
    var labels: [String: String]
    /// As RFC 3339 has times: `2026-01-02T03:04:05.678-07:00`.
    var created: String
    var lastStarted: String?
    var lastStopped: String?
    var internalAddress: String?
    var externalAddress: String?
    /// Items of its metadata, in their order.
    var metadata: [JSONValue.Member]
    var metadataFingerprint: JSONValue
    var labelFingerprint: JSONValue

    init?(_ json: JSONValue) {
        guard let name = json["name"].string, let status = json["status"].string,
            let zone = Self.lastPart(json["zone"])
        else { return nil }
        self.name = name
        self.zone = zone
        self.status = status
        machineType = Self.lastPart(json["machineType"]) ?? ""
        let scheduling = json["scheduling"]
        model = scheduling["provisioningModel"] == "SPOT" || scheduling["preemptible"].isTrue ? .spot : .standard
        labels = json["labels"].texts
        created = json["creationTimestamp"].string ?? ""
        lastStarted = json["lastStartTimestamp"].string
        lastStopped = json["lastStopTimestamp"].string
        metadata = json["metadata"]["items"].elements.compactMap { item in
            item["key"].string.map { .init($0, .string(item["value"].string ?? "")) }
        }
        metadataFingerprint = json["metadata"]["fingerprint"]
        labelFingerprint = json["labelFingerprint"]
        let interface = json["networkInterfaces"].elements.first ?? .null
        internalAddress = interface["networkIP"].string
        externalAddress = interface["accessConfigs"].elements.lazy.compactMap { $0["natIP"].string }.first
    }

    /// The run that has it; nil for none, or where it was never to be in a pool.
    var owner: String? { metadata.first { $0.key == CloudMetadata.owner }?.value.string }

    var isRunning: Bool { status == "RUNNING" }

    /// Whether it will not run again by itself: one that is being stopped, or is.
    var isEnding: Bool { ["STOPPING", "SUSPENDING", "SUSPENDED", "TERMINATED"].contains(status) }

    /// The name at the end of an address.
    static func lastPart(_ json: JSONValue) -> String? { json.string?.split(separator: "/").last.map(String.init) }
}

/// A kind of machine.
struct MachineType: Equatable, Sendable {
    var name: String
    /// Virtual processors.
    var cores: Int
    var memoryMebibytes: Int
    var isSharedCore: Bool

    init?(_ json: JSONValue) {
        guard let name = json["name"].string, let cores = json["guestCpus"].integer else { return nil }
        self.name = name
        self.cores = Int(clamping: cores)
        memoryMebibytes = Int(clamping: json["memoryMb"].integer ?? 0)
        isSharedCore = json["isSharedCpu"].isTrue
    }
}

/// An image of a boot disk.
struct CloudImage: Equatable, Sendable {
    var name: String
    var family: String?
    var status: String
    var diskGigabytes: Int
    var architecture: String?

    init?(_ json: JSONValue) {
        guard let name = json["name"].string else { return nil }
        self.name = name
        family = json["family"].string
        status = json["status"].string ?? "READY"
        diskGigabytes = Int(clamping: json["diskSizeGb"].integer ?? 0)
        architecture = json["architecture"].string
    }
}

/// How much of something a project may have in a region, or in all.
struct CloudQuota: Equatable, Sendable {
    /// `CPUS`, `PREEMPTIBLE_CPUS`, `N2_CPUS`, `IN_USE_ADDRESSES`, `SSD_TOTAL_GB`...
    var metric: String
    var limit: Double
    var usage: Double

    init?(_ json: JSONValue) {
        guard let metric = json["metric"].string, let limit = json["limit"].double else { return nil }
        self.metric = metric
        self.limit = limit
        usage = json["usage"].double ?? 0
    }

    static func all(_ json: JSONValue) -> [CloudQuota] { json["quotas"].elements.compactMap { CloudQuota($0) } }
}
