/// What a run would ask of Google Cloud, for who wants to see it first.
package enum FleetText {
    /// How many instances, of what, where, at which price, and then the requests.
    ///
    /// - Parameter tasks: how many tasks there are; nil where the task file was not counted.
    package static func dryRun(
        _ request: InstanceRequest, rules: FleetRules, tasks: Int?, configuration: CloudConfiguration
    ) -> String {
        let slots = rules.slotsPerInstance
        let wanted = tasks.map { min(rules.limit, $0 / slots + ($0 % slots > 0 ? 1 : 0)) } ?? rules.limit
        let model: ProvisioningModel = rules.wantsSpot && rules.spotAttempts > 0 ? .spot : .standard
        let machine = request.settings.machineType
        let kind = model == .spot ? "spot" : "on demand"
        let many = wanted == 1 ? "1 instance" : "\(wanted) instances"
        var lines = [
            "\(many) of \(machine), \(kind), \(slots) slots each", "project: \(request.settings.project)",
            "zones, in order of preference: \(rules.zones.joined(separator: ", "))",
        ]
        let cost = configuration.costPerHour(machineType: machine, count: wanted, model: model)
        let advice = "[gce-prices] \(machine) = ON-DEMAND SPOT"
        lines.append(
            "cost per hour: " + (cost.map { "\($0), without disks and network" } ?? "not known: set \(advice)"))
        for serial in 1..<(wanted + 1) {
            let name = CloudNames.name(prefix: rules.namePrefix, serial: serial)
            if serial > 1 {
                lines.append("\(name): the same, but for the name")
                continue
            }
            let zone = rules.zones[0]
            lines.append("POST projects/\(request.settings.project)/zones/\(zone)/instances")
            lines.append(request.body(name: name, zone: zone, model: model).text(isPretty: true))
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
