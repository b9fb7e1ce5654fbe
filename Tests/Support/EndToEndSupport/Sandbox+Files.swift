import Foundation
import TestSupport

extension Sandbox {
    /// Writes a file. Returns its name.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: at(name)))
        return name
    }

    /// Writes a program that a task can start.
    @discardableResult
    func writeProgram(_ name: String, _ text: String, mode: Int = 0o755) throws -> String {
        try Tool.writeProgram(at(name), text, mode: mode)
        return name
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: at(name), withIntermediateDirectories: true)
    }

    func makeFIFO(_ name: String) throws {
        guard mkfifo(at(name), 0o600) == 0 else { throw HarnessError("can't make the FIFO \(name)") }
    }

    func bytes(of name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: at(name))))
    }

    /// A file's text.
    func text(of name: String) throws -> String { String(decoding: try bytes(of: name), as: UTF8.self) }

    /// A file's lines, without their ends.
    func lines(of name: String) throws -> [String] {
        try text(of: name).split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: at(name)) }

    /// All files and directories in the working directory, relative to it, in order.
    func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: work).sorted()
    }

    // MARK: What a run left

    /// The rows of `<prefix>_status.txt` that are whole, in the order they stand there. None without the file.
    func rows(_ prefix: String = "run") -> [StatusLine] {
        guard let text = try? text(of: prefix + "_status.txt") else { return [] }
        return StatusLine.parse(text)
    }

    /// Asks the run record, by the `sqlite3` program, which waits for a writer that holds it.
    func query(_ sql: String, prefix: String = "run") throws -> [[String]] {
        let result = try run(
            ["-batch", "-readonly", "-separator", "\u{1f}", "-cmd", ".timeout 10000", at(prefix + "_run.db"), sql],
            program: "/usr/bin/sqlite3")
        guard result.status == 0 else { throw HarnessError("sqlite3: \(result.error)") }
        return result.output.split(separator: "\n").map { line in
            line.split(separator: "\u{1f}", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// The ends of the logs of drivers and jobs, and what Slurm says: for the report of a failure.
    func account() -> String {
        let names = ((try? files()) ?? []).filter { $0.hasSuffix("driver.log") || $0.hasPrefix("job") }
        let logs = names.map { name in
            "\n\(name):\n" + ((try? lines(of: name)) ?? []).suffix(12).joined(separator: "\n")
        }
        return logs.joined() + (cluster.map { "\n" + $0.account() } ?? "")
    }

    // MARK: Waiting

    /// Waits until `condition` holds, for what gives nothing to wait on.
    func wait(
        for what: String, within seconds: Double = 30, until condition: () throws -> Bool
    ) throws {
        var deadline = Deadline(seconds: seconds)
        while try !condition() {
            guard !deadline.hasPassed else { throw HarnessError("waited \(seconds) s in vain for \(what)") }
            deadline.pause()
        }
    }

    func waitForFile(_ name: String, within seconds: Double = 30) throws {
        try wait(for: "the file \(name)", within: seconds) { exists(name) }
    }

    /// Waits until a row of the status file is as wanted.
    @discardableResult
    func waitForRow(
        _ what: String = "a row", prefix: String = "run", within seconds: Double = 30,
        where isWanted: (StatusLine) -> Bool = { _ in true }
    ) throws -> StatusLine {
        var found: StatusLine?
        try wait(for: "\(what) in \(prefix)_status.txt", within: seconds) {
            found = rows(prefix).first(where: isWanted)
            return found != nil
        }
        return found ?? StatusLine()
    }

    /// Waits until a file has so many lines.
    func waitForLines(_ count: Int, in name: String, within seconds: Double = 30) throws {
        try wait(for: "\(count) lines in \(name)", within: seconds) { ((try? lines(of: name).count) ?? 0) >= count }
    }
}
