import Glibc

/// A call of the operating system that failed.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The action that failed, as words that "failed" can follow: `open /tmp/x`.
    package var action: String
    package var code: Int32
    /// A text that says more of the error than its code; nil where there is none.
    private var detail: String?

    package init(_ action: String, code: Int32, detail: String? = nil) {
        self.action = action
        self.code = code
        self.detail = detail
    }

    /// The error that the last call left in errno.
    package init(_ action: String) {
        self.init(action, code: errno)
    }

    /// The error's text alone: `No such file or directory`.
    package var reason: String { detail ?? String(cString: strerror(code)) }

    package var description: String { "\(action): \(reason)" }
}

/// Runs a call that answers -1 and sets errno on failure, again when a signal interrupted it.
@inline(__always)
func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
