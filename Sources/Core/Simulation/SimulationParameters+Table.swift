extension SimulationParameters {
    /// One parameter as the command line of `simulate` names it.
    package struct Entry {
        package var name: String
        package var help: String
        private var path: Path

        private enum Path {
            case whole(WritableKeyPath<SimulationParameters, Int>)
            case real(WritableKeyPath<SimulationParameters, Double>)
        }

        init(_ name: String, _ path: WritableKeyPath<SimulationParameters, Int>, _ help: String) {
            (self.name, self.path, self.help) = (name, .whole(path), help)
        }

        init(_ name: String, _ path: WritableKeyPath<SimulationParameters, Double>, _ help: String) {
            (self.name, self.path, self.help) = (name, .real(path), help)
        }

        /// The value as text that ``set(_:in:)`` reads back exactly.
        package func text(in parameters: SimulationParameters) -> String {
            switch path {
            case .whole(let path): "\(parameters[keyPath: path])"
            case .real(let path): "\(parameters[keyPath: path])"
            }
        }

        /// Sets the value; false where the text is no number, or a negative one.
        package func set(_ text: String, in parameters: inout SimulationParameters) -> Bool {
            switch path {
            case .whole(let path):
                guard let value = Int(text), value >= 0 else { return false }
                parameters[keyPath: path] = value
            case .real(let path):
                guard let value = Double(text), value >= 0, value < 1e9 else { return false }
                parameters[keyPath: path] = value
            }
            return true
        }
    }

    /// All parameters, in the order of the help.
    package static var table: [Entry] {
        [
            Entry("seed", \.seed, "Where the random numbers begin."),
            Entry("engines", \.engines, "Engines at the start."),
            Entry("contexts", \.contexts, "Contexts that the engines are shared out to."),
            Entry("slots", \.slots, "Slots of the largest engines."),
            Entry("reconnects", \.reconnects, "How often a lost engine is launched again."),
            Entry("delay", \.delay, "Seconds that a message takes, on average."),
            Entry("lease", \.lease, "Seconds of the lease; 0 for none."),
            Entry("tasks", \.tasks, "Tasks to run."),
            Entry("task-seconds", \.taskSeconds, "Seconds that a task takes, on average."),
            Entry("fail-rate", \.failRate, "Share of attempts that fail."),
            Entry("barrier-rate", \.barrierRate, "Barriers per task."),
            Entry("check-rate", \.checkRate, "Share of barriers that check."),
            Entry("skip-rate", \.skipRate, "Skipped ranges per task."),
            Entry("skip-fail-rate", \.skipFailRate, "Share of skipped ranges with a failure."),
            Entry("start-commands", \.startCommands, "START commands."),
            Entry("stop-commands", \.stopCommands, "STOP commands."),
            Entry("per-engine-fail-rate", \.perEngineFailRate, "Share of per-engine commands that fail or hang."),
            Entry("batch", \.batch, "Items of the source that are read at once, at most."),
            Entry("source-end", \.sourceEnd, "How the source ends: 0 complete, 1 limited, 2 broken."),
            Entry("retries", \.retries, "As disbatch's option."),
            Entry("max-lost", \.maxLost, "As disbatch's option."),
            Entry("context-limit", \.contextLimit, "As disbatch's --context-task-limit; 0 for none."),
            Entry("fail-fast", \.failFast, "As disbatch's option, if 1."),
            Entry("strict-start", \.strictStart, "As disbatch's option, if 1."),
            Entry("low-water", \.lowWater, "The source is read while fewer items wait."),
            Entry("retires", \.retires, "Whether idle engines go before the end, if 1."),
            Entry("drain-at", \.drainAt, "Second of a drain; 0 for none."),
            Entry("drain-scope", \.drainScope, "What is drained: 0 the run, 1 a context, 2 an engine; 3: a hold."),
            Entry("end-at", \.endAt, "Second at which a context's time is nearly over; 0 for never."),
            Entry("end-again-at", \.endAgainAt, "Second at which that is told again; 0 for never."),
            Entry("kills", \.kills, "How often the user wants a task to end."),
            Entry("stop-at", \.stopAt, "Second of a stop; 0 for none."),
            Entry("stop-again-at", \.stopAgainAt, "Second of another stop; 0 for none."),
            Entry("stop-reason", \.stopReason, "Why it stops: 0 an interrupt, 1 the status file broke."),
            Entry("death-rate", \.deathRate, "Share of engines that die with their tasks."),
            Entry("silence-rate", \.silenceRate, "Share of engines whose channel ends while they live."),
            Entry("freeze-rate", \.freezeRate, "Share of engines that stand still for a while."),
            Entry("cut-rate", \.cutRate, "Share of engines not reached for a while."),
            Entry("one-way-cut-rate", \.oneWayCutRate, "Share of engines not heard of for a while."),
            Entry("slow-rate", \.slowRate, "Share of engines on which tasks take ten times as long."),
            Entry("refusal-rate", \.refusalRate, "Share of engines that never join."),
            Entry("late-rate", \.lateRate, "Share of engines that join late."),
            Entry("mute-rate", \.muteRate, "Share of engines that never send their hello."),
            Entry("blackout-at", \.blackoutAt, "Second at which all hosts are cut off; 0 for never."),
            Entry("blackout-seconds", \.blackoutSeconds, "How long they are."),
            Entry("sleep-at", \.sleepAt, "Second at which the driver stands still; 0 for never."),
            Entry("sleep-seconds", \.sleepSeconds, "How long it does."),
            Entry("allocation-seconds", \.allocationSeconds, "When the first context's allocation ends; 0 for never."),
            Entry("late-report-rate", \.lateReportRate, "Share of given up engines that still report."),
            Entry("stubborn-rate", \.stubbornRate, "Share of tasks that don't end at SIGTERM."),
            Entry("stage-out-rate", \.stageOutRate, "Share of tasks that succeed whose files come home first."),
            Entry("stage-out-seconds", \.stageOutSeconds, "How long that takes, on average."),
        ]
    }

    /// The command that plays exactly this run.
    package var command: String {
        let defaults = SimulationParameters()
        return Self.table.reduce("swift run simulate") { line, entry in
            let text = entry.text(in: self)
            return text == entry.text(in: defaults) && entry.name != "seed" ? line : "\(line) --\(entry.name) \(text)"
        }
    }
}
