import Glibc
package import LinuxSystem

/// Connects to hosts on threads of its own, many at once, and gives the loop their channels.
package final class SSHDialer: Sendable {
    /// The outcome of dialling a host.
    package struct Outcome: Sendable {
        package let token: Int
        package let result: Result<LibSSH2Channel, SSHError>
    }

    private struct Job {
        let host: String
        let command: String
        /// For the channel.
        let errors: Int32
        /// Our own of the same file: a thread that is left behind must not write to a number that is another's by
        /// then.
        let log: SharedDescriptor
    }

    /// A descriptor that is closed with the last that uses it.
    private final class SharedDescriptor: Sendable {
        let raw: Int32

        /// Makes another of the same file.
        init(copying raw: Int32) { self.raw = fcntl(raw, F_DUPFD_CLOEXEC, 3) }

        deinit { if raw >= 0 { Glibc.close(raw) } }
    }

    /// The greatest number of hosts that are connected to at once.
    private static let limit = 32
    /// The time limit of each part of connecting, in seconds, unless the user says otherwise.
    private static let patience = 30

    /// The greatest number of a host's addresses that get their full time.
    private static let addresses = 3

    private let pool: WorkerPool<Outcome>
    private let abort: EventFlag
    private let client: String

    /// - Parameter client: the path of OpenSSH's client, which knows the user's configuration and reaches jump hosts.
    package init(client: String) throws(SystemError) {
        pool = try WorkerPool(name: "ssh dialer", limit: Self.limit)
        abort = try EventFlag()
        self.client = client
    }

    deinit { close() }

    /// Signalled when there is something to take.
    package var wakeup: EventFlag { pool.wakeup }

    /// Begins to connect to a host and to start a command there.
    ///
    /// - Parameters:
    ///   - token: what the outcome is known by.
    ///   - host: as the user calls it.
    ///   - command: a line for the login shell.
    ///   - errors: a descriptor of a file, where the command's standard error goes. It must stay open as long as
    ///     there is a channel.
    package func dial(token: Int, host: String, command: String, errors: Int32) {
        let job = Job(host: host, command: command, errors: errors, log: SharedDescriptor(copying: errors))
        let (pool, abort, client) = (self.pool, self.abort, self.client)
        let deliver: @Sendable (Result<LibSSH2Channel, SSHError>) -> Void = { result in
            if !pool.deliver(Outcome(token: token, result: result)) { try? result.get().close() }
        }
        let refused: @Sendable (WorkerThread.StartError) -> Void = { error in
            deliver(.failure(SSHError(.network, "\(error)")))
        }
        pool.submit(refused: refused) {
            deliver(Self.connect(job, client: client, abort: abort.raw))
        }
    }

    /// The outcomes since the last call. For one thread.
    package func takeResults() -> [Outcome] { pool.takeOutcomes() }

    /// Gives up what is under way. What is not taken by then is closed; nothing comes afterwards. Where a proxy is slow
    /// to end, this waits for it, 2.5 s at most.
    package func close() {
        let left = pool.close()
        abort.signal()
        for outcome in left { try? outcome.result.get().close() }
        let start = MonotonicTime.now
        // They leave at once, but for one that waits for a disk: that one ends alone.
        pool.awaitEnd(until: start + .seconds(1))
        // One that does not end by itself has been told to by then.
        HostConnection.awaitProxies(until: start + .milliseconds(2500))
    }

    // MARK: Threads

    private static func connect(_ job: Job, client: String, abort: Int32) -> Result<LibSSH2Channel, SSHError> {
        Result { () throws(SSHError) in
            func attempt(_ seconds: Int) -> SSHAttempt {
                SSHAttempt(abort: abort, deadline: MonotonicTime.now + .seconds(seconds))
            }
            let configuration = try configuration(of: job.host, client: client, attempt(patience))
            if let option = configuration.unsupported {
                throw SSHError(.needsOpenSSH, "its configuration has \(option), which libssh2 lacks")
            }
            let limit = configuration.connectTimeout ?? patience
            let said = ErrorLog(job.log.raw)
            let connection = try HostConnection.open(
                configuration, client: client, errors: job.log.raw, limit: limit, attempt(Self.addresses * limit))
            do throws(SSHError) {
                let session = try SSHSession(
                    configuration, connection, attempt(connection.proxy == nil ? limit : 2 * limit))
                try session.greet()
                session.attempt = attempt(limit)
                try session.logIn()
                session.attempt = attempt(limit)
                return try session.execute(job.command, errors: job.errors)
            } catch {
                throw connection.proxy == nil ? error : said.explain(error)
            }
        }
    }

    /// Asks OpenSSH's client how a host is to be reached.
    static func configuration(
        of host: String, client: String, _ attempt: SSHAttempt
    ) throws(SSHError) -> ResolvedSSHConfiguration {
        guard let answer = try attempt.output(of: [client, "-G", "--", host]) else {
            throw SSHError(.network, "\(client) -G gave no answer in time")
        }
        guard answer.status == 0 else {
            let reason = answer.text.split(separator: "\n").suffix(2).joined(separator: "; ")
            throw SSHError(.permanent, "\(client) -G \(host): \(reason)")
        }
        return ResolvedSSHConfiguration(host: host, output: answer.text, .own)
    }
}
