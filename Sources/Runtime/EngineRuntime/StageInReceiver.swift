import DisbatchCore
import Glibc
import LinuxSystem

/// Puts the files of `--stage-in` in their places before an engine's first task. What is there already, of the same
/// size and time, is left as it is and not sent.
///
/// Errors are texts for the user, as ``EngineRefusal``.
final class StageInReceiver {
    private let workingDirectory: PathBytes
    private let sharing: SharedFiles
    private var entries: [StagedEntry] = []
    /// Entries that were asked for and have not come yet, the next last.
    private var wanted: [Int] = []
    private var file: PendingFile?
    private var missing = 0
    /// The files that were there already, and are replaced.
    private var replaced: [PathBytes] = []

    init(workingDirectory: PathBytes, sharing: SharedFiles) {
        self.workingDirectory = workingDirectory
        self.sharing = sharing
    }

    /// Whether nothing more is to come, once ``wants()`` was asked.
    var isComplete: Bool { wanted.isEmpty }

    /// The warning that other runs use what is replaced here, once ``wants()`` was asked; nil where it is not so.
    func warning(others: [String]) -> String? {
        guard let run = others.first, let path = replaced.first else { return nil }
        let files = replaced.count == 1 ? "" : " and \(replaced.count - 1) more"
        return """
            --stage-in: \(path.text)\(files) in \(workingDirectory.text) had other content, and run \(run) uses it now
            Give each of them a --workdir of its own
            """
    }

    /// Takes a part of the list.
    func add(_ more: [StagedEntry]) { entries += more }

    /// The places in the list of the files that are to be sent, in their order.
    func wants() throws(EngineRefusal) -> [Int] {
        var places: [Int] = []
        for (place, entry) in entries.enumerated() where try lacks(entry) { places.append(place) }
        wanted = places.reversed()
        try beginNext()
        return places
    }

    /// Takes the next bytes.
    func take(_ bytes: [UInt8]) throws(EngineRefusal) {
        guard let file, bytes.count <= missing else {
            throw EngineRefusal("--stage-in: more bytes came than asked for")
        }
        missing -= bytes.count
        do throws(SystemError) { try file.write(bytes) } catch { throw refusal(error) }
        guard missing == 0 else { return }
        try finish()
        try beginNext()
    }

    private func lacks(_ entry: StagedEntry) throws(EngineRefusal) -> Bool {
        if sharing.isDriversOwn(entry, workingDirectory: workingDirectory) { return false }
        if entry.kind == .directory {
            guard entry.path.makeDirectories() else { throw refusal(SystemError("make \(entry.path.text)")) }
            return false
        }
        guard let status = FileStatus.of(entry.path), status.kind == .regular,
            entry.isUnchanged(size: status.size, modified: status.modified)
        else {
            if FileStatus.of(entry.path)?.kind == .regular { replaced.append(entry.path) }
            return true
        }
        return false
    }

    private func beginNext() throws(EngineRefusal) {
        while let place = wanted.last {
            do throws(SystemError) { file = try PendingFile(entries[place].path) } catch { throw refusal(error) }
            missing = entries[place].size
            // An empty file is whole at once.
            guard missing == 0 else { return }
            try finish()
        }
    }

    private func finish() throws(EngineRefusal) {
        guard let place = wanted.popLast(), let file else { return }
        self.file = nil
        let entry = entries[place]
        do throws(SystemError) {
            // After a crash of the machine, one that was not whole on disk is sent again.
            try file.finish(mode: entry.mode, modified: entry.modified, syncs: false)
        } catch {
            throw refusal(error)
        }
    }

    private func refusal(_ error: SystemError) -> EngineRefusal { EngineRefusal("--stage-in: \(error)") }
}
