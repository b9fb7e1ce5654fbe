import DisbatchCore

/// The one place for what a run says: to its user, and in the driver's log.
final class Reporter {
    let console: Console
    private let runLog: RunLog

    init(console: Console, log: RunLog) {
        self.console = console
        runLog = log
    }

    /// Writes a line into the log.
    func log(_ level: LogLevel, _ text: String) { runLog.write(level, text) }

    /// Shows the user a text.
    func show(_ level: LogLevel, _ text: String) {
        switch level {
        case .debug, .info: console.note(text)
        case .warning: console.warn(text)
        case .error, .critical: console.error(text)
        }
    }

    /// Does both.
    func report(_ level: LogLevel, _ text: String) {
        show(level, text)
        log(level, text)
    }
}
