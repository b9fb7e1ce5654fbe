import Glibc

/// The environment of this process.
package enum OwnEnvironment {
    /// Every entry, as bytes: `NAME=VALUE`, or whatever else stands there.
    package static func entries() -> [[UInt8]] {
        let environment = Glibc.environ
        var result: [[UInt8]] = []
        var index = 0
        while let entry = environment[index] {
            result.append(Array(UnsafeRawBufferPointer(start: entry, count: strlen(entry))))
            index += 1
        }
        return result
    }
}

extension [UInt8] {
    /// Gives these bytes to `body` as a C string.
    package func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (self + [0]).withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
    }
}
