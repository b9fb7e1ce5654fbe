import DisbatchCore

/// The text of `--gce-dry-run`: the requests that a run would make.
enum FleetText {
    /// How many instances, of what, where, at which price, and then the requests.
    ///
    /// - Parameter tasks: how many tasks there are; nil where the task file was not counted.
    static func dryRun(
        _ request: InstanceRequest, rules: FleetRules, tasks: Int?, configuration: CloudConfiguration
    ) -> String {
        let slots = rules.slotsPerInstance
        let wanted = tasks.map { min(rules.limit, $0 / slots + ($0 % slots > 0 ? 1 : 0)) } ?? rules.limit
        let model: ProvisioningModel = rules.wantsSpot && rules.spotAttempts > 0 ? .spot : .standard
        let machine = request.settings.machineType
        let kind = model == .spot ? "spot" : "on demand"
        let many = NumberText.count(wanted, "instance")
        var lines = [
            "\(many) of \(machine), \(kind), \(slots) slots each", "project: \(request.settings.project)",
            "zones, in order of preference: \(rules.zones.joined(separator: ", "))",
        ]
        let cost = configuration.costPerHour(machineType: machine, count: wanted, model: model)
        let advice = "[gce-prices] \(machine) = ON-DEMAND SPOT"
        lines.append(
            "cost per hour: " + (cost.map { "\($0), without disks and network" } ?? "not known: set \(advice)"))
        let names = (0..<wanted).map { CloudNames.name(prefix: rules.namePrefix, serial: $0 + 1) }
        lines += requests(request, names: names, rules, model)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func requests(
        _ request: InstanceRequest, names: [String], _ rules: FleetRules, _ model: ProvisioningModel
    ) -> [String] {
        let zone = rules.zones[0]
        let address = "POST projects/\(request.settings.project)/zones/\(zone)/instances"
        guard names.count < rules.bulkMinimum else {
            let part = Array(names.prefix(rules.bulkMaximum))
            let body = request.bulkBody(names: part, zone: zone, model: model)
            let others = names.dropFirst(part.count)
            let rest = others.isEmpty ? [] : ["the same for \(others.first ?? "") to \(others.last ?? "")"]
            return ["\(address)/bulkInsert", body.text(isPretty: true)] + rest
        }
        guard let first = names.first else { return [] }
        return [address, request.body(name: first, zone: zone, model: model).text(isPretty: true)]
            + names.dropFirst().map { "\($0): the same, but for the name" }
    }
}
