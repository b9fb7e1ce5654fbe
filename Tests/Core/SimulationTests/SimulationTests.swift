import DisbatchCore
import Simulation
import Testing

@Suite("Simulated runs")
struct SimulationTests {
    @Test("keep every rule, whatever goes wrong", arguments: 0..<20)
    func mixedRuns(group: Int) {
        for seed in group * 10..<group * 10 + 10 {
            let report = Simulation(.mixed(seed: seed)).run()
            #expect(report.violation == nil, "\(report.text)")
        }
    }

    @Test("may end as a skipped failure is read, with others under way", arguments: [944, 1834])
    func skippedFailureEndsTheRun(seed: Int) {
        var parameters = SimulationParameters.mixed(seed: seed)
        parameters.stageOutRate = 0
        let report = Simulation(parameters).run()
        #expect(report.violation == nil, "\(report.text)")
        #expect(report.ending == .failedFast && report.totals.skippedFailed > 0, "\(report.text)")
    }

    @Test("of the same parameters are the same")
    func sameAgain() {
        for seed in 0..<20 {
            let parameters = SimulationParameters.mixed(seed: seed)
            #expect(Simulation(parameters).run() == Simulation(parameters).run())
        }
    }

    @Test("come to all that is to be tried")
    func everythingHappens() {
        let reports = (0..<200).map { Simulation(.mixed(seed: $0)).run() }
        let totals = reports.map(\.totals)
        #expect(totals.contains { $0.retried > 0 }, "no run retries")
        #expect(totals.contains { $0.lost > 0 }, "no run gives a task up")
        #expect(totals.contains { $0.skippedFailed > 0 }, "no run skips a failure")
        #expect(totals.contains { $0.perEngineFailed > 0 }, "no per-engine command fails")
        #expect(reports.contains { $0.lateReports > 0 }, "nothing is reported late")
        #expect(reports.contains { $0.recalls > 0 }, "nothing is asked back")
        #expect(reports.contains { $0.relaunches > 0 }, "no engine is launched again")
        #expect(reports.contains { $0.wakes > 0 }, "no driver stands still")
        #expect(reports.contains { $0.blackouts > 0 }, "no hosts are all cut off")
        #expect(reports.contains { $0.allocationEnds > 0 }, "no allocation ends")
        let endings = Set(reports.compactMap { $0.ending.map { "\($0)" } })
        #expect(endings.count == 7, "runs end as \(endings)")
    }

    @Test("cost no more for each event with more engines or more tasks", arguments: [(10, 30_000), (300, 3000)])
    func costIsFlat(engines: Int, tasks: Int) {
        var parameters = SimulationParameters()
        parameters.engines = engines
        parameters.reconnects = engines
        parameters.tasks = tasks
        parameters.taskSeconds = 10
        parameters.failRate = 0.02
        parameters.retries = 20
        parameters.maxLost = 100
        parameters.retires = 1
        parameters.deathRate = 0.1
        parameters.cutRate = 0.1
        parameters.slowRate = 0.1
        let report = Simulation(parameters).run()
        #expect(report.violation == nil, "\(report.text)")
        #expect(report.rows == tasks && report.totals.failed == 0, "\(report.text)")
        // Nearly all are lease tokens, each sent by one look; and an event of a task looks at the engine it goes to.
        #expect(report.looks < 3 * report.events, "\(report.looks) looks in \(report.events) events")
    }

    @Test("are told by a command that plays them again")
    func commandPlaysAgain() throws {
        for seed in 0..<50 {
            let parameters = SimulationParameters.mixed(seed: seed)
            var words = parameters.command.split(separator: " ").dropFirst(3)
            var again = SimulationParameters()
            while let word = words.popFirst() {
                let entry = try #require(SimulationParameters.table.first { "--\($0.name)" == word })
                let value = words.popFirst().map(String.init) ?? ""
                let isSet = entry.set(value, in: &again)
                #expect(isSet, "\(entry.name) \(value)")
            }
            #expect(again == parameters)
        }
    }

    @Test(
        "refuse values that mean nothing",
        arguments: [("engines", "two"), ("engines", "-1"), ("lease", "-0.5"), ("lease", "nan"), ("delay", "")])
    func badValues(name: String, text: String) throws {
        let entry = try #require(SimulationParameters.table.first { $0.name == name })
        var parameters = SimulationParameters()
        let isSet = entry.set(text, in: &parameters)
        #expect(!isSet)
        #expect(parameters == SimulationParameters())
    }
}
