import Glibc
import LinuxSystem
import WebPage

/// The page's address, and the file that holds it while the page is there.
struct PagePlace {
    private let url: String
    private let address: WebAddress
    private let path: String

    /// Writes `<prefix>_url`, for its owner alone: who knows the address sees the run.
    init(_ address: WebAddress, _ gate: WebGate, runFile: String) throws(SystemError) {
        let suffix = "_run.json"
        path = (runFile.hasSuffix(suffix) ? String(runFile.dropLast(suffix.count)) : runFile) + "_url"
        let host = address.isAny ? OwnHost.name : address.shownHost
        url = "http://\(host):\(address.port)\(gate.path)"
        self.address = address
        let draft = "\(path).\(getpid()).new"
        unlink(draft)
        let file = try Descriptor.open(draft, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        try file.writeAll(Array("\(url)\n".utf8))
        guard rename(draft, path) == 0 else {
            let code = errno
            unlink(draft)
            throw SystemError("write \(path)", code: code)
        }
    }

    /// What the run's user is told.
    var announcement: [String] {
        guard address.isLoopback else { return ["the run's page: \(url)"] }
        return [
            "the run's page: \(url)",
            "from another machine, first: ssh -L \(address.port):\(address.shownHost):\(address.port) \(OwnHost.name)",
        ]
    }

    func remove() { unlink(path) }
}
