import DisbatchCore
import GoogleAPI
import LinuxSystem

/// Threads that ask things of Google: each request may take seconds, and what it began minutes.
final class CloudWorkers: Sendable {
    /// What is to be done.
    enum Job: Sendable {
        /// Make an instance, and wait until it can be logged in to.
        case make(name: String, zone: String, body: JSONValue)
        /// Make instances that are alike, and wait until they can be logged in to.
        case makeBulk(names: [String], zone: String, body: JSONValue)
        /// Wait until an instance can be logged in to.
        case watch(name: String, zone: String)
        case delete(name: String, zone: String)
        /// See how all instances of the run are.
        case look
        /// Delete what an earlier run left.
        case sweep(run: String)
        /// Look for what the run's pool has.
        case find
        /// Take an instance of the pool.
        case claim(name: String, zone: String)
        /// Leave an instance to the pool.
        case release(name: String, zone: String)

        /// Whether it lasts as long as instances take to start.
        var isLong: Bool {
            switch self {
            case .make, .makeBulk, .watch: true
            case .delete, .look, .sweep, .find, .claim, .release: false
            }
        }
    }

    /// What came of it.
    enum News: Sendable {
        case accepted(String)
        case notMade(String, CloudErrorKind, String)
        /// Some of those that were asked for at once; and whether the request was refused as a whole.
        case bulkNotMade([String], CloudErrorKind, String, isRefused: Bool)
        case running(String)
        case reachable(String, address: String, hostKeys: [String])
        case unreachable(String, String)
        case deleted(String)
        case notDeleted(String, String)
        /// By their names.
        case seen([String: CloudInstance])
        case notSeen(String)
        case swept(run: String, count: Int)
        case notSwept(run: String, String)
        case found([CloudInstance])
        case notFound(String)
        case claimed(CloudInstance)
        /// With what went wrong, where it is not another run's.
        case notClaimed(String, String?)
        case released(String)
        case notReleased(String, String)
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
    private let pool: WorkerPool<News>
    /// Ends the making of instances, and everything.
    let making = Cancellation()
    let everything = Cancellation()

    private static let threadLimit = 48
    /// How many of them may wait for instances: the others delete, and look.
    private static let waitingLimit = 40
    static let startLimit = Duration.seconds(600)

    init(_ service: Service) throws(SystemError) {
        pool = try WorkerPool(name: "google", limit: Self.threadLimit, longLimit: Self.waitingLimit)
        self.service = service
    }

    /// Signalled when there is news.
    var wakeup: EventFlag { pool.wakeup }

    func submit(_ job: Job) { pool.submit(isLong: job.isLong) { [self] in perform(job) } }

    /// What there is to know; each is given once.
    func takeNews() -> [News] { pool.takeOutcomes() }

    /// Ends the making of instances that is under way.
    func stopMaking() { making.cancel() }

    /// Ends all.
    func close() {
        pool.close()
        making.cancel()
        everything.cancel()
    }

    func tell(_ news: News) { pool.deliver(news) }

    // MARK: Threads

    private func perform(_ job: Job) {
        switch job {
        case .make(let name, let zone, let body): make(name, zone, body)
        case .makeBulk(let names, let zone, let body): makeBulk(names, zone, body)
        case .watch(let name, let zone): watch(name, zone)
        case .delete(let name, let zone): delete(name, zone)
        case .look: look()
        case .sweep(let run): sweep(run)
        case .find: find()
        case .claim(let name, let zone): claim(name, zone)
        case .release(let name, let zone): release(name, zone)
        }
    }

    private func make(_ name: String, _ zone: String, _ body: JSONValue) {
        do throws(CloudError) {
            let client = try service.client(making)
            let operation = try client.insert(body, zone: zone)
            tell(.accepted(name))
            try client.wait(for: operation, until: .now + Self.startLimit)
        } catch {
            return tell(.notMade(name, error.kind, error.description))
        }
        watch(name, zone)
    }

    private func watch(_ name: String, _ zone: String) {
        do throws(CloudError) {
            let (address, keys) = try awaitLogin(try service.client(making), name, zone)
            tell(.reachable(name, address: address, hostKeys: keys))
        } catch {
            tell(.unreachable(name, error.description))
        }
    }

    /// Waits until an instance has said what its host keys are, and somebody listens there.
    private func awaitLogin(
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
            guard making.wait(pause) else { throw CloudError(.cancelled, action, "given up") }
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
            error.kind == .notFound ? tell(.deleted(name)) : tell(.notDeleted(name, error.description))
        }
    }

    private func look() {
        do throws(CloudError) {
            let found = try service.client(everything).instances(labels: [CloudLabel.run: service.run])
            tell(.seen(Dictionary(found.map { ($0.name, $0) }) { first, _ in first }))
        } catch {
            tell(.notSeen(error.description))
        }
    }

    private func sweep(_ run: String) {
        do throws(CloudError) {
            let client = try service.client(everything)
            let found = try client.instances(labels: [CloudLabel.run: run])
            for instance in found { _ = try client.delete(instance: instance.name, zone: instance.zone) }
            tell(.swept(run: run, count: found.count))
        } catch {
            tell(.notSwept(run: run, error.description))
        }
    }
}
