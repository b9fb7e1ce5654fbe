import DisbatchCore
import EngineHosting
import Glibc
import GoogleAPI
import LinuxSystem
import Options

/// The settings that options, configuration files and gcloud's own configuration add up to.
struct CloudSetup {
    let configuration: CloudConfiguration
    let settings: InstanceSettings
    let zones: [String]
    /// `--gce`: how many there may be.
    let limit: Int
    let environment: CloudEnvironment
    let credentials: Credentials

    /// Reads all of it.
    ///
    /// - Parameter needsMachines: whether zones and machine type have to be known.
    /// - Throws: where something is missing, or wrong.
    init(_ options: GoogleCloudHelperOptions, needsMachines: Bool = true) throws(StartError) {
        environment = CloudEnvironment.own
        credentials = Credentials(environment: environment)
        var configuration: CloudConfiguration
        do throws(ConfigurationError) {
            configuration = try CloudConfiguration.load(
                directory: WorkingDirectory.path, home: environment["HOME"] ?? "/", read: TextFile.read)
            let own = "[gce]\n" + options.settings.joined(separator: "\n")
            configuration = try CloudConfiguration(own, file: "--gce-set").over(configuration)
        } catch {
            throw StartError("\(error)")
        }
        if options.wantsSpot { configuration.spot = true }
        configuration.spotAttempts = options.spotAttempts ?? configuration.spotAttempts
        configuration.linger = options.linger ?? configuration.linger
        configuration.pool = options.pool ?? configuration.pool
        let machines = options.machines.flatMap { MachineCount($0) }
        if let text = options.machines, machines == nil {
            throw StartError("--gce \(text): expected N or N:MACHINE, such as 20:n2-standard-4")
        }
        limit = machines?.count ?? 1
        let needsDefaults = configuration.project == nil || configuration.zones == nil
        let defaults =
            needsDefaults
            ? CloudDefaults(environment: environment, http: HTTPClient(environment: environment)) : CloudDefaults()
        guard let project = configuration.project ?? defaults.project else {
            throw StartError(
                "no project of Google Cloud is known: gcloud config set project PROJECT,\n"
                    + "or project = PROJECT in section [gce] of .disbatch, or --gce-set project=PROJECT")
        }
        let machineType = machines?.machineType ?? configuration.machineType
        if needsMachines, machineType == nil {
            throw StartError(
                "no type of machine is given: --gce \(limit):n2-standard-4,\n"
                    + "or machine-type in section [gce] of .disbatch")
        }
        var settings = configuration.settings(project: project, machineType: machineType ?? "n2-standard-2")
        settings.endpoint = environment["DISBATCH_COMPUTE_ENDPOINT"]
        settings.lifeInPool = max(configuration.linger ?? .zero, settings.lifeInPool)
        if let grace = environment["DISBATCH_GCE_GRACE"].flatMap({ Int($0) }) {
            settings.lifeWithoutEngine = .seconds(grace)
            settings.lifeInPool = .seconds(grace)
        }
        let zones = configuration.zones ?? defaults.zone.map { [$0] } ?? []
        if needsMachines, zones.isEmpty {
            throw StartError(
                "no zone is known: gcloud config set compute/zone ZONE,\n"
                    + "or zones = ZONE, ... in section [gce] of .disbatch, or --gce-set zones=ZONE")
        }
        let faults = settings.faults
        guard faults.isEmpty else { throw StartError(faults.joined(separator: "\n")) }
        (self.configuration, self.settings, self.zones) = (configuration, settings, zones)
    }

    var model: ProvisioningModel { configuration.spot == true && configuration.spotAttempts != 0 ? .spot : .standard }

    /// A client for the calling thread.
    func client() throws(CloudError) -> ComputeClient {
        try ComputeClient(
            project: settings.project, environment: environment, credentials: credentials, limiter: RateLimiter())
    }

    func rules(slots: Int, run: String) -> FleetRules {
        var rules = FleetRules(limit: limit, slotsPerInstance: slots, zones: zones, namePrefix: run)
        rules.wantsSpot = configuration.spot == true
        if let attempts = configuration.spotAttempts { rules.spotAttempts = attempts }
        if let linger = configuration.linger { rules.linger = linger }
        rules.staysInPool = settings.pool != nil && rules.linger > .zero
        return rules
    }
}
