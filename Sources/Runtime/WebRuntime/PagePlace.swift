import DisbatchCore
import Glibc
import LinuxSystem

/// The page's address, and the file that holds it while the page is there.
struct PagePlace {
    private let url: String
    private let address: WebAddress
    private let path: String

    /// Writes `<prefix>_url`, for its owner alone: who knows the address sees the run.
    init(_ address: WebAddress, _ gate: WebGate, runFile: String) throws(SystemError) {
        path = RunPaths(runFile: runFile)[.pageAddress]
        let host = address.isAny ? OwnHost.name : address.shownHost
        url = "http://\(host):\(address.port)\(gate.path)"
        self.address = address
        try TextFile.replacePrivate(path, with: Array("\(url)\n".utf8))
    }

    /// The lines that tell the run's user where the page is.
    var announcement: [String] {
        guard address.isLoopback else { return ["the run's page: \(url)"] }
        return [
            "the run's page: \(url)",
            "from another machine, first: ssh -L \(address.port):\(address.shownHost):\(address.port) \(OwnHost.name)",
        ]
    }

    func remove() { unlink(path) }
}
