import Testing

@testable import GCERuntime

struct FleetTextTests {
    @Test func dryRunsSayWhatWouldBe() throws {
        let configuration = try CloudConfiguration("[gce-prices]\nn2-standard-4 = 0.2 0.05", file: "f")
        let request = InstanceRequest(
            settings: InstanceSettings(project: "p", machineType: "n2-standard-4"), run: "r", publicKey: "k")
        var rules = FleetRules(limit: 20, slotsPerInstance: 4, zones: ["z-a", "z-b"], namePrefix: "r")
        rules.wantsSpot = true
        let text = FleetText.dryRun(request, rules: rules, tasks: 9, configuration: configuration)
        let begin = """
            3 instances of n2-standard-4, spot, 4 slots each
            project: p
            zones, in order of preference: z-a, z-b
            cost per hour: 0.15 USD, without disks and network
            POST projects/p/zones/z-a/instances/bulkInsert
            {
              "count": "3",
              "minCount": "1",
              "perInstanceProperties": {
                "r-0001": {},
            """
        #expect(text.hasPrefix(begin))
        let few = FleetText.dryRun(request, rules: rules, tasks: 5, configuration: configuration)
        #expect(few.contains("\nPOST projects/p/zones/z-a/instances\n{\n  \"name\": \"r-0001\",\n"))
        #expect(few.hasSuffix("}\nr-0002: the same, but for the name\n"))
        rules.wantsSpot = false
        let all = FleetText.dryRun(request, rules: rules, tasks: nil, configuration: CloudConfiguration())
        #expect(all.hasPrefix("20 instances of n2-standard-4, on demand, 4 slots each\n"))
        #expect(all.contains("cost per hour: not known: set [gce-prices] n2-standard-4 = ON-DEMAND SPOT\n"))
        #expect(
            FleetText.dryRun(request, rules: rules, tasks: 0, configuration: configuration).hasPrefix("0 instances"))
    }
}
