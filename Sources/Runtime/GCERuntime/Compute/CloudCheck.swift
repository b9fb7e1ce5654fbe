import DisbatchCore
import GoogleAPI

/// A look, before a run, whether its instances can be made.
struct CloudCheck: Equatable, Sendable {
    /// The thing that was looked at: `image debian-12`.
    var subject: String
    /// The finding, good or bad, in a line.
    var finding: String
    var isGood: Bool
    /// The command that mends it, where there is one.
    var remedy: String?

    /// Looks at all that instances need, one after the other; what can't be looked at without credentials is left out
    /// where there are none.
    ///
    /// - Parameter count: how many instances there may be at once.
    static func all(
        _ client: ComputeClient, settings: InstanceSettings, zones: [String], count: Int, model: ProvisioningModel
    ) -> [CloudCheck] {
        var checker = Checker(client: client, settings: settings, count: count, model: model)
        guard checker.checkAccount(), checker.checkProject() else { return checker.checks }
        checker.checkImageAndNetwork()
        var regions: [String] = []
        for zone in zones {
            let cores = checker.checkZone(zone)
            let region = CloudNames.region(ofZone: zone)
            checker.checkRegion(region, cores: cores, isFirst: !regions.contains(region))
            regions.append(region)
        }
        return checker.checks
    }
}

private struct Checker {
    let client: ComputeClient
    let settings: InstanceSettings
    let count: Int
    let model: ProvisioningModel
    var checks: [CloudCheck] = []

    /// Makes a check of what was found, or of the error.
    private mutating func add<Found>(
        _ subject: String, _ remedy: String?, _ look: () throws(CloudError) -> Found, _ say: (Found) -> String
    ) -> Found? {
        do throws(CloudError) {
            let found = try look()
            checks.append(CloudCheck(subject: subject, finding: say(found), isGood: true))
            return found
        } catch {
            let marks = error.codes.isEmpty ? "" : " (\(error.codes.prefix(2).joined(separator: ", ")))"
            let known = error.kind == .notFound || error.kind == .credentials ? remedy ?? error.advice : error.advice
            checks.append(
                CloudCheck(
                    subject: subject, finding: error.message + marks, isGood: false, remedy: known ?? remedy))
            return nil
        }
    }

    mutating func checkAccount() -> Bool {
        let remedy = "gcloud auth application-default login"
        return add("credentials", remedy, client.checkCredentials, { $0 }) != nil
    }

    mutating func checkProject() -> Bool {
        let client = client
        return add(
            "project \(client.project)",
            "gcloud config set project PROJECT; gcloud projects list shows which there are",
            client.projectQuotas, { _ in "the Compute Engine API answers" }) != nil
    }

    mutating func checkImageAndNetwork() {
        let (client, settings) = (client, settings)
        _ = add(
            "image \(settings.image)", "gcloud compute images list",
            { () throws(CloudError) in try client.image(settings.image) },
            { $0.name })
        guard let network = settings.network ?? (settings.subnetwork == nil ? "default" : nil) else { return }
        _ = add(
            "network \(network)", "gcloud compute networks create \(network) --subnet-mode auto",
            { () throws(CloudError) in try client.checkNetwork(network) }, { "is there" })
        if checks.last?.isGood == true { checkLogIns(network) }
    }

    private mutating func checkLogIns(_ network: String) {
        var check = CloudCheck(subject: "port 22 in network \(network)", finding: "is open", isGood: true)
        do throws(CloudError) {
            if try !client.letsLogInsIn(network: network, tags: settings.tags) {
                (check.finding, check.isGood) = ("no rule of the network lets SSH in", false)
                check.remedy =
                    "gcloud compute firewall-rules create \(network)-allow-ssh --network \(network) --allow tcp:22"
            }
        } catch {
            // Who may make instances need not be allowed to see rules.
            if error.kind == .permission {
                check.finding = "this account may not see firewall rules"
            } else {
                (check.finding, check.isGood, check.remedy) = (error.message, false, error.advice)
            }
        }
        checks.append(check)
    }

    /// Returns how many cores an instance has there.
    mutating func checkZone(_ zone: String) -> Int? {
        let (client, name) = (client, settings.machineType)
        guard
            add(
                "zone \(zone)", "gcloud compute zones list",
                { () throws(CloudError) in try client.isUp(zone: zone) }, { $0 ? "is up" : "is down now" }) != nil
        else { return nil }
        let type = add(
            "machine type \(name) in \(zone)", "gcloud compute machine-types list --zones \(zone)",
            { () throws(CloudError) in try client.machineType(name, zone: zone) },
            { "\($0.cores) cores, \($0.memoryMebibytes) MiB" })
        return type?.cores
    }

    mutating func checkRegion(_ region: String, cores: Int?, isFirst: Bool) {
        guard isFirst else { return }
        let (client, subnetwork) = (client, settings.subnetwork)
        if let subnetwork {
            _ = add(
                "subnetwork \(subnetwork) in \(region)", "gcloud compute networks subnets list --regions \(region)",
                { () throws(CloudError) in try client.checkSubnetwork(subnetwork, region: region) }, { "is there" })
        }
        do throws(CloudError) {
            let quotas = try client.quotas(region: region)
            for (metric, needed) in needs(cores: cores, quotas) { check(quotas, metric, needed, region) }
        } catch {
            checks.append(
                CloudCheck(
                    subject: "region \(region)", finding: error.message, isGood: false,
                    remedy: "gcloud compute regions list"))
        }
    }

    /// The quotas that all instances use together. Spot instances have their own, if the project has one for them.
    private func needs(cores: Int?, _ quotas: [CloudQuota]) -> [(String, Int)] {
        let family = settings.machineType.prefix { $0 != "-" }.uppercased() + "_CPUS"
        let preemptible = quotas.contains { $0.metric == "PREEMPTIBLE_CPUS" && $0.limit > 0 }
        var needs = [("INSTANCES", count)]
        if let cores {
            let metrics = model == .spot && preemptible ? ["PREEMPTIBLE_CPUS"] : ["CPUS", family]
            needs += metrics.map { ($0, cores * count) }
        }
        if settings.hasExternalAddress { needs.append(("IN_USE_ADDRESSES", count)) }
        return needs
    }

    private mutating func check(_ quotas: [CloudQuota], _ metric: String, _ needed: Int, _ region: String) {
        guard let quota = quotas.first(where: { $0.metric == metric }) else { return }
        let free = quota.limit - quota.usage
        let isEnough = free >= Double(needed)
        checks.append(
            CloudCheck(
                subject: "quota \(metric) in \(region)",
                finding: "\(count) instances take \(needed); \(Self.text(free)) of \(Self.text(quota.limit)) are free",
                isGood: isEnough,
                remedy: isEnough
                    ? nil : "fewer instances, another region, or https://console.cloud.google.com/iam-admin/quotas"))
    }

    private static func text(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int64(number)) : "\(number)"
    }
}
