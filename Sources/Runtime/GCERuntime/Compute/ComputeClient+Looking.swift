import DisbatchCore
import GoogleAPI

/// Requests from before instances are made.
extension ComputeClient {
    /// How many cores a machine type has in a zone.
    func machineType(_ name: String, zone: String) throws(CloudError) -> MachineType {
        let action = "look at machine type \(name) in \(zone)"
        let json = try perform(Call(path: "zones/\(zone)/machineTypes/\(name)"), action)
        guard let type = MachineType(json) else { throw CloudError(.transport, action, "the reply is no machine type") }
        return type
    }

    /// An image, by the address that settings have: `projects/P/global/images/NAME` or `.../family/NAME`; what has no
    /// slash is a family of Debian's project.
    func image(_ address: String) throws(CloudError) -> CloudImage {
        let action = "look at image \(address)"
        let path = address.contains("/") ? address : "projects/debian-cloud/global/images/family/\(address)"
        var parts = path.split(separator: "/").map(String.init)
        // A full address begins with those of the service.
        if let start = parts.firstIndex(of: "projects") { parts.removeFirst(start) }
        guard parts.count == 5 || parts.count == 6, parts[0] == "projects", parts[2] == "global", parts[3] == "images"
        else {
            throw CloudError(
                .invalid, action, "no address of an image",
                advice: "expected projects/PROJECT/global/images/NAME, or .../images/family/NAME")
        }
        var call = Call(path: parts[2...].joined(separator: "/"))
        call.project = parts[1]
        let json = try perform(call, action)
        guard let image = CloudImage(json) else { throw CloudError(.transport, action, "the reply is no image") }
        return image
    }

    /// The project's quotas in all regions together; throws where it is not there, or may not be seen.
    func projectQuotas() throws(CloudError) -> [CloudQuota] {
        CloudQuota.all(try perform(Call(path: ""), "look at project \(project)"))
    }

    /// The project's quotas in a region.
    func quotas(region: String) throws(CloudError) -> [CloudQuota] {
        CloudQuota.all(try perform(Call(path: "regions/\(region)"), "look at region \(region)"))
    }

    /// Whether a zone is there, and up.
    func isUp(zone: String) throws(CloudError) -> Bool {
        try perform(Call(path: "zones/\(zone)"), "look at zone \(zone)")["status"].string == "UP"
    }

    /// Throws where a network is not there, or may not be seen.
    func checkNetwork(_ name: String) throws(CloudError) {
        let last = name.split(separator: "/").last.map(String.init) ?? name
        _ = try perform(Call(path: "global/networks/\(last)"), "look at network \(last)")
    }

    /// Whether a rule of the network lets somebody in at port 22. Rules of folders and organisations, which may do so
    /// too, are not looked at.
    ///
    /// - Parameter tags: of the instances.
    func letsLogInsIn(network name: String, tags: [String]) throws(CloudError) -> Bool {
        let network = name.split(separator: "/").last.map(String.init) ?? name
        let rules = try pages(Call(path: "global/firewalls"), "list firewall rules").flatMap { $0["items"].elements }
        return rules.contains { rule in
            let targets = rule["targetTags"].elements.compactMap(\.string)
            return CloudInstance.lastPart(rule["network"]) == network && rule["direction"] == "INGRESS"
                && !rule["disabled"].isTrue && rule["targetServiceAccounts"].elements.isEmpty
                && (targets.isEmpty || targets.contains(where: tags.contains))
                && rule["allowed"].elements.contains(where: Self.hasLogInPort)
        }
    }

    private static func hasLogInPort(_ allowed: JSONValue) -> Bool {
        guard let name = allowed["IPProtocol"].string, ["tcp", "6", "all"].contains(name) else { return false }
        let ports = allowed["ports"].elements.compactMap(\.string)
        return ports.isEmpty
            || ports.contains { text in
                let ends = text.split(separator: "-").compactMap { Int($0) }
                return ends.count == 2 ? ends[0] <= 22 && 22 <= ends[1] : ends == [22]
            }
    }

    /// Throws where a region has no such subnetwork, or it may not be seen.
    func checkSubnetwork(_ name: String, region: String) throws(CloudError) {
        let last = name.split(separator: "/").last.map(String.init) ?? name
        _ = try perform(
            Call(path: "regions/\(region)/subnetworks/\(last)"), "look at subnetwork \(last) in \(region)")
    }
}
