import DisbatchCore
import EngineHosting
import Glibc
import GoogleAPI
import LinuxSystem
import Options
import RelayRuntime
import RunClient

/// The whole of `disbatch-gce`.
package enum CloudProgram {
    /// Does what the arguments say, and exits.
    ///
    /// - Parameter version: this program's, which must be the driver's.
    package static func main(version: String) -> Never {
        Descriptor.fillStandardStreams()
        ProcessFiles.require(for: "disbatch-gce")
        do {
            switch try GoogleCloudHelperOptions.read(Array(CommandLine.arguments.dropFirst())) {
            case .show(let text):
                print(text, terminator: "")
                exit(0)
            case .run(let options): exit(try perform(options, version))
            }
        } catch let error as OptionError {
            StandardStream.error.write(error.report(program: "disbatch-gce"))
        } catch {
            StandardStream.error.line("\(error)")
        }
        exit(2)
    }

    private static func perform(_ options: GoogleCloudHelperOptions, _ version: String) throws -> Int32 {
        switch options.action {
        case .check: _ = try CloudSetup(options)
        case .dryRun(let tasks): try dryRun(options, tasks)
        case .examine: return try CloudUpkeep.examine(CloudSetup(options, needsMachines: false))
        case .list: try CloudUpkeep.list(CloudSetup(options, needsMachines: false))
        case .cleanUp(let run): return try CloudUpkeep.cleanUp(CloudSetup(options, needsMachines: false), run: run)
        case .run(let file): return try run(options, file, version)
        }
        return 0
    }

    // MARK: Before a run

    private static func dryRun(_ options: GoogleCloudHelperOptions, _ tasks: Int?) throws {
        let setup = try CloudSetup(options)
        // What Google is not asked: how many cores the machine has is in the names of most.
        let cores = setup.settings.machineType.split(separator: "-").last.flatMap { Int($0) } ?? 1
        let engine = try options.context.sizing.engine(on: "machine", cores: cores)
        let request = InstanceRequest(
            settings: setup.settings, run: "RUN", publicKey: "ssh-ed25519 (made for the run)")
        let rules = setup.rules(slots: engine.slots, run: CloudNames.prefix(run: "run", nonce: "00000000"))
        StandardStream.output.write(
            FleetText.dryRun(request, rules: rules, tasks: tasks, configuration: setup.configuration))
    }

    // MARK: A run

    private static func run(_ options: GoogleCloudHelperOptions, _ file: String, _ version: String) throws -> Int32 {
        SignalSource.ignore([SIGPIPE])
        let signals = try SignalSource(SignalSource.endingNumbers + [SIGUSR1, SIGUSR2, SIGCHLD])
        let setup = try CloudSetup(options)
        let cloudFile = CloudRunFile.path(besideRunFile: file)
        let earlier = CloudRunFile(path: cloudFile)
        let join = try RelayJoin(runFile: file, version: version)
        let machine = try setup.client().machineType(setup.settings.machineType, zone: setup.zones[0])
        var sizing = options.context.sizing
        sizing.coresPerTask = sizing.coresPerTask ?? join.conditions.coresPerTask
        sizing.tasksPerNode = sizing.tasksPerNode ?? join.conditions.tasksPerNode
        let engine = try sizing.engine(on: setup.settings.machineType, cores: machine.cores)
        let nonce = String(UInt32.random(in: 0 ... .max), digits: 8, radix: 16)
        let name = CloudNames.prefix(run: join.name, nonce: nonce)
        let login = try CloudLogin(user: setup.settings.user)
        defer { login.remove() }
        let request = InstanceRequest(settings: setup.settings, run: name, publicKey: login.publicKey)
        let workers = try CloudWorkers(
            CloudWorkers.Service(
                project: setup.settings.project, environment: setup.environment, credentials: setup.credentials,
                run: name, usesExternalAddress: setup.settings.hasExternalAddress,
                needsPreparation: setup.settings.container != nil || setup.settings.localSSDs > 0,
                member: setup.settings.pool.map { PoolMember(request, pool: $0) }))
        defer { workers.close() }
        try CloudRunFile(project: setup.settings.project, run: name).write(cloudFile)
        for left in Set([earlier].compactMap { $0 } + options.earlier.compactMap { CloudRunFile(path: $0) })
        where left.project == setup.settings.project {
            workers.submit(.cleanUp(run: left.run))
        }
        let backend = GCEBackend(setup.rules(slots: engine.slots, run: name), request, engine: engine, workers, login)
        let remote = RemoteLaunching(
            image: try EngineImage(path: ThisMachine.program("disbatch-engine")), client: login.client,
            choice: options.context.sshClient)
        let starter = try EngineStarter(
            engine: ThisMachine.program("disbatch-engine"), remote: remote, launchers: [:], lock: -1,
            wrapper: setup.settings.containerCommand(home: "/home/\(setup.settings.user)"))
        let relay = try Relay(
            join, offer(options, setup, join, name), starter, signals, backend: backend, say: say(options))
        if options.isOfDriver { try relay.endWithInput() }
        let status = try relay.run()
        say(options)("machines: \(backend.summary)")
        if !backend.namesLeft.isEmpty {
            let names = backend.namesLeft.joined(separator: ", ")
            StandardStream.error.line(
                "these machines may still be there: \(names); dbutil --gce-cleanup \(name) deletes them")
        }
        return status
    }

    private static func offer(
        _ options: GoogleCloudHelperOptions, _ setup: CloudSetup, _ join: RelayJoin, _ name: String
    ) -> ContextOffer {
        let limit = "at most \(setup.limit) machines of \(setup.settings.machineType), \(setup.model.rawValue)"
        let place = "project \(setup.settings.project), zones \(setup.zones.joined(separator: ", "))"
        var plan = ContextPlan(
            label: options.context.sizing.label ?? "GCE\(join.conditions.contextCount)", kind: "gce", engines: [],
            bindsCores: false, notes: [limit, place, "label \(CloudLabel.run)=\(name)"])
        plan.reason = "--gce"
        var policy = options.context.policy
        policy.retirement = .none
        policy.sharedVariables = join.conditions.sharedVariables
        var offer = ContextOffer(
            plan: plan, policy: policy, hasOwnLabel: options.context.sizing.label != nil,
            origin: "Google Compute Engine")
        offer.isElastic = true
        return offer
    }

    /// Prints a line. The driver shows it to its user, if it started this program.
    private static func say(_ options: GoogleCloudHelperOptions) -> (String) -> Void {
        options.isOfDriver ? { StandardStream.output.line($0) } : { StandardStream.error.line("dbutil: \($0)") }
    }
}
