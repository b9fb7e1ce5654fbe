import DisbatchCore
import GoogleAPI
import LinuxSystem

/// Threads that ask things of Google: each request may take seconds, and what it began minutes.
final class CloudWorkers: Sendable {
    /// A piece of work for a thread.
    enum Job: Sendable {
        /// Make an instance, and wait until it can be logged in to.
        case insert(name: String, zone: String, body: JSONValue)
        /// Make instances that are alike, and wait until they can be logged in to.
        case insertBulk(names: [String], zone: String, body: JSONValue)
        /// Wait until an instance can be logged in to.
        case awaitLogin(name: String, zone: String)
        case delete(name: String, zone: String)
        /// See how all instances of the run are.
        case list
        /// Delete what an earlier run left.
        case cleanUp(run: String)
        /// Look for what the run's pool has.
        case discover
        /// Take an instance of the pool.
        case claim(name: String, zone: String)
        /// Leave an instance to the pool.
        case release(name: String, zone: String)

        /// Whether it lasts as long as instances take to start.
        var isLong: Bool {
            switch self {
            case .insert, .insertBulk, .awaitLogin: true
            case .delete, .list, .cleanUp, .discover, .claim, .release: false
            }
        }
    }

    /// The outcome of a piece of work.
    enum Event: Sendable {
        case accepted(String)
        case insertFailed(String, CloudErrorKind, String)
        /// Some of those that were asked for at once; and whether the request was refused as a whole.
        case bulkFailed([String], CloudErrorKind, String, isRefused: Bool)
        case running(String)
        case reachable(String, address: String, hostKeys: [String])
        case unreachable(String, String)
        case deleted(String)
        case deleteFailed(String, String)
        /// By their names.
        case listed([String: CloudInstance])
        case listFailed(String)
        case cleanedUp(run: String, count: Int)
        case cleanUpFailed(run: String, String)
        case discovered([CloudInstance])
        case discoveryFailed(String)
        case claimed(CloudInstance)
        /// With what went wrong, where it is not another run's.
        case claimFailed(String, String?)
        case released(String)
        case releaseFailed(String, String)
    }

    /// Where things are asked, and as whom.
    struct Service: Sendable {
        let project: String
        let environment: CloudEnvironment
        let credentials: Credentials
        let limiter = RateLimiter()
        /// The label of the run's instances.
        let run: String
        /// Whether instances are reached from outside.
        let usesExternalAddress: Bool
        /// Whether instances have to say that they are prepared before they are used.
        let needsPreparation: Bool
        /// The run as its pool knows it.
        let member: PoolMember?

        func client(_ cancellation: Cancellation) throws(CloudError) -> ComputeClient {
            try ComputeClient(
                project: project, environment: environment, credentials: credentials, limiter: limiter,
                cancellation: cancellation)
        }
    }

    let service: Service
    private let pool: WorkerPool<Event>
    /// Ends the making of instances, and everything.
    let inserting = Cancellation()
    let everything = Cancellation()

    private static let threadLimit = 48
    /// How many of them may wait for instances: the others delete, and look.
    private static let waitingLimit = 40
    static let startLimit = Duration.seconds(600)

    init(_ service: Service) throws(SystemError) {
        pool = try WorkerPool(name: "google", limit: Self.threadLimit, longLimit: Self.waitingLimit)
        self.service = service
    }

    /// Signalled when there are events.
    var wakeup: EventFlag { pool.wakeup }

    func submit(_ job: Job) { pool.submit(isLong: job.isLong) { [self] in perform(job) } }

    /// The events since the last call.
    func takeEvents() -> [Event] { pool.takeOutcomes() }

    /// Ends the making of instances that is under way.
    func stopInserting() { inserting.cancel() }

    /// Ends all.
    func close() {
        pool.close()
        inserting.cancel()
        everything.cancel()
    }

    func tell(_ event: Event) { pool.deliver(event) }

    // MARK: Threads

