import Glibc

/// The processes of this machine as /proc shows them, at one moment.
package struct ProcessTree: Sendable {
    /// One process.
    package struct Entry: Equatable, Sendable {
        package var pid: Int32
        package var parent: Int32
        package var group: Int32
        package var session: Int32
        package var isZombie: Bool
        package var isStopped = false
        /// Clock ticks since boot; with the pid it names a process for ever.
        package var startTicks: UInt64
    }

    package private(set) var entries: [Entry] = []

    /// Takes the picture.
    package init() {
        guard let directory = opendir("/proc") else { return }
        defer { closedir(directory) }
        while let item = readdir(directory) {
            let pid = withUnsafePointer(to: &item.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { atoi($0) }
            }
            if pid > 0, let entry = Self.entry(of: pid) { entries.append(entry) }
        }
    }

    /// Microseconds of CPU time that a process has used, and its children that were waited for; 0 where there is none.
    package static func processorTime(of pid: Int32, ofChildrenAlone: Bool = false) -> Int64 {
        guard let fields = fields(of: pid), fields.count > 14 else { return 0 }
        let ticks = fields[(ofChildrenAlone ? 13 : 11)...14].reduce(0) { $0 + (Int64($1.text) ?? 0) }
        return ticks * 1_000_000 / Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
    }

    /// The fields of /proc/PID/stat behind the name.
    private static func fields(of pid: Int32) -> [ArraySlice<UInt8>]? {
        guard let text = TextFile.readBytes("/proc/\(pid)/stat"),
            // The name, in parentheses, may hold anything.
            let close = text.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        return text[(close + 1)...].split(separator: UInt8(ascii: " "))
    }

    /// One process, or nil where there is none.
    package static func entry(of pid: Int32) -> Entry? {
        guard let fields = fields(of: pid), fields.count > 19 else { return nil }
        func number(_ index: Int) -> Int { Int(fields[index].text) ?? 0 }
        return Entry(
            pid: pid, parent: Int32(number(1)), group: Int32(number(2)), session: Int32(number(3)),
            isZombie: fields[0].first == UInt8(ascii: "Z"), isStopped: fields[0].first == UInt8(ascii: "T"),
            startTicks: UInt64(max(0, number(19))))
    }

    /// The live processes below these, children first found first, without these themselves.
    package func descendants(of roots: Set<Int32>) -> [Entry] {
        var children: [Int32: [Entry]] = [:]
        for entry in entries { children[entry.parent, default: []].append(entry) }
        var found: [Entry] = []
        var seen = roots
        var next = Array(roots)
        while let parent = next.popLast() {
            for child in children[parent] ?? [] where seen.insert(child.pid).inserted {
                if !child.isZombie { found.append(child) }
                next.append(child.pid)
            }
        }
        return found
    }

    /// Whether a process was started with this `NAME=VALUE` in its environment. False where we may not look.
    package static func environment(of pid: Int32, contains variable: [UInt8]) -> Bool {
        environment(of: pid, containsAnyOf: [variable])
    }

    static func environment(of pid: Int32, containsAnyOf variables: [[UInt8]]) -> Bool {
        environment(of: pid) { entry in
            variables.contains { $0.count == entry.count && memcmp(entry.baseAddress!, $0, $0.count) == 0 }
        }
    }

    /// Whether an entry of a process's environment begins so.
    static func environment(of pid: Int32, hasPrefix prefix: [UInt8]) -> Bool {
        environment(of: pid) { $0.count >= prefix.count && memcmp($0.baseAddress!, prefix, prefix.count) == 0 }
    }

    private static func environment(of pid: Int32, contains isIt: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        guard let block = TextFile.readBytes("/proc/\(pid)/environ") else { return false }
        return block.withUnsafeBytes { block in
            var rest = block[...]
            // Each ends with a zero byte.
            while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
                let count = strnlen(start.assumingMemoryBound(to: CChar.self), rest.count)
                if isIt(UnsafeRawBufferPointer(start: start, count: count)) { return true }
                rest = rest.dropFirst(count + 1)
            }
            return false
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
