import DisbatchCore
import Glibc
import Monitor
import Options
import RecordReading
import RunClient

/// What is done with a run by speaking to its driver.
enum LiveCommands {
    /// The exit status; nil where the action is another.
    static func run(_ options: DbutilOptions) -> Int32? {
        guard isLive(options.action) else { return nil }
        guard let prefix = DbutilProgram.prefix(options) else { return 1 }
        let path = prefix + RunFile.suffix
        do throws(RunClientError) { return try perform(options, path) } catch {
            let text = Array("dbutil: \(error)\n".utf8)
            _ = text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            return 1
        }
    }

    private static func isLive(_ action: DbutilOptions.Action) -> Bool {
        switch action {
        case .monitor, .status, .watch, .wait, .ask: true
        case .list, .show, .stats, .report, .rebuild, .remaining: false
        }
    }

    private static func perform(_ options: DbutilOptions, _ path: String) throws(RunClientError) -> Int32 {
        let commands = RunCommands(path: path, version: disbatchVersion)
        switch options.action {
        case .monitor: return try MonitorProgram.run(path: path, version: disbatchVersion)
        case .status: return try commands.status(asJSON: options.format == .json)
        case .watch: return try commands.watch()
        case .wait: return try commands.wait()
        case .ask(let request): return try commands.control(control(request))
        default: return 0
        }
    }

    private static func control(_ request: DbutilOptions.Request) -> RunControl {
        switch request {
        case .drain: .drain
        case .stop: .stop
        case .stopEngine(let rank): .stopEngine(EngineID(rank))
        case .stopContext(let label): .stopContext(label: label)
        }
    }
}
