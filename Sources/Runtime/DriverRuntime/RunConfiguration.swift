import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options

/// Everything that a run goes by: its user's options, and what its programs are.
struct RunConfiguration: Sendable {
    var options: DriverOptions
    var version: String
    /// The command line as it was typed, for logs, the run record and the hint that retries.
    var commandLine: [String]
    var enginePath: String
    /// The path of `dbutil`.
    var utilityPath: String
    /// How long a new engine may take to say what it is (`DISBATCH_START_PATIENCE`).
    var greetingPatience = Duration.seconds(60)
    /// How long a full disk is waited for once no task runs any more (`DISBATCH_DISK_PATIENCE`).
    var diskPatience = Duration.seconds(300)
    /// Programs that watch the run for others.
    var helpers: [HelperRequest]

    init(
        _ options: DriverOptions, version: String, commandLine: [String],
        enginePath: String = ThisMachine.program("disbatch-engine"),
        utilityPath: String = ThisMachine.program("dbutil")
    ) {
        self.options = options
        self.options.captureDirectory = options.captureDirectory.map(Self.absolute)
        self.version = version
        self.commandLine = commandLine
        self.enginePath = enginePath
        self.utilityPath = utilityPath
        helpers = HelperRequest.all(options)
        if let time = Self.seconds("DISBATCH_START_PATIENCE") { greetingPatience = time }
        if let time = Self.seconds("DISBATCH_DISK_PATIENCE") { diskPatience = time }
        if let time = Self.seconds("DISBATCH_LEASE_GRACE") {
            self.options.scheduler.leaseGrace = time
            self.options.policy.grace = time
        }
    }

    /// The seconds that a variable of the environment names, for tests.
    private static func seconds(_ variable: String) -> Duration? {
        guard let text = getenv(variable), let count = Int(String(cString: text)), count > 0 else { return nil }
        return .seconds(count)
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(WorkingDirectory.path)/\(path)"
    }

    /// Whether a helper brings a context.
    var helperBringsContext: Bool { helpers.contains(where: \.bringsContext) }

    /// Where the run listens; nil for nowhere.
    var listening: ListeningRequest? {
        guard options.listens else { return nil }
        let ports = options.listenPorts ?? options.useAddress.map { $0.port...$0.port }
        return ListeningRequest(ports: ports ?? 0...0, host: options.useAddress?.host)
    }
}

/// Where a run is to be reached.
struct ListeningRequest: Equatable, Sendable {
    /// Ports to try, in order; 0 lets the system choose.
    var ports: ClosedRange<UInt16>
    /// The host that others are to use, before all that this machine knows of itself.
    var host: String?
}

extension HelperRequest {
    /// The helpers that the options ask for.
    fileprivate static func all(_ options: DriverOptions) -> [HelperRequest] {
        var requests: [HelperRequest] = []
        if let address = options.web {
            requests.append(
                HelperRequest(
                    name: "disbatch-web", option: "--web", arguments: [address.host, "\(address.port)"],
                    packages: "libmicrohttpd12 libsodium23", patience: .seconds(5)))
        }
        if let mail = options.mail {
            requests.append(
                HelperRequest(
                    name: "disbatch-mail", option: "--mailTo", arguments: [mail.address, "\(mail.frequency)"],
                    packages: "libcurl4 libsodium23", patience: .seconds(20)))
        }
        if options.googleCloud.isWanted {
            let earlier = options.resumeFrom.compactMap { RunPaths(.status, at: $0)?[.googleCloud] }
            var request = HelperRequest(
                name: "disbatch-gce", option: "--gce",
                arguments: options.googleCloud.words + ["--of-driver"] + earlier.map { "--earlier=\($0)" },
                packages: "libcurl4 libssl3 libssh2-1 libsodium23", patience: .seconds(130))
            request.bringsContext = true
            requests.append(request)
        }
        return requests
    }
}
