import Options

/// A key of section `[gce]`.
struct CloudKey: Sendable {
    let name: String
    /// The form of the key's value, for errors.
    let form: String
    /// Reads a value; false where it is none.
    let read: @Sendable (String, inout CloudConfiguration) -> Bool
    /// Gives the second what the first says.
    let copy: @Sendable (CloudConfiguration, inout CloudConfiguration) -> Void

    private init<Value>(
        _ name: String, _ form: String, _ path: any WritableKeyPath<CloudConfiguration, Value?> & Sendable,
        _ read: @escaping @Sendable (String) -> Value?
    ) {
        self.name = name
        self.form = form
        self.read = { text, configuration in
            guard let value = read(text) else { return false }
            configuration[keyPath: path] = value
            return true
        }
        copy = { if let value = $0[keyPath: path] { $1[keyPath: path] = value } }
    }

    static let all = [
        CloudKey("project", "the name of a project", \.project, text),
        CloudKey("zones", "names of zones, with commas between them", \.zones, list),
        CloudKey("machine-type", "a machine type", \.machineType, text),
        CloudKey("image", "a family of images of Debian's, or projects/P/global/images/...", \.image, text),
        CloudKey("container", "the name of a container image", \.container, text),
        CloudKey("network", "the name of a network", \.network, text),
        CloudKey("subnetwork", "the name of a subnetwork", \.subnetwork, text),
        CloudKey("external-address", "yes or no", \.externalAddress, flag),
        CloudKey("service-account", "the address of a service account", \.serviceAccount, text),
        CloudKey("scopes", "scopes, with commas between them", \.scopes, list),
        CloudKey("tags", "network tags, with commas between them", \.tags, list),
        CloudKey("labels", "KEY=VALUE,...", \.labels, labels),
        CloudKey("disk", "gigabytes", \.diskGigabytes, count),
        CloudKey("disk-type", "a type of disk, such as pd-balanced", \.diskType, text),
        CloudKey("local-ssds", "a number", \.localSSDs, count),
        CloudKey("gpus", "TYPE:COUNT,...", \.gpus, gpus),
        CloudKey("spot", "yes or no", \.spot, flag),
        CloudKey("spot-attempts", "a number", \.spotAttempts, count),
        CloudKey("linger", "a duration, such as 10m", \.linger, parseDuration),
        CloudKey("max-life", "a duration, such as 12h", \.longestLife, parseDuration),
        CloudKey("pool", "the name of a pool", \.pool, text),
    ]

    private static let text: @Sendable (String) -> String? = { $0.isEmpty ? nil : $0 }

    private static let list: @Sendable (String) -> [String]? = { text in
        let words = text.split(separator: ",", omittingEmptySubsequences: false).map(INIText.trimmed)
        return words.contains("") ? nil : words
    }

    private static let count: @Sendable (String) -> Int? = { text in
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }

    private static let flag: @Sendable (String) -> Bool? = { text in
        switch text.lowercased() {
        case "yes", "true", "on", "1", "y": true
        case "no", "false", "off", "0", "n": false
        default: nil
        }
    }

    private static let labels: @Sendable (String) -> [String: String]? = { text in
        guard let words = list(text) else { return nil }
        var labels: [String: String] = [:]
        for word in words {
            guard let equals = word.firstIndex(of: "=") else { return nil }
            let (key, value) = (INIText.trimmed(word[..<equals]), INIText.trimmed(word[word.index(after: equals)...]))
            guard CloudNames.isLabelKey(key), CloudNames.isLabelValue(value) else { return nil }
            labels[key] = value
        }
        return labels
    }

    /// TYPE is one GPU.
    private static let gpus: @Sendable (String) -> [InstanceSettings.GPU]? = { text in
        guard let words = list(text) else { return nil }
        let gpus = words.compactMap { word -> InstanceSettings.GPU? in
            let parts = word.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let number = parts.count == 2 ? count(String(parts[1])) : 1, number > 0,
                CloudNames.isName(String(parts[0]))
            else { return nil }
            return InstanceSettings.GPU(type: String(parts[0]), count: number)
        }
        return gpus.count == words.count ? gpus : nil
    }
}

/// The value of `--gce`: `N:MACHINE`, or `N` where the machine type is configured.
struct MachineCount: Equatable, Sendable {
    var count: Int
    var machineType: String?

    /// Nil where the text is none: `N` is 1 to 10000.
    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, first.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let count = Int(first),
            (1...10_000).contains(count)
        else { return nil }
        self.count = count
        guard parts.count == 2 else { return }
        guard CloudNames.isName(String(parts[1])) else { return nil }
        machineType = String(parts[1])
    }
}
