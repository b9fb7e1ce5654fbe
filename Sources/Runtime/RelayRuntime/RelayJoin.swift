package import DisbatchCore
import LinuxSystem
package import RunClient

/// A relay's way to its driver: the run file, and the connections that it leads to one after the other.
package final class RelayJoin {
    private let runFile: String
    private let version: String
    private let stream = UInt64.random(in: 1 ... .max)
    package let name: String
    package private(set) var conditions: RelayConditions
    /// Nil while there is none.
    private(set) var connection: RunConnection?

    /// How long an address is tried, in seconds.
    private static let seconds = 5

    /// Connects, and says what this is.
    package init(runFile: String, version: String) throws(RunClientError) {
        self.runFile = runFile
        self.version = version
        let run = try RunFile.read(runFile)
        if let exitStatus = run.exitStatus {
            throw RunClientError("\(run.name): the run has ended, with exit status \(exitStatus)")
        }
        name = run.name
        conditions = RelayConditions()
        let (connection, conditions, _) = try connect(run, isNew: true, received: 0)
        self.connection = connection
        self.conditions = conditions
    }

    /// Connects again.
    ///
    /// - Returns: how many bytes of the stream have come to the driver.
    func connectAgain(received: UInt64) throws(RunClientError) -> UInt64 {
        let run = try RunFile.read(runFile)
        let (connection, _, count) = try connect(run, isNew: false, received: received)
        self.connection = connection
        return count
    }

    /// The run's end, in the words of the run file; nil where it says nothing of it.
    var summaryOfEndedRun: String? {
        guard let run = try? RunFile.read(runFile), run.exitStatus != nil else { return nil }
        return run.summary ?? "it ended"
    }

    func disconnect() {
        connection?.close()
        connection = nil
    }

    private func connect(
        _ run: RunFileText, isNew: Bool, received: UInt64
    ) throws(RunClientError) -> (RunConnection, RelayConditions, UInt64) {
        // A driver that many come to at once may take its time; who comes again has engines to look after meanwhile.
        let patience = isNew ? 30 : Self.seconds
        let connection = try RunConnection(run, version: version, seconds: Self.seconds, patience: patience)
        connection.send(.relay(stream: stream, isNew: isNew, received: received))
        switch try connection.receive(until: .now + .seconds(patience)) {
        case .relay(.welcome(let conditions, let count)): return (connection, conditions, count)
        case .answer(_, let text): throw RunClientError("\(run.name): \(text)", isFinal: true)
        default: throw RunClientError("\(run.name): its driver does not answer")
        }
    }
}
