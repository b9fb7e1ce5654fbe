import DisbatchCore
import Simulation
import Testing

/// Runs in which nothing works for a while, and then everything does.
@Suite("Simulated outages")
struct OutageTests {
    struct Run: Sendable, CustomTestStringConvertible {
        var engines = 4
        var contexts = 1
        var lease = 20.0
        var slots = 2
        var taskSeconds = 5.0
        /// How much longer than the lease the outage is, in seconds.
        var beyondLease = 11.0
        var testDescription: String {
            "\(engines) engines in \(contexts) contexts, lease \(lease) s, and \(beyondLease) s more"
        }

        func parameters(seed: Int) -> SimulationParameters {
            var parameters = SimulationParameters()
            parameters.seed = seed
            parameters.engines = engines
            parameters.contexts = contexts
            parameters.slots = slots
            parameters.lease = lease
            parameters.tasks = 100
            parameters.taskSeconds = taskSeconds
            // More than there is time for.
            parameters.reconnects = 30
            return parameters
        }

        var outageSeconds: Double { lease + beyondLease }
    }

    static let runs = [
        Run(), Run(contexts: 2, beyondLease: 40), Run(lease: 60, slots: 4, taskSeconds: 20, beyondLease: 200),
        Run(contexts: 2, lease: 5, slots: 1, taskSeconds: 1, beyondLease: 15),
        // With the only host, none is left while its replacement is not launched yet.
        Run(engines: 1, slots: 8),
    ]

    private func expectAllDone(_ report: SimulationReport) {
        #expect(report.violation == nil, "\(report.text)")
        #expect(report.ending == .completed, "\(report.text)")
        #expect(report.totals.finished == report.parameters.tasks && report.totals.lost == 0, "\(report.text)")
    }

    @Test("all hosts are cut off for longer than lease and grace, and every task is done", arguments: runs)
    func blackout(run: Run) {
        for seed in 0..<20 {
            var parameters = run.parameters(seed: seed)
            parameters.blackoutAt = 5 + Double(seed) / 4
            parameters.blackoutSeconds = run.outageSeconds
            let report = Simulation(parameters).run()
            expectAllDone(report)
            #expect(report.blackouts == 1 && report.totals.enginesLost >= run.engines, "\(report.text)")
            #expect(report.relaunches > 0, "\(report.text)")
        }
    }

    @Test("the driver stands still for longer than the lease, and nothing is run twice that had ended", arguments: runs)
    func standstill(run: Run) {
        for seed in 0..<20 {
            var parameters = run.parameters(seed: seed)
            parameters.sleepAt = 5 + Double(seed) / 4
            parameters.sleepSeconds = run.outageSeconds
            let report = Simulation(parameters).run()
            expectAllDone(report)
            #expect(report.wakes == 1 && report.repeats == 0, "\(report.text)\n\(report.repeats) run twice")
        }
    }
}
