import Foundation
import Testing

@testable import LinuxSystem

struct ProcessTreeTests {
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
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: path)
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["1000"]
        try process.run()
        defer {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        #expect(ProcessTree.entry(of: process.processIdentifier)?.parent == getpid())
    }

    @Test func descendantsAreFoundThroughSessions() throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "setsid sh -c 'sleep 1000 & echo $$ $!; wait' & wait"]
        process.environment = ["PATH": "/usr/bin:/bin", "MARK": "7"]
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let pids = line.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        defer {
            for pid in pids + [process.processIdentifier] { kill(pid, SIGKILL) }
            process.waitUntilExit()
        }
        try #require(pids.count == 2)
        let tree = ProcessTree()
        #expect(Set(tree.descendants(of: [process.processIdentifier]).map(\.pid)).isSuperset(of: pids))
        #expect(tree.descendants(of: [pids[0]]).map(\.pid) == [pids[1]])
        #expect(tree.descendants(of: [pids[1]]).isEmpty)
        #expect(tree.descendants(of: []).isEmpty)
        #expect(ProcessTree.environment(of: pids[1], contains: Array("MARK=7".utf8)))
        #expect(!ProcessTree.environment(of: pids[1], contains: Array("MARK=".utf8)))
        #expect(!ProcessTree.environment(of: pids[1], contains: Array("MARK=77".utf8)))
        #expect(!ProcessTree.environment(of: -1, contains: Array("MARK=7".utf8)))
    }
}

struct ProcessorSetTests {
    @Test(arguments: [[], [0], [63, 64], [1, 1, 5], [1023, 1024, 5000]])
    func members(list: [Int]) {
        #expect(ProcessorSet(list).members == Set(list).sorted())
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
        #expect(ProcessorSet.current().members == members)
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
        let mask = ProcessorSet.current().members.count
        for (quota, cores) in [
            ("10000 100000", 1), ("99900000 100000", mask), ("max 100000", mask), ("199999 100000", 1),
        ] {
            try Data(quota.utf8).write(to: URL(filePath: root + "/cpu.max"))
            #expect(AllowedCores.count(cgroupRoot: root, selfCgroup: root + "/self") == cores, "\(quota)")
        }
    }
}
