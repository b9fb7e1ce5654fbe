import CCrypto
import DisbatchCore

/// Signs as RS256 of JSON Web Signatures asks: RSASSA-PKCS1-v1_5 with SHA-256.
enum RSASigner {
    /// The signature of a text; nil where the key is no RSA key in PEM, or has a password.
    static func signature(of text: String, key: Secret) -> [UInt8]? {
        guard let pair = read(key) else { return nil }
        defer { EVP_PKEY_free(pair) }
        guard EVP_PKEY_get_base_id(pair) == EVP_PKEY_RSA, let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        let bytes = Array(text.utf8)
        var count = 0
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, pair) == 1,
            EVP_DigestSign(context, nil, &count, bytes, bytes.count) == 1
        else { return nil }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, bytes, bytes.count) == 1 else { return nil }
        return Array(signature.prefix(count))
    }

    private static func read(_ key: Secret) -> OpaquePointer? {
        // What failed before is no concern of who looks at errors later.
        defer { ERR_clear_error() }
        let bytes = Array(key.text.utf8)
        return bytes.withUnsafeBytes { buffer in
            guard let source = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
            defer { BIO_free(source) }
            // Without this, OpenSSL would ask at the terminal.
            return PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil)
        }
    }
}
