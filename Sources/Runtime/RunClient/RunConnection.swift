package import DisbatchCore
import Glibc
package import LinuxSystem
import SecureChannels

/// A connection to a run's driver, for a program that has nothing else to wait for.
package final class RunConnection {
    private let channel: SecureChannel
    private var writer = FrameWriter()
    private var frames = FrameBuffer()
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private let name: String

    /// Connects to the driver of a run that goes on.
    ///
    /// - Parameters:
    ///   - seconds: how long each address is tried.
    ///   - patience: how long the driver's greeting is awaited, in seconds.
    package init(
        _ run: RunFileText, version: String, seconds: Int = 5, patience: Int = 5
    ) throws(RunClientError) {
        name = run.name
        guard let key = run.key.flatMap({ LinkSecret(hexadecimal: $0) }), !run.addresses.isEmpty else {
            throw RunClientError("\(run.name): its driver has no port (--no-listen)")
        }
        channel = try Self.connect(run, key, seconds: seconds)
        try greet(version, patience: patience)
    }

    private static func connect(
        _ run: RunFileText, _ key: LinkSecret, seconds: Int
    ) throws(RunClientError) -> SecureChannel {
        var trouble: [String] = []
        for address in ordered(run) {
            do throws(SystemError) {
                return try SecureChannel(connect(address, seconds: seconds), secret: key, role: .client)
            } catch {
                trouble.append("\(address): \(error.reason)")
            }
        }
        throw RunClientError(
            "\(run.name): its driver (process \(run.pid) on \(run.host)) can't be reached, or is gone: "
                + trouble.joined(separator: "; ")
                + "\nWhere a firewall is between, see --listen-ports and --use-address of disbatch")
    }

    /// On the driver's own machine loopback is sure to be the right way.
    private static func ordered(_ run: RunFileText) -> [String] {
        guard OwnHost.name == run.host else { return run.addresses.filter { !$0.hasPrefix("127.") } }
        return run.addresses.filter { $0.hasPrefix("127.") } + run.addresses.filter { !$0.hasPrefix("127.") }
    }

    private static func connect(_ address: String, seconds: Int) throws(SystemError) -> Descriptor {
        guard let colon = address.lastIndex(of: ":") else { throw SystemError("connect", code: EINVAL) }
        var host = address[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return try TCPConnection.open(
            String(host), port: String(address[address.index(after: colon)...]), seconds: seconds)
    }

    private func greet(_ version: String, patience: Int) throws(RunClientError) {
        send(.hello(version: version, protocolVersion: LinkProtocol.version))
        guard let answer = try receive(until: MonotonicTime.now + .seconds(patience)) else {
            throw RunClientError(
                "\(name): its driver did not answer within \(patience) s; it may be stopped, or its machine be busy")
        }
        guard case .welcome(let theirs, let protocolVersion, _) = answer else {
            throw RunClientError(
                "\(name): its driver does not answer as it should; was the run started anew, with another key?")
        }
        guard protocolVersion == LinkProtocol.version else {
            throw RunClientError(
                "\(name): it is run by disbatch \(theirs), and this is dbutil \(version); use that version's dbutil")
        }
    }

    /// Ends it.
    package func close() { channel.close() }

    /// The descriptor to watch for more to read.
    package var descriptor: Int32 { channel.descriptor }

    /// Sends a message, as soon as it can go.
    package func send(_ frame: ClientFrame) {
        frame.encode(into: &writer)
        flush()
    }

    /// Whether something waits to be sent for want of room.
    package var wantsToWrite: Bool { !writer.isEmpty && channel.takesBytes || channel.wantsToWrite }

    /// How many bytes wait to be sent.
    package var unsentCount: Int { writer.count }

    /// Sends what is taken now.
    package func flush() {
        while !writer.isEmpty, case .bytes(let count) = writer.withUnsafeBytes({ channel.write($0) }) {
            writer.drop(count)
        }
    }

    /// The next message; nil at the deadline.
    ///
    /// - Parameter deadline: nil waits as long as it takes.
    package func receive(until deadline: MonotonicTime?) throws(RunClientError) -> ServerFrame? {
        while true {
            if let frame = try next() { return frame }
            if let deadline, MonotonicTime.now >= deadline { return nil }
            var wait = pollfd(fd: channel.descriptor, events: Int16(POLLIN), revents: 0)
            if wantsToWrite { wait.events |= Int16(POLLOUT) }
            poll(&wait, 1, deadline.map { $0.millisecondsFromNow } ?? -1)
            flush()
        }
    }

    /// The next message, if one has come.
    package func next() throws(RunClientError) -> ServerFrame? {
        while true {
            do throws(WireError) {
                let frame = try frames.next { (kind, reader) throws(WireError) in
                    try ServerFrame.decode(kind: kind, &reader)
                }
                if let frame { return frame }
            } catch {
                throw RunClientError("\(name): its driver sent \(error)")
            }
            switch buffer.withUnsafeMutableBytes({ channel.read(into: $0) }) {
            case .bytes(let count):
                buffer.withUnsafeBytes { frames.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            case .wouldBlock: return nil
            case .ended, .failed:
                throw RunClientError(
                    channel.isAuthenticated
                        ? "\(name): its driver has gone without a word; -r continues the run"
                        : "\(name): its driver refuses this key; was the run started anew?")
            }
        }
    }
}
