import Glibc
package import LinuxSystem

/// A connection between two processes that share a secret: nobody else reads, changes or repeats what is said.
package final class SecureChannel: ByteChannel {
    private enum Stage {
        /// The other's greeting is awaited. Next: ``header``.
        case greeting
        /// The first bytes of its stream are awaited. Next: ``messages``.
        case header(receive: [UInt8])
        case messages(LinkCipher)
        /// The other has no secret, or is in error.
        case refused
    }

    package private(set) var descriptor: Int32
    package var hidesBytes: Bool { true }
    private let role: LinkRole
    private let handshake: LinkHandshake
    private var stage = Stage.greeting
    private var sender: LinkCipher?
    private var input: [UInt8] = []
    /// Whether the socket gave less than there was room for: then it has no more, and will tell when it has.
    private var isDrained = false
    /// Of the last message, what nobody has read yet.
    private var message: ArraySlice<UInt8> = []
    private var output: [UInt8] = []
    private var isOutputBroken = false
    /// Whether the other end proved that it has the secret: by a message, which nobody could repeat.
    package private(set) var isAuthenticated = false

    /// So much is taken to be sent, at most, before the socket takes it.
    private static let outputLimit = 1 << 18
    private static let longestSealed = LinkCipher.messageSize + LinkCipher.overhead

    /// Takes over a connected socket. The client sends its greeting at once.
    package init(_ socket: consuming Descriptor, secret: LinkSecret, role: LinkRole) throws(SystemError) {
        try socket.setNonBlocking()
        descriptor = socket.release()
        self.role = role
        handshake = LinkHandshake(secret, role)
        if role == .client { output = handshake.greeting() }
        flush()
    }

    deinit { close() }

    /// Whether the other's greeting has come: before it nothing is taken to be sent.
    package var takesBytes: Bool { sender != nil }

    /// Asking tries to send what waits.
    package var wantsToWrite: Bool {
        flush()
        return descriptor >= 0 && !output.isEmpty
    }

    // MARK: Reading

    /// Reads the peer's bytes; fails with EPROTO where the peer is not one to speak to.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
        while message.isEmpty {
            guard descriptor >= 0 else { return .ended }
            if case .refused = stage { return .failed(code: EPROTO) }
            if advance() { continue }
            if isDrained {
                isDrained = false
                return .wouldBlock
            }
            switch receive() {
            case .bytes: continue
            case let other: return other
            }
        }
        let count = min(buffer.count, message.count)
        message.prefix(count).withUnsafeBytes { buffer.copyMemory(from: $0) }
        message = message.dropFirst(count)
        return .bytes(count)
    }

    private func receive() -> TransferResult {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            let result = LinuxSystem.read(descriptor, into: buffer)
            if case .bytes(let count) = result {
                input.append(contentsOf: buffer[..<count])
                isDrained = count < buffer.count
            }
            return result
        }
    }

    /// Takes the next whole part of the input. False where it has not all come.
    private func advance() -> Bool {
        switch stage {
        case .greeting: takeGreeting()
        case .header(let key): takeHeader(key)
        case .messages(var cipher): takeMessage(&cipher)
        case .refused: false
        }
    }

    private func takeGreeting() -> Bool {
        // What is not the line that every greeting begins with is known for it at once.
        let line = LinkHandshake.line
        guard input.prefix(line.count).elementsEqual(line.prefix(input.count)) else { return refuse() }
        guard let greeting = takeInput(LinkHandshake.greetingSize) else { return false }
        guard let other = handshake.accept(greeting), let keys = handshake.keys(with: other) else { return refuse() }
        if role == .server { output += handshake.greeting(answering: other) }
        let (cipher, header) = LinkCipher.sending(key: keys.send)
        sender = cipher
        output += header
        // Without a message of ours the other can't know that we are no echo of an earlier connection.
        sealEmpty()
        stage = .header(receive: keys.receive)
        flush()
        return true
    }

    private func sealEmpty() { sender?.seal(UnsafeRawBufferPointer(start: nil, count: 0), into: &output) }

    private func takeHeader(_ key: [UInt8]) -> Bool {
        guard let header = takeInput(LinkCipher.headerSize) else { return false }
        guard let cipher = LinkCipher.receiving(key: key, header: header) else { return refuse() }
        stage = .messages(cipher)
        return true
    }

    private func takeMessage(_ cipher: inout LinkCipher) -> Bool {
        guard input.count >= 2 else { return false }
        let length = Int(input[0]) | Int(input[1]) << 8
        guard length >= LinkCipher.overhead, length <= Self.longestSealed else { return refuse() }
        guard let sealed = takeInput(2 + length) else { return false }
        guard let opened = cipher.open(sealed.dropFirst(2)) else { return refuse() }
        stage = .messages(cipher)
        isAuthenticated = true
        message = opened[...]
        return true
    }

    private func takeInput(_ count: Int) -> [UInt8]? {
        guard input.count >= count else { return nil }
        defer { input.removeFirst(count) }
        return Array(input[..<count])
    }

    private func refuse() -> Bool {
        stage = .refused
        input = []
        return true
    }

    // MARK: Writing

    /// Bytes that are taken may wait here until the next writing or asking for ``wantsToWrite``. None is taken before
    /// the other's greeting has come.
    package func write(_ bytes: UnsafeRawBufferPointer) -> TransferResult {
        guard descriptor >= 0, !isOutputBroken else { return .ended }
        guard sender != nil else { return .wouldBlock }
        var taken = 0
        while taken < bytes.count, output.count < Self.outputLimit {
            let part = UnsafeRawBufferPointer(
                rebasing: bytes[taken..<min(taken + LinkCipher.messageSize, bytes.count)])
            sender?.seal(part, into: &output)
            taken += part.count
        }
        flush()
        return taken > 0 || bytes.isEmpty ? .bytes(taken) : .wouldBlock
    }

    private func flush() {
        var sent = 0
        while sent < output.count, descriptor >= 0, !isOutputBroken {
            let result = output.withUnsafeBytes {
                LinuxSystem.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            switch result {
            case .bytes(let count): sent += count
            case .wouldBlock:
                output.removeFirst(sent)
                return
            case .ended, .failed: isOutputBroken = true
            }
        }
        output.removeAll(keepingCapacity: true)
    }

    /// See ``ByteChannel``.
    package func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }
}
