import Glibc

/// This machine.
package enum OwnHost {
    /// Its name, as gethostname(2) gives it.
    package static let name: String = {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }()
}
