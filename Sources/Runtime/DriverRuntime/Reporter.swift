import DisbatchCore

/// Tells the run's user and its log the same.
struct Reporter {
    let console: Console
    let log: RunLog

    /// What the run does, for its user to know; of more weight in the log.
    func note(_ text: String) {
        console.note(text)
        log.write(.warning, text)
    }

    func warn(_ text: String) {
        console.warn(text)
        log.write(.warning, text)
    }

    func error(_ text: String) {
        console.error(text)
        log.write(.error, text)
    }
}

extension Driver {
    var reporter: Reporter { Reporter(console: console, log: log) }
}
