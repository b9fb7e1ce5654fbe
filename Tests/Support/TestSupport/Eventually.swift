import Glibc

/// Whether a condition comes true within a time, asked each millisecond. For what follows in no time but not at once:
/// the end of a pipe or socket, say, which programs that other tests start at that moment hold until they run.
package func eventually(within seconds: Int = 20, _ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<seconds * 1000 {
        if try condition() { return true }
        usleep(1000)
    }
    return try condition()
}
