import Options

/// A run's configuration files for Google Cloud: sections `[gce]` and `[gce-prices]`. Options go before them, and the
/// nearer file before the farther one.
struct CloudConfiguration: Equatable, Sendable {
    /// The price of an hour of a machine.
    struct Price: Equatable, Sendable {
        var standard: Double
        var spot: Double?
    }

    var project: String?
    var zones: [String]?
    var machineType: String?
    var image: String?
    var container: String?
    var network: String?
    var subnetwork: String?
    var externalAddress: Bool?
    var serviceAccount: String?
    var scopes: [String]?
    var tags: [String]?
    var labels: [String: String]?
    var diskGigabytes: Int?
    var diskType: String?
    var localSSDs: Int?
    var gpus: [InstanceSettings.GPU]?
    var spot: Bool?
    var spotAttempts: Int?
    var linger: Duration?
    var longestLife: Duration?
    var pool: String?
    var currency: String?
    /// By machine type.
    var prices: [String: Price] = [:]

    init() {}

    /// Reads a file's text.
    ///
    /// - Parameter file: its name, for errors.
    /// - Throws: for unknown sections and keys, and values that can't be taken.
    init(_ text: String, file: String) throws(ConfigurationError) {
        for entry in try INIText(text, file: file).entries { try read(entry, "\(file):\(entry.line)") }
    }

    private mutating func read(_ entry: INIText.Entry, _ place: String) throws(ConfigurationError) {
        switch entry.section {
        case "gce":
            guard let key = CloudKey.all.first(where: { $0.name == entry.key }) else {
                let near = Self.suggestion(entry.key, CloudKey.all.map(\.name))
                throw ConfigurationError("\(place): unknown key \(entry.key) in section [gce]\(near)")
            }
            guard key.read(entry.value, &self) else {
                throw ConfigurationError("\(place): \(entry.key) = \(entry.value): expected \(key.form)")
            }
        case "gce-prices": try readPrice(entry, place)
        default:
            let near = Self.suggestion(entry.section, ["gce", "gce-prices"])
            throw ConfigurationError("\(place): unknown section [\(entry.section)]\(near)")
        }
    }

    private mutating func readPrice(_ entry: INIText.Entry, _ place: String) throws(ConfigurationError) {
        if entry.key == "currency" {
            currency = entry.value
            return
        }
        let words = entry.value.split(whereSeparator: \.isWhitespace)
        let numbers = words.compactMap { Double($0) }.filter { $0.isFinite && $0 >= 0 }
        guard numbers.count == words.count, (1...2).contains(numbers.count) else {
            throw ConfigurationError(
                "\(place): \(entry.key) = \(entry.value): expected a price per hour, or two: on demand, and spot")
        }
        prices[entry.key] = Price(standard: numbers[0], spot: numbers.count == 2 ? numbers[1] : nil)
    }

    private static func suggestion(_ name: String, _ names: [String]) -> String {
        let near = nearMisses(of: name, among: names.map { [$0] })
        if near.isEmpty { return "\nknown are: \(names.joined(separator: ", "))" }
        return "\ndid you mean \(near.joined(separator: " or "))?"
    }

    /// This, and from `farther` what this does not say.
    func over(_ farther: CloudConfiguration) -> CloudConfiguration {
        var result = farther
        for key in CloudKey.all { key.copy(self, &result) }
        result.prices.merge(prices) { _, own in own }
        if let currency { result.currency = currency }
        return result
    }

    /// The files that may be there, the one to go before the others first: `.disbatch` in a directory and in those
    /// above it, of which the first that is there counts, and then the user's own.
    ///
    /// - Parameters:
    ///   - directory: an absolute path.
    ///   - home: the user's directory.
    /// - Returns: the first list's first file that is there is read, and then the second list's.
    static func files(directory: String, home: String) -> (nearest: [String], own: String) {
        let parts = directory.split(separator: "/")
        let nearest = (0...parts.count).reversed().map { count in
            parts[..<count].map { "/\($0)" }.joined() + "/.disbatch"
        }
        return (nearest, home + "/.config/disbatch/config")
    }

    /// The configuration that all files add up to.
    ///
    /// - Parameter read: the text of a file; nil where there is none.
    static func load(
        directory: String, home: String, read: (String) -> String?
    ) throws(ConfigurationError) -> CloudConfiguration {
        let (nearest, own) = files(directory: directory, home: home)
        var result = CloudConfiguration()
        if let text = read(own) { result = try CloudConfiguration(text, file: own) }
        for file in nearest {
            guard let text = read(file) else { continue }
            return try CloudConfiguration(text, file: file).over(result)
        }
        return result
    }

    /// The price of an hour of `count` instances, as a text: `1.94 USD`; nil where no price is configured, or none that
    /// can be.
    func costPerHour(machineType: String, count: Int, model: ProvisioningModel) -> String? {
        guard let price = prices[machineType], let each = model == .spot ? price.spot : price.standard else {
            return nil
        }
        guard let cents = Int64(exactly: (each * Double(count) * 100).rounded()) else { return nil }
        let digits = String(cents % 100)
        return "\(cents / 100).\(digits.utf8.count < 2 ? "0" : "")\(digits) \(currency ?? "USD")"
    }

    /// Settings for instances, of what is configured.
    func settings(project: String, machineType: String) -> InstanceSettings {
        var settings = InstanceSettings(project: project, machineType: machineType)
        if let image { settings.image = image }
        settings.container = container
        settings.network = network
        settings.subnetwork = subnetwork
        if let externalAddress { settings.hasExternalAddress = externalAddress }
        settings.serviceAccount = serviceAccount
        settings.scopes = scopes
        settings.tags = tags ?? []
        settings.labels = labels ?? [:]
        settings.diskGigabytes = diskGigabytes
        if let diskType { settings.diskType = diskType }
        settings.localSSDs = localSSDs ?? 0
        settings.gpus = gpus ?? []
        if let longestLife { settings.longestLife = longestLife }
        settings.pool = pool
        return settings
    }
}
