import DisbatchCore
import EngineHosting
import Glibc
import Options

extension RunConfiguration {
    /// What the options ask for.
    init(_ options: DriverOptions, version: String, commandLine: [String]) {
        let origin: TaskOrigin =
            switch options.taskSource {
            case .file(let path): .file(path)
            case .standardInput: .standardInput
            }
        self.init(
            origin: origin, version: version, commandLine: commandLine,
            enginePath: ThisMachine.program("disbatch-engine"), utilityPath: ThisMachine.program("dbutil"))
        prefix = options.prefix
        writesHeader = options.writesStatusHeader
        keepsRecord = options.keepsRecord
        logFile = options.logFile
        logLevel = DisbatchCore.LogLevel(options.logLevel)
        captureDirectory = options.captureDirectory.map(Self.absolute)
        resumeFrom = options.resumeFrom
        retriesFailures = options.runsFailedAgain
        forcesResume = options.forcesResume
        waitsForEngines = options.waitsForEarlierEngines
        retries = options.retries
        maxLost = options.maxLost
        failuresCount = options.exitsWithTaskFailure
        failsFast = options.failsFast
        isStartStrict = options.needsSuccessfulStart
        limit = options.taskLimit
        taskTimeout = options.taskTimeout
        killAfter = options.killAfter
        progress =
            switch options.progress {
            case .always: .always
            case .auto: .auto
            case .never: .never
            }
        take(options.context)
        waitsForContexts = options.startsUpOnly
        if options.listens {
            var request = ListeningRequest()
            if let address = options.useAddress {
                request.host = address.host
                request.ports = address.port...address.port
            }
            if let ports = options.listenPorts { request.ports = ports }
            listening = request
        } else {
            listening = nil
        }
        helpers = Self.helpers(options)
        staging.givesTaskDirectories = options.staging.givesTaskDirectories
        staging.stageIn = options.staging.stageIn.map { .init(path: $0.path, destination: $0.destination) }
        staging.stageOut = options.staging.stageOut.map { .init(pattern: $0.path, directory: $0.destination) }
        if let seconds = Self.seconds("DISBATCH_START_PATIENCE") { greetingPatience = seconds }
        if let seconds = Self.seconds("DISBATCH_LEASE_GRACE") { leaseGrace = seconds }
    }

    private static func seconds(_ variable: String) -> Duration? {
        guard let text = getenv(variable), let count = Int(String(cString: text)), count > 0 else { return nil }
        return .seconds(count)
    }

    private mutating func take(_ context: ContextOptions) {
        terms = ContextTerms(context)
        coresPerTask = context.coresPerTask
        tasksPerNode = context.tasksPerNode
        extraEnvironment = context.environment.map { ($0.name, $0.value) }
        lease = context.lease
        reconnects = context.reconnects
        sshClient = SSHClientChoice(context.sshClient)
        quarantines = context.quarantines
        workingDirectory = context.workingDirectory
        alwaysUsesShell = context.shellUse == .always
    }

    private static func helpers(_ options: DriverOptions) -> [HelperRequest] {
        var requests: [HelperRequest] = []
        if let address = options.web {
            requests.append(
                HelperRequest(
                    name: "disbatch-web", option: "--web", arguments: [address.host, "\(address.port)"],
                    packages: "libmicrohttpd12 libsodium23 libsqlite3-0", patience: .seconds(5)))
        }
        if let mail = options.mail {
            requests.append(
                HelperRequest(
                    name: "disbatch-mail", option: "--mailTo", arguments: [mail.address, "\(mail.frequency)"],
                    packages: "libcurl4 libsodium23 libsqlite3-0", patience: .seconds(20)))
        }
        if options.googleCloud.isWanted {
            let earlier = options.resumeFrom.compactMap { RunPaths(.status, at: $0)?[.googleCloud] }
            var request = HelperRequest(
                name: "disbatch-gce", option: "--gce",
                arguments: options.googleCloud.words + ["--of-driver"]
                    + earlier.map { "--earlier=\($0)" },
                packages: "libcurl4 libssl3 libssh2-1 libsodium23 libsqlite3-0", patience: .seconds(130))
            request.bringsContext = true
            requests.append(request)
        }
        return requests
    }

    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let raw = getcwd(nil, 0) else { return path }
        defer { free(raw) }
        return String(cString: raw) + "/" + path
    }
}

extension DisbatchCore.LogLevel {
    fileprivate init(_ level: Options.LogLevel) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warning: self = .warning
        case .error: self = .error
        case .critical: self = .critical
        }
    }
}
