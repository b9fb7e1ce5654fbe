/// The wishes of a run's user that concern the driver's machine, beside those for the scheduler.
package struct DriverPolicy: Equatable, Sendable {
    /// The version of the driver; engines must be of the same.
    package var version = ""
    /// How long an engine may take to say what it is, once its first line has come.
    package var greetingTimeout = Duration.seconds(60)
    /// How often in a row an engine on another machine that was lost is launched again (`--reconnect`).
    package var reconnects = 5
    /// How long tasks on other machines live without a word from the driver.
    package var lease = Duration.seconds(300)
    /// How much longer is waited before what lives by a lease is taken for dead.
    package var grace = Duration.seconds(10)
    /// Whether contexts will come that the run has to wait for: by `-S`, or by a helper.
    package var waitsForContexts = false
    package var helperBringsContext = false
    /// The tasks of a source that could be counted.
    package var totalTasks: Int?
    /// The beginning of the names of this run's steps, in an allocation that others may use too.
    package var stepPrefix = "disbatch"
    /// Guards of engines of earlier runs that may have left something, each with its node.
    package var earlierGuards: [String: String] = [:]

    package init() {}
}
