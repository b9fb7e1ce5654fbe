import Glibc
import LinuxSystem
import Options
import Simulation

/// The request that the arguments make.
struct Request {
    var parameters = SimulationParameters()
    /// How many seeds, from the given one on.
    var seeds = 1
    /// Whether the seed alone decides everything.
    var isMixed = false
    var isMeasured = false
    var isTraced = false
}

/// Plays runs on a virtual clock, as its arguments say.
enum SimulateProgram {
    /// The table of options: one for each parameter, and what to do with them.
    private static func makeTable() -> OptionTable {
        let defaults = SimulationParameters()
        let parameters = SimulationParameters.table.map { entry in
            OptionSpec(entry.name, value: .required("N"), help: "\(entry.help) Default: \(entry.text(in: defaults)).")
        }
        return OptionTable(
            program: "simulate", synopses: ["[options]"],
            summary:
                "Play runs of disbatch's scheduler on a virtual clock, with engines and messages that fail, and check "
                + "them. The same parameters give the same run.",
            groups: [
                OptionTable.Group(
                    "Runs",
                    options: [
                        OptionSpec(
                            "seeds", value: .required("COUNT"), help: "Play so many runs, with seeds from --seed on."),
                        OptionSpec("mixed", help: "Draw all other parameters from the seed, too."),
                        OptionSpec("trace", help: "Print everything that happens."),
                        OptionSpec("measure", help: "Check rows alone, and measure time and memory."),
                        OptionSpec.help,
                    ]),
                OptionTable.Group("Parameters", options: parameters),
            ])
    }

    private static func read(_ parsed: ParsedOptions) throws(OptionError) -> Request {
        var request = Request()
        for entry in SimulationParameters.table {
            guard let text = parsed.value(of: entry.name) else { continue }
            guard entry.set(text, in: &request.parameters) else {
                throw OptionError(.badValue, "--\(entry.name) takes a number, not \(text)")
            }
        }
        if let text = parsed.value(of: "seeds") {
            guard let count = Int(text), count > 0 else {
                throw OptionError(.badValue, "--seeds takes a number, not \(text)")
            }
            request.seeds = count
        }
        request.isMixed = parsed.contains("mixed")
        request.isTraced = parsed.contains("trace")
        request.isMeasured = parsed.contains("measure")
        return request
    }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Plays a run; of the scheduler's time, what other processes and reading the clock took is taken off.
    private static func measured(_ simulation: Simulation) -> SimulationReport {
        let rounds: UInt64 = 100_000
        let before = nanoseconds(CLOCK_PROCESS_CPUTIME_ID)
        for _ in 0..<rounds { _ = nanoseconds(CLOCK_MONOTONIC) }
        let reading = (nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - before) / rounds
        let start = (wall: nanoseconds(CLOCK_MONOTONIC), own: nanoseconds(CLOCK_PROCESS_CPUTIME_ID))
        var report = simulation.run()
        let wall = nanoseconds(CLOCK_MONOTONIC) - start.wall
        let share = Double(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - start.own) / Double(max(1, wall))
        let own = UInt64(Double(report.schedulerNanoseconds) * min(1, share))
        report.schedulerNanoseconds = own - min(own, reading * UInt64(report.events))
        return report
    }

    private static func processText(_ report: SimulationReport) -> String {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        let microseconds = seconds * 1_000_000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return "\(microseconds / 1_000_000) s of CPU, \(microseconds * 1000 / max(1, report.events)) ns an event; "
            + "peak memory \(usage.ru_maxrss) kB"
    }

    private static func play(_ request: Request) -> Int32 {
        var failures = 0
        for seed in request.parameters.seed..<request.parameters.seed + request.seeds {
            var parameters = request.isMixed ? SimulationParameters.mixed(seed: seed) : request.parameters
            parameters.seed = seed
            let clock: (() -> UInt64)? = request.isMeasured ? { nanoseconds(CLOCK_MONOTONIC) } : nil
            let simulation = Simulation(parameters, clock: clock)
            if request.isTraced { simulation.trace = { print($0) } }
            let report = request.isMeasured ? measured(simulation) : simulation.run()
            if report.violation != nil { failures += 1 }
            if report.violation != nil || request.seeds == 1 { print(report.text) }
            if request.isMeasured { print("  process: \(processText(report))") }
        }
        if request.seeds > 1 { print("\(request.seeds) runs, \(failures) with a violation") }
        return failures == 0 ? 0 : 1
    }

    /// The whole program: reads the arguments, plays the runs that they ask for. Returns the exit status.
    static func run() -> Int32 {
        let table = makeTable()
        do {
            let parsed = try OptionParser(table).parse(Array(CommandLine.arguments.dropFirst()))
            if parsed.immediate != nil {
                print(helpText(for: table), terminator: "")
                return 0
            }
            return play(try read(parsed))
        } catch {
            StandardStream.error.write(error.report(program: "simulate"))
            return 2
        }
    }
}
