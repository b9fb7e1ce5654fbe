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

/// The directory in which the driver was started and its tasks run.
enum WorkingDirectory {
    /// By the shell's name for it where that is right, so that symbolic links stay as the user sees them.
    static let path: String = {
        if let name = getenv("PWD").map({ String(cString: $0) }), name.hasPrefix("/"),
            let named = RunFiles.identity(of: name), let actual = RunFiles.identity(of: "."), named == actual
        {
            return name
        }
        guard let raw = getcwd(nil, 0) else { return "/" }
        defer { free(raw) }
        return String(cString: raw)
    }()
}
