import DisbatchCore

/// Whether an instance may be taken back by Google at any time, for a lower price.
enum ProvisioningModel: String, Equatable, Hashable, Sendable {
    case spot = "SPOT"
    case standard = "STANDARD"
}

/// Settings of instances, whichever zone they are made in.
struct InstanceSettings: Equatable, Sendable {
    /// GPUs of one type.
    struct GPU: Equatable, Sendable {
        var type: String
        var count: Int
    }

    var project: String
    var machineType: String
    /// An image, or a family of them: `projects/P/global/images/family/F`. What has no slash is a family of Debian's
    /// project.
    var image = "projects/debian-cloud/global/images/family/debian-12"
    var diskGigabytes: Int?
    var diskType = "pd-balanced"
    /// Local SSDs of 375 GB each.
    var localSSDs = 0
    var gpus: [GPU] = []
    var network: String?
    var subnetwork: String?
    /// False: the instance has an internal address alone, and reaches others only where the network lets it.
    var hasExternalAddress = true
    /// Nil: it has no service account, and so no access to any API.
    var serviceAccount: String?
    /// The scopes of the service account; nil for the least that the image and the instance's own end need.
    var scopes: [String]?
    var tags: [String] = []
    var labels: [String: String] = [:]
    /// How long it lives at most; Google deletes it then. 30 seconds to 120 days.
    var longestLife: Duration = .seconds(86_400)
    /// How long it lives without an engine, until it deletes itself.
    var lifeWithoutEngine: Duration = .seconds(600)
    /// The same while it is left to its pool.
    var lifeInPool: Duration = .seconds(60)
    /// A container image that it pulls. Engines then run in it: the remote command is that of
    /// ``containerCommand(home:)``.
    var container: String?
    /// The account that engines run as.
    var user = "disbatch"
    var pool: String?
    /// Where the instance finds the API, to delete itself, where that is not Google's: without a slash at the end.
    var endpoint: String?

    init(project: String, machineType: String) {
        self.project = project
        self.machineType = machineType
    }

    /// The faults of the settings; empty where there are none.
    var faults: [String] {
        var faults: [String] = []
        func check(_ holds: Bool, _ fault: @autoclosure () -> String) { if !holds { faults.append(fault()) } }
        check(!project.isEmpty, "no project is given: use `project` in section [gce], or gcloud config set project")
        check(project.isEmpty || CloudNames.isPathPart(project), "project \(project): no name of a project")
        check(CloudNames.isName(machineType) || machineType.hasPrefix("custom-"), "\(machineType): no machine type")
        check((diskGigabytes ?? 10) >= 10 && (diskGigabytes ?? 10) <= 65_536, "a disk has 10 to 65536 GB")
        check((0...24).contains(localSSDs), "an instance has at most 24 local SSDs")
        check(gpus.allSatisfy { CloudNames.isName($0.type) && $0.count > 0 }, "GPUs are given as TYPE:COUNT")
        check(
            longestLife >= .seconds(30) && longestLife <= .seconds(120 * 86_400),
            "an instance lives 30 seconds to 120 days")
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            check(
                CloudNames.isLabelKey(key) && CloudNames.isLabelValue(value),
                "label \(key)=\(value): small letters, digits, - and _, 63 at most, a letter first")
            check(
                !key.hasPrefix("disbatch-"),
                "label \(key)=\(value): those that begin with disbatch- are the run's own")
        }
        check(tags.allSatisfy(CloudNames.isName), "a tag has small letters, digits and -, and begins with a letter")
        check(
            pool.map { !$0.isEmpty && CloudNames.isLabelValue($0) } ?? true,
            "a pool's name has small letters, digits, - and _")
        check(container.map(Self.isContainerName) ?? true, "\(container ?? ""): no name of a container image")
        return faults
    }

    /// Letters that a shell takes as they are.
    private static func isContainerName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix("-") && ShellWord.quoted(name) == name
    }

    /// The mark of instances that are alike, by which a pool's are told apart: 16 hexadecimal digits of all settings
    /// but the labels.
    var hash: String {
        var plain = self
        (plain.labels, plain.pool) = ([:], nil)
        let request = InstanceRequest(settings: plain, run: "", publicKey: "")
        let text = request.body(name: "", zone: "", model: .standard).text() + (container ?? "") + user
        // FNV-1a: it is to be the same on every machine, and guards against nobody.
        let hash = text.utf8.reduce(into: UInt64(0xcbf2_9ce4_8422_2325)) { hash, byte in
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return String(hash, digits: 16, radix: 16)
    }

    /// The words before an engine's command that run it in the container, with the host's network, the user's files
    /// and all GPUs. Standard input and output are the container's. The engine's file is kept in the container: some
    /// hosts execute nothing below /home.
    ///
    /// - Parameter home: the directory of ``user`` on the instance, at the same path in the container.
    func containerCommand(home: String) -> [String] {
        guard let container else { return [] }
        let devices = gpus.isEmpty ? [] : ["--gpus", "all"]
        return [
            "docker", "run", "--rm", "-i", "--init", "--network", "host", "-v", "\(home):\(home)", "-w", home, "-e",
            "HOME=\(home)", "-e", "XDG_CACHE_HOME=/tmp", "-e", "\(TaskEnvironment.containerMark)=1", "-v",
            "\(Self.scratch):\(Self.scratch)", "--entrypoint", "",
        ] + devices + [container]
    }

    /// Where local SSDs are mounted.
    static let scratch = "/mnt/disks/disbatch"

    /// The image's address in a request.
    var imagePath: String { image.contains("/") ? image : "projects/debian-cloud/global/images/family/\(image)" }

    /// The scopes that the service account is given.
    var usedScopes: [String] {
        let address = "https://www.googleapis.com/auth/"
        if let scopes { return scopes.map { $0.contains("/") ? $0 : address + $0 } }
        let registries = ["pkg.dev/", "gcr.io/"]
        let needsRegistry = registries.contains { container?.contains($0) == true }
        return [address + "compute"] + (needsRegistry ? [address + "devstorage.read_only"] : [])
    }
}