    private func perform(_ job: Job) {
        switch job {
        case .insert(let name, let zone, let body): insert(name, zone, body)
        case .insertBulk(let names, let zone, let body): insertBulk(names, zone, body)
        case .awaitLogin(let name, let zone): awaitLogin(name, zone)
        case .delete(let name, let zone): delete(name, zone)
        case .list: list()
        case .cleanUp(let run): cleanUp(run)
        case .discover: discover()
        case .claim(let name, let zone): claim(name, zone)
        case .release(let name, let zone): release(name, zone)
        }
    }

    private func insert(_ name: String, _ zone: String, _ body: JSONValue) {
        do throws(CloudError) {
            let client = try service.client(inserting)
            let operation = try client.insert(body, zone: zone)
            tell(.accepted(name))
            try client.wait(for: operation, until: .now + Self.startLimit)
        } catch {
            return tell(.insertFailed(name, error.kind, error.description))
        }
        awaitLogin(name, zone)
    }

    private func awaitLogin(_ name: String, _ zone: String) {
        do throws(CloudError) {
            let (address, keys) = try login(try service.client(inserting), name, zone)
            tell(.reachable(name, address: address, hostKeys: keys))
        } catch {
            tell(.unreachable(name, error.description))
        }
    }

    /// Waits until an instance has said what its host keys are, and somebody listens there.
    private func login(
        _ client: ComputeClient, _ name: String, _ zone: String
    ) throws(CloudError) -> (address: String, hostKeys: [String]) {
        let action = "reach \(name)"
        let deadline = MonotonicTime.now + Self.startLimit
        var pause = Duration.milliseconds(250)
        var hasRun = false
        var lack = "it does not run"
        while MonotonicTime.now < deadline {
            guard let instance = try client.instance(name, zone: zone) else {
                throw CloudError(.notFound, action, "it is gone")
            }
            guard !instance.isEnding else { throw CloudError(.notFound, action, "it is \(instance.status)") }
            if instance.isRunning {
                if !hasRun { tell(.running(name)) }
                hasRun = true
                let address = service.usesExternalAddress ? instance.externalAddress : instance.internalAddress
                let keys = try client.hostKeys(name, zone: zone)
                if let address, !keys.isEmpty, try isPrepared(client, name, zone) {
                    if (try? TCPConnection.open(address, port: "22", seconds: 3)) != nil { return (address, keys) }
                    lack = "nobody answers at \(address) port 22; does the network let SSH in? see dbutil --gce-check"
                } else {
                    lack =
                        address == nil
                        ? "it has no address" : keys.isEmpty ? "it tells no host key" : "it is not prepared"
                }
            }
            guard inserting.wait(pause) else { throw CloudError(.cancelled, action, "given up") }
            pause = min(pause * 2, .seconds(4))
        }
        throw CloudError(.transport, action, "\(lack), after \(Self.startLimit.components.seconds) s")
    }

    private func isPrepared(_ client: ComputeClient, _ name: String, _ zone: String) throws(CloudError) -> Bool {
        guard service.needsPreparation else { return true }
        let word = try client.guestAttributes(name, zone: zone, namespace: "disbatch")["prepared"]
        guard let word, word != "yes" else { return word == "yes" }
        throw CloudError(.invalid, "prepare \(name)", word)
    }

    private func delete(_ name: String, _ zone: String) {
        do throws(CloudError) {
            let client = try service.client(everything)
            if let operation = try client.delete(instance: name, zone: zone) {
                try client.wait(for: operation, until: .now + Self.startLimit)
            }
            tell(.deleted(name))
        } catch {
            error.kind == .notFound ? tell(.deleted(name)) : tell(.deleteFailed(name, error.description))
        }
    }

    private func list() {
        do throws(CloudError) {
            let found = try service.client(everything).instances(labels: [CloudLabel.run: service.run])
            tell(.listed(Dictionary(found.map { ($0.name, $0) }) { first, _ in first }))
        } catch {
            tell(.listFailed(error.description))
        }
    }

    private func cleanUp(_ run: String) {
        do throws(CloudError) {
            let client = try service.client(everything)
            let found = try client.instances(labels: [CloudLabel.run: run])
            for instance in found { _ = try client.delete(instance: instance.name, zone: instance.zone) }
            tell(.cleanedUp(run: run, count: found.count))
        } catch {
            tell(.cleanUpFailed(run: run, error.description))
        }
    }
}
