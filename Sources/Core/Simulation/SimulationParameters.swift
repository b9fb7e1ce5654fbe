/// Everything that a simulated run depends on: the same parameters give the same run, event for event.
package struct SimulationParameters: Equatable, Sendable {
    package var seed = 1
    // The machines.
    package var engines = 10
    package var contexts = 1
    package var slots = 4
    /// How often a lost engine is launched again.
    package var reconnects = 0
    /// Seconds.
    package var delay = 0.001
    package var lease = 300.0
    // The tasks.
    package var tasks = 1000
    package var taskSeconds = 1.0
    package var failRate = 0.0
    package var barrierRate = 0.0
    package var checkRate = 0.0
    package var skipRate = 0.0
    package var skipFailRate = 0.0
    package var startCommands = 0
    package var stopCommands = 0
    package var perEngineFailRate = 0.0
    package var batch = 64
    /// How the source ends: 0 complete, 1 limited, 2 broken.
    package var sourceEnd = 0
    // What the user asked for.
    package var retries = 0
    package var maxLost = 3
    package var contextLimit = 0
    package var failFast = 0
    package var strictStart = 0
    package var lowWater = 1024
    package var retires = 0
    // What the user asks for on the way, at a time in seconds; 0: never.
    package var drainAt = 0.0
    /// 0 the run, 1 a context, 2 an engine.
    package var drainScope = 0
    package var stopAt = 0.0
    package var stopAgainAt = 0.0
    /// When a context's time is nearly over, and when it is told again; 0: never.
    package var endAt = 0.0
    package var endAgainAt = 0.0
    /// How often the user wants a task to end.
    package var kills = 0
    /// 0 an interrupt, 1 the status file broke.
    package var stopReason = 0
    // What goes wrong; rates are the share of engines that it happens to.
    package var deathRate = 0.0
    package var silenceRate = 0.0
    package var freezeRate = 0.0
    package var cutRate = 0.0
    package var oneWayCutRate = 0.0
    /// The share of engines on which tasks take ten times as long.
    package var slowRate = 0.0
    package var refusalRate = 0.0
    package var lateRate = 0.0
    /// The share of given up engines whose channel stays open, so that late reports come.
    package var lateReportRate = 0.0
    /// The share of engines that never send their hello.
    package var muteRate = 0.0
    /// When all hosts are cut off at once, and for how long; 0: never.
    package var blackoutAt = 0.0
    package var blackoutSeconds = 0.0
    /// When the driver stands still, and for how long; 0: never.
    package var sleepAt = 0.0
    package var sleepSeconds = 0.0
    /// When the allocation of the first context ends; 0: never.
    package var allocationSeconds = 0.0
    /// The share of tasks that don't end at SIGTERM.
    package var stubbornRate = 0.0
    /// Share of tasks that succeed whose files come home before their end is told of, for how long on average.
    package var stageOutRate = 0.0
    package var stageOutSeconds = 5.0

    package init() {}

    /// Small runs of all kinds, from the seed alone.
    package static func mixed(seed: Int) -> SimulationParameters {
        var random = SplitMix64(seed: UInt64(truncatingIfNeeded: seed) ^ 0x5eed)
        var result = SimulationParameters()
        result.seed = seed
        result.mixMachines(&random)
        result.mixTasks(&random)
        result.mixRequests(&random)
        if random.chance(0.7) { result.mixFaults(&random) }
        if random.chance(0.3) {
            result.stageOutRate = random.between(0, 1)
            result.stageOutSeconds = random.between(0.01, 20)
        }
        result.retires = random.chance(0.5) ? 1 : 0
        if random.chance(0.2) {
            result.endAt = random.between(0, result.likelySeconds)
            if random.chance(0.7) { result.endAgainAt = result.endAt + random.between(0, 15) }
        }
        if random.chance(0.4) { result.kills = random.whole(1...10) }
        if random.chance(0.5) { result.mixDriver(&random) }
        return result
    }

    /// Mixes the driver's own troubles: hosts that are all cut off, a machine that sleeps, the end of its allocation.
    private mutating func mixDriver(_ random: inout SplitMix64) {
        let length = likelySeconds
        if random.chance(0.3) { muteRate = random.between(0, 0.5) }
        if random.chance(0.4) {
            blackoutAt = random.between(0, length)
            blackoutSeconds = max(lease, 5) * random.between(0.1, 3)
        }
        if random.chance(0.4) {
            sleepAt = random.between(0, length)
            sleepSeconds = max(lease, 5) * random.between(0.1, 3)
        }
        if random.chance(0.3), lease > 0 { allocationSeconds = random.between(1, length + 10) }
    }

    private mutating func mixMachines(_ random: inout SplitMix64) {
        engines = random.whole(1...6)
        contexts = random.whole(1...2)
        slots = random.whole(1...4)
        reconnects = random.chance(0.5) ? random.whole(1...4) : 0
        delay = [0.0001, 0.002, 0.05, 0.4][random.whole(0...3)]
        lease = [0, 20, 60, 300][random.whole(0...3)]
    }

    private mutating func mixTasks(_ random: inout SplitMix64) {
        tasks = random.whole(0...120)
        taskSeconds = [0.001, 0.05, 1, 20, 200][random.whole(0...4)]
        if random.chance(0.6) { failRate = random.between(0, 0.4) }
        if random.chance(0.5) { barrierRate = random.between(0.01, 0.2) }
        if random.chance(0.3) { checkRate = random.between(0, 0.5) }
        if random.chance(0.3) { skipRate = random.between(0, 0.2) }
        if random.chance(0.3) { skipFailRate = random.between(0, 0.5) }
        if random.chance(0.4) { startCommands = random.whole(1...3) }
        if random.chance(0.4) { stopCommands = random.whole(1...3) }
        if random.chance(0.3) { perEngineFailRate = random.between(0, 0.5) }
        batch = [1, 7, 64][random.whole(0...2)]
        sourceEnd = random.chance(0.8) ? 0 : random.whole(1...2)
    }

    private mutating func mixRequests(_ random: inout SplitMix64) {
        retries = random.whole(0...2)
        maxLost = random.whole(0...3)
        contextLimit = random.chance(0.15) ? random.whole(1...max(1, tasks)) : 0
        failFast = random.chance(0.1) ? 1 : 0
        strictStart = random.chance(0.2) ? 1 : 0
        lowWater = [1, 5, 1024][random.whole(0...2)]
        let length = likelySeconds
        if random.chance(0.15) {
            drainAt = random.between(0, length)
            drainScope = random.whole(0...3)
        }
        guard random.chance(0.15) else { return }
        stopAt = random.between(0, length)
        stopReason = random.chance(0.2) ? 1 : 0
        if random.chance(0.5) { stopAgainAt = stopAt + random.between(0, 5) }
    }

    private mutating func mixFaults(_ random: inout SplitMix64) {
        if random.chance(0.5) { deathRate = random.between(0, 0.6) }
        if random.chance(0.5) { silenceRate = random.between(0, 0.5) }
        if random.chance(0.5) { freezeRate = random.between(0, 0.5) }
        if random.chance(0.5) { cutRate = random.between(0, 0.5) }
        if random.chance(0.3) { oneWayCutRate = random.between(0, 0.5) }
        if random.chance(0.2) { refusalRate = random.between(0, 0.5) }
        if random.chance(0.4) { lateRate = random.between(0, 0.7) }
        if random.chance(0.9) { lateReportRate = random.between(0.5, 1) }
        if random.chance(0.3) { stubbornRate = random.between(0, 0.5) }
    }

    /// About how long the run takes when nothing goes wrong: when requests and faults are worth having.
    package var likelySeconds: Double {
        1 + Double(tasks) * (taskSeconds + delay) / Double(max(1, engines * slots))
    }
}
