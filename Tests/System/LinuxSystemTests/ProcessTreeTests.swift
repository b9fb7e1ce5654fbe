import Foundation
import TestSupport
import Testing

@testable import LinuxSystem

@Suite(.blocking) struct ProcessTreeTests {
    @Test func ownProcess() throws {
        let entry = try #require(ProcessTree.entry(of: getpid()))
        #expect(entry.parent == getppid() && entry.group == getpgrp() && entry.session == getsid(0))
        #expect(!entry.isZombie && entry.startTicks > 0)
        #expect(ProcessTree().entries.contains(entry))
        #expect(ProcessTree.entry(of: -1) == nil)
    }

    /// The name of a program may look like the rest of its line.
    @Test func namesWithParentheses() throws {
        let path = NSTemporaryDirectory() + "a) S 1 (b"
        defer { unlink(path) }
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/bin/sleep")
        let pid = try Tool.start([path, "1000"], streams: [])
        defer { end([pid]) }
        #expect(ProcessTree.entry(of: pid)?.parent == getpid())
    }

    @Test func descendantsAreFoundThroughSessions() throws {
        let output = try DescriptorPair.pipe()
        let (reading, writing) = output.release()
        defer { close(reading) }
        let pid = try Tool.start(
            ["/bin/sh", "-c", "setsid sh -c 'sleep 1000 & echo $$ $!; wait' & wait"],
            environment: ["PATH": "/usr/bin:/bin", "MARK": "7"], streams: [0, writing, 2])
        close(writing)
        var line = [UInt8](repeating: 0, count: 100)
        line.removeLast(100 - line.withUnsafeMutableBytes { Glibc.read(reading, $0.baseAddress, 100) })
        let pids = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        defer { end(pids + [pid]) }
        try #require(pids.count == 2)
        let tree = ProcessTree()
        #expect(Set(tree.descendants(of: [pid]).map(\.pid)).isSuperset(of: pids))
        #expect(tree.descendants(of: [pids[0]]).map(\.pid) == [pids[1]])
        #expect(tree.descendants(of: [pids[1]]).isEmpty)
        #expect(tree.descendants(of: []).isEmpty)
        #expect(ProcessTree.environment(of: pids[1], contains: Array("MARK=7".utf8)))
        #expect(!ProcessTree.environment(of: pids[1], contains: Array("MARK=".utf8)))
        #expect(!ProcessTree.environment(of: pids[1], contains: Array("MARK=77".utf8)))
        #expect(!ProcessTree.environment(of: -1, contains: Array("MARK=7".utf8)))
    }

    /// Kills processes, the last of them our child.
    private func end(_ pids: [pid_t]) {
        for pid in pids { kill(pid, SIGKILL) }
        var status: Int32 = 0
        waitpid(pids[pids.count - 1], &status, 0)
    }
}

struct CPUSetTests {
    @Test(arguments: [[], [0], [63, 64], [1, 1, 5], [1023, 1024, 5000]])
    func members(list: [Int]) {
        #expect(CPUSet(list).members == Set(list).sorted())
    }

    @Test func ownProcessors() throws {
        let listed = TextFile.read("/proc/self/status")?.split(separator: "\n").first {
            $0.hasPrefix("Cpus_allowed_list:")
        }
        let ranges = try #require(listed).dropFirst(18).trimmingCharacters(in: .whitespaces).split(separator: ",")
        let members = ranges.flatMap { range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            return Array(ends[0]...ends[ends.count - 1])
        }
        #expect(CPUSet.current().members == members)
    }
}

struct AllowedCoresTests {
    /// A tree of control groups as files.
    private static func quota(own: String, _ files: [String: String]) throws -> Double? {
        let root = NSTemporaryDirectory() + "cgroup-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (path, text) in files {
            let file = URL(filePath: root + path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try Data(own.utf8).write(to: URL(filePath: root + "/self"))
        return AllowedCores.cgroupQuota(root: root, selfCgroup: root + "/self")
    }

    @Test(
        arguments: [
            ("0::/\n", ["/cpu.max": "max 100000\n"], nil), ("0::/\n", ["/cpu.max": "150000 100000\n"], 1.5),
            ("0::/a/b\n", ["/a/b/cpu.max": "400000 100000\n", "/a/cpu.max": "200000 100000\n"], 2),
            ("0::/a/b\n", ["/a/b/cpu.max": "100000 100000\n", "/a/cpu.max": "max 100000\n"], 1),
            ("0::/a/b\n", ["/cpu.max": "300000 100000\n"], 3), ("0::/a\n", [:], nil), ("", ["/cpu.max": "1 1\n"], nil),
            ("4:cpu:/a\n0::/b\n", ["/a/cpu.max": "1 1\n", "/b/cpu.max": "50000 25000\n"], 2),
            ("0::/\n", ["/cpu.max": "100000\n"], nil), ("0::/\n", ["/cpu.max": "x y\n"], nil),
            ("0::/\n", ["/cpu.max": "100000 0\n"], nil), ("0::/\n", ["/cpu.max": ""], nil), ("0::\n", [:], nil),
        ] as [(String, [String: String], Double?)])
    func quotas(own: String, files: [String: String], expected: Double?) throws {
        #expect(try Self.quota(own: own, files) == expected)
    }

    @Test func countIsAtLeastOneAndAtMostTheMask() throws {
        let root = NSTemporaryDirectory() + "cgroup-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        try Data("0::/\n".utf8).write(to: URL(filePath: root + "/self"))
        let mask = CPUSet.current().members.count
        for (quota, cores) in [
            ("10000 100000", 1), ("99900000 100000", mask), ("max 100000", mask), ("199999 100000", 1),
        ] {
            try Data(quota.utf8).write(to: URL(filePath: root + "/cpu.max"))
            #expect(AllowedCores.count(cgroupRoot: root, selfCgroup: root + "/self") == cores, "\(quota)")
        }
    }
}
