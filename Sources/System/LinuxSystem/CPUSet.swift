import CLinux
import Glibc

/// A set of CPUs, by number, as sched_setaffinity(2) takes it.
package struct CPUSet: Equatable, Sendable {
    /// Bits, the lowest number in the lowest bit of the first word.
    private(set) var words: [UInt64]

    package init() { words = [UInt64](repeating: 0, count: 16) }

    package init(_ processors: some Sequence<Int>) {
        self.init()
        for processor in processors { insert(processor) }
    }

    /// Adds a CPU, by its number.
    package mutating func insert(_ processor: Int) {
        while processor / 64 >= words.count { words.append(0) }
        words[processor / 64] |= 1 << UInt64(processor % 64)
    }

    /// The CPUs in the set, in rising order.
    package var members: [Int] {
        (0..<words.count * 64).filter { words[$0 / 64] & (1 << UInt64($0 % 64)) != 0 }
    }

    /// The CPUs that the calling thread may run on.
    package static func current() -> CPUSet {
        var set = CPUSet()
        // A machine of more processors than bits answers EINVAL: ask again with more.
        while set.words.count < 1 << 14 {
            let size = set.words.count * 8
            let done = set.words.withUnsafeMutableBytes { bytes in
                clinux_processors(bytes.baseAddress, size) == 0
            }
            if done { return set }
            set.words = [UInt64](repeating: 0, count: set.words.count * 2)
        }
        return CPUSet(0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
}

/// The share of the machine that this process may use.
package enum AllowedCores {
    /// Cores that the affinity mask and the control group's CPU quota allow; at least 1.
    package static func count(cgroupRoot: String = "/sys/fs/cgroup", selfCgroup: String = "/proc/self/cgroup") -> Int {
        let mask = CPUSet.current().members.count
        guard let quota = cgroupQuota(root: cgroupRoot, selfCgroup: selfCgroup) else { return max(1, mask) }
        return max(1, min(mask, Int(quota.rounded(.down))))
    }

    /// The smallest CPU quota, in cores, of our control group and those above it (version 2); nil without one.
    static func cgroupQuota(root: String, selfCgroup: String) -> Double? {
        guard let line = TextFile.read(selfCgroup)?.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return nil }
        var path = String(line.dropFirst(3))
        var smallest: Double?
        while true {
            if let text = TextFile.read(root + path + (path.hasSuffix("/") ? "" : "/") + "cpu.max"),
                let quota = parseQuota(text)
            {
                smallest = min(smallest ?? quota, quota)
            }
            guard path != "/", let slash = path.lastIndex(of: "/") else { return smallest }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    /// Reads `cpu.max`: quota and period in microseconds, or `max` for no quota.
    private static func parseQuota(_ text: String) -> Double? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0 else {
            return nil
        }
        return quota / period
    }
}
