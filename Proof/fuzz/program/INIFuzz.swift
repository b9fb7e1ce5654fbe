import DisbatchCore

@testable import GCERuntime

/// Configuration files: an error names a line that is there, and what was taken makes a request.
enum INIFuzz {
    static func run(_ input: inout FuzzInput) {
        let count = Int(input.byte())
        let text = String(decoding: input.rest(), as: UTF8.self)
        // As editors and users count them.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        do throws(ConfigurationError) {
            let entries = try INIText(text, file: "f").entries
            var last = 0
            for entry in entries {
                expect(last < entry.line && entry.line <= lines.count, "line \(entry.line) of \(lines.count)")
                expect(!entry.key.isEmpty && lines[entry.line - 1].contains(entry.key), "the key is in its line")
                last = entry.line
            }
        } catch { return check(error, lines.count) }
        do throws(ConfigurationError) { use(try CloudConfiguration(text, file: "f"), count) } catch {
            check(error, lines.count)
        }
    }

    private static func check(_ error: ConfigurationError, _ lines: Int) {
        let parts = error.description.split(separator: ":", maxSplits: 2)
        expect(parts.count == 3 && parts[0] == "f", "a place: \(error)")
        expect(Int(parts[1]).map { 1...lines ~= $0 } == true, "a line of \(lines): \(error)")
    }

    private static func use(_ configuration: CloudConfiguration, _ count: Int) {
        expectEqual(configuration.over(configuration), configuration, "over itself")
        expectEqual(configuration.over(CloudConfiguration()), configuration, "over nothing")
        for type in configuration.prices.keys {
            for model in [ProvisioningModel.standard, .spot] {
                _ = configuration.costPerHour(machineType: type, count: count, model: model)
            }
        }
        let settings = configuration.settings(project: "p", machineType: configuration.machineType ?? "e2-micro")
        let request = InstanceRequest(settings: settings, run: "run", publicKey: "ssh-ed25519 AAAA")
        let body = request.body(name: "n", zone: "z", model: configuration.spot == true ? .spot : .standard)
        for isPretty in [false, true] {
            expectEqual(JSONValue(parsing: body.text(isPretty: isPretty)), body, "a request is JSON")
        }
    }
}
