import CSodium

/// One way of a link: messages in an order that nobody can change, repeat, shorten or read (XChaCha20-Poly1305).
struct LinkCipher {
    /// The bytes that come before the first message.
    static let headerSize = 24
    /// The longest message.
    static let messageSize = 32 << 10
    /// The number of bytes that encryption adds to a message.
    static let overhead = 17

    private var state = crypto_secretstream_xchacha20poly1305_state()

    /// The sending end, and what it sends first.
    static func sending(key: [UInt8]) -> (cipher: LinkCipher, header: [UInt8]) {
        var cipher = LinkCipher()
        var header = [UInt8](repeating: 0, count: headerSize)
        crypto_secretstream_xchacha20poly1305_init_push(&cipher.state, &header, key)
        return (cipher, header)
    }

    /// The receiving end.
    static func receiving(key: [UInt8], header: [UInt8]) -> LinkCipher? {
        var cipher = LinkCipher()
        return crypto_secretstream_xchacha20poly1305_init_pull(&cipher.state, header, key) == 0 ? cipher : nil
    }

    /// Appends a message to `bytes`: its length in two bytes, little-endian, and itself.
    mutating func seal(_ message: UnsafeRawBufferPointer, into bytes: inout [UInt8]) {
        let length = message.count + Self.overhead
        let start = bytes.count
        bytes.append(UInt8(truncatingIfNeeded: length))
        bytes.append(UInt8(truncatingIfNeeded: length >> 8))
        bytes.append(contentsOf: repeatElement(0, count: length))
        bytes.withUnsafeMutableBytes { out in
            _ = crypto_secretstream_xchacha20poly1305_push(
                &state, out.baseAddress! + start + 2, nil, message.baseAddress, UInt64(message.count), nil, 0, 0)
        }
    }

    /// The message that was sealed; nil where that is not what it is.
    mutating func open(_ sealed: ArraySlice<UInt8>) -> [UInt8]? {
        guard sealed.count >= Self.overhead else { return nil }
        var message = [UInt8](repeating: 0, count: sealed.count - Self.overhead)
        var tag: UInt8 = 0
        let code = sealed.withUnsafeBytes { sealed in
            message.withUnsafeMutableBytes { message in
                crypto_secretstream_xchacha20poly1305_pull(
                    &state, message.baseAddress, nil, &tag, sealed.baseAddress!, UInt64(sealed.count), nil, 0)
            }
        }
        return code == 0 ? message : nil
    }
}
