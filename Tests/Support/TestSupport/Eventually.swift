import Glibc
import LinuxSystem

/// Whether a condition comes true within a time. For what gives no descriptor to wait for: another process's end, a
/// file, or the end of a pipe or socket, which programs that other tests start at that moment hold until they run.
package func eventually(within seconds: Int = 60, _ condition: () throws -> Bool) rethrows -> Bool {
    let limit = MonotonicTime.now + .seconds(seconds)
    while try !condition() {
        if MonotonicTime.now >= limit { return false }
        usleep(1000)
    }
    return true
}
