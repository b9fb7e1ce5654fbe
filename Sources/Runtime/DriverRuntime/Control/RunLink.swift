import DisbatchCore
import Glibc
import LinuxSystem
import SecureChannels

/// How a run is reached while it goes on: a port, who came to it, and the file that tells of both.
final class RunLink {
    let listener: LinkListener
    let secret: LinkSecret
    private let path: String
    private(set) var text: RunFileText
    var peers: [Int: LinkPeer] = [:]
    /// By the numbers of their streams.
    var relays: [UInt64: RelaySession] = [:]
    /// Those who follow a task's output.
    var followers: [TaskID: [LinkPeer]] = [:]
    var nextPeer = 0
    /// The latest failures, and how many there were in all.
    private(set) var failures = RingBuffer<FailureSnapshot>()
    private(set) var failureCount = 0
    var rate = RateMeter()
    /// Whether the port is not watched for want of descriptors.
    var isPaused = false

    /// Peers that have not shown that they may be here, and those that have.
    static let strangers = 64
    static let guests = 256
    private static let keptFailures = 50

    /// Listens, and writes the file.
    ///
    /// - Parameters:
    ///   - ports: those to try; 0 lets the system choose.
    ///   - announced: the host that others are to use, before all that this machine knows of itself.
    init(path: String, text: RunFileText, ports: ClosedRange<UInt16>, announced: String?) throws(SystemError) {
        listener = try LinkListener(ports: ports)
        secret = .random()
        self.path = path
        self.text = text
        let port = listener.port
        self.text.addresses = ((announced.map { [$0] } ?? []) + OwnAddresses.all()).map { "\($0):\(port)" }
        self.text.key = secret.hexadecimal
        try Self.write(self.text, to: path)
    }

    /// Writes a run file: for its owner alone, for it holds the key.
    static func write(_ text: RunFileText, to path: String) throws(SystemError) {
        try TextFile.replacePrivate(path, with: Array(text.json.utf8))
    }

    /// Writes the script by which users watch the run, and add contexts to it: it holds absolute paths, because a
    /// resource manager runs a copy of it somewhere else.
    ///
    /// - Parameters:
    ///   - program: the path of `dbutil`.
    ///   - prefix: what the run's files begin with.
    static func writeScript(_ path: String, program: String, prefix: String) throws(SystemError) {
        let text = """
            #!/bin/sh
            # --mon, --status and other actions of dbutil watch and control this run. Without one of them, a context is
            # added to it: of the allocation that this script runs in (sbatch -n 20 SCRIPT), or of hosts (-s HOST:4).
            [ $# -gt 0 ] || set -- --add
            exec \(ShellWord.quoted(program)) --run \(ShellWord.quoted(prefix)) "$@"

            """
        // Whoever waits until it is there may run it.
        try TextFile.replacePrivate(path, with: Array(text.utf8), isProgram: true)
    }

    /// Those who are told of the run again and again.
    var watcherCount: Int { peers.values.count { $0.hasGreeted && $0.interval != nil } }

    /// Keeps a failure for those who watch.
    func note(_ failure: FailureSnapshot) {
        failureCount += 1
        failures.append(failure)
        if failures.count > Self.keptFailures { _ = failures.popFirst() }
    }

    /// The failures since there were so many, those that are still known.
    func failures(since count: Int) -> [FailureSnapshot] {
        let first = failureCount - failures.count
        return (max(0, count - first)..<failures.count).map { failures[$0] }
    }

    /// Says in the file how the run ended, and takes the key out of it.
    func writeEnd(exitStatus: Int32, summary: String) {
        text.addresses = []
        text.key = nil
        text.exitStatus = exitStatus
        text.summary = summary
        try? Self.write(text, to: path)
    }

    /// Tells all peers how the run ended, waiting up to a second for those who don't read.
    func end(exitStatus: Int32, summary: String) {
        for peer in peers.values where peer.hasGreeted { peer.send(.ended(exitStatus: exitStatus, summary: summary)) }
        let limit = MonotonicTime.now + .seconds(1)
        var waiting = peers.values.filter(\.hasGreeted)
        while !waiting.isEmpty, MonotonicTime.now < limit {
            waiting = waiting.filter { $0.flush() && $0.wantsToWrite }
            var sockets = waiting.map { pollfd(fd: $0.channel.descriptor, events: Int16(POLLOUT), revents: 0) }
            if !sockets.isEmpty { poll(&sockets, nfds_t(sockets.count), 50) }
        }
        for peer in peers.values { peer.channel.close() }
        peers = [:]
    }
}
