import Glibc
import LinuxSystem

/// The table that guard and engine share in memory: the process groups of the tasks that run, by cylinder, and
/// whether the engine left in order.
///
/// The table is made before the fork and so has as many cylinders as there can ever be. What is to be known of the
/// tasks when both have died is in its ``SessionFile``.
struct GroupTable: Sendable {
    /// More slots than any node has; the table's pages exist only where they are used.
    static let capacity = 1 << 16

    // Shared by two processes, written by one thread of one: Int32 stores are whole on every machine that runs this.
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Int32>
    let sessions: SessionFile

    /// Maps the table; nil without memory.
    init?(guardName: String) {
        let size = (Self.capacity + 2) * MemoryLayout<Int32>.stride
        guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
            memory != MAP_FAILED
        else { return nil }
        words = memory.bindMemory(to: Int32.self, capacity: Self.capacity + 2)
        sessions = SessionFile(guardName: guardName)
    }

    /// Whether the engine said that nothing of it needs killing.
    var leftInOrder: Bool {
        get { words[0] != 0 }
        nonmutating set { words[0] = newValue ? 1 : 0 }
    }

    /// The process group of the task in a cylinder; 0 for none.
    subscript(cylinder: Int) -> Int32 {
        get { words[cylinder + 1] }
        nonmutating set {
            words[cylinder + 1] = newValue
            if newValue > 0 { sessions.note(leader: newValue, in: cylinder) }
        }
    }

    /// The process groups that run, of the first `count` cylinders.
    func groups(upTo count: Int = capacity) -> [Int32] {
        (0..<count).map { self[$0] }.filter { $0 > 0 }
    }
}
