import DisbatchCore
package import LinuxSystem

extension ProcessEnd {
    /// The end as ``EngineEnd/status`` has it.
    package var engineStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let number): -number
        }
    }
}
