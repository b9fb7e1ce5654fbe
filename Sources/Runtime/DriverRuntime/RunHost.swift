import Glibc
import LinuxSystem

/// This machine and this process, as records name them.
enum RunHost {
    /// The machine's name.
    static let name = OwnHost.name

    static let pid: Int32 = getpid()

    /// The user's name, by the environment: a static program can't ask the name service.
    static var user: String {
        getenv("USER").map { String(cString: $0) } ?? getenv("LOGNAME").map { String(cString: $0) } ?? "\(getuid())"
    }
}
