import Foundation
import TestSupport

@testable import EndToEndSupport

/// A real Grid Engine on this machine: hosts `sge1` to `sge3` of two slots each, with the parallel environment `mpi`,
/// for all tests of a run. It takes root.
final class GridEngineCluster: Sendable {
    private let service: TestService

    private static let only = Result { try GridEngineCluster() }

    /// The cluster, which is brought up for the first test that asks.
    ///
    /// - Throws: ``Tool/Failure`` where it can't be brought up: a failure of the test.
    static func shared() throws -> GridEngineCluster { try only.get() }

    private init() throws { service = try TestService("grid-engine-cluster", ["3", "2"]) }

    /// A program that runs a command, its arguments, on the host for submitting.
    var launcher: String { service.path + "/sge" }
}
