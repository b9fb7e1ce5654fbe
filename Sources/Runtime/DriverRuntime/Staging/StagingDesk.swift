import DisbatchCore
import Glibc
import LinuxSystem

/// One engine's files, as the driver keeps track of them.
struct EngineFiles {
    /// How much of the list it was told.
    var listed = 0
    /// Files of the list that the engine lacks, the next first, and how far that one has gone.
    var wanted: ArraySlice<Int> = []
    /// Whether it has said what it lacks.
    var hasAsked = false
    var offset = 0
    /// Whether a piece is being read.
    var isReading = false
    /// Assignments of which files have come, and bytes of them that are not written yet.
    var arriving: Set<AssignmentID> = []
    var unwritten = 0
    /// The ends of tasks whose files are not all written yet.
    var held: [AssignmentID: TaskExit] = [:]
}

/// Files on their ways: to engines before their first task, and home after one.
final class StagingDesk {
    unowned let driver: Driver
    private let staging: Staging

    init(_ driver: Driver, _ staging: Staging) {
        self.driver = driver
        self.staging = staging
    }

    /// The instructions for an engine.
    func told(isShared: Bool) -> EngineStaging { staging.told(isShared: isShared) }

    /// Forgets an engine that is gone.
    func drop(_ engine: EngineID) { staging.thread.drop(engine) }

    func take(_ frame: EngineFrame, from engine: EngineConnection) {
        switch frame {
        case .placesWanted(let id, let rule, let names): placesWanted(id, rule: rule, names, by: engine)
        case .stagedEntriesWanted(let indices): filesWanted(by: engine, indices)
        case .captureBegan(let id): captureBegan(id, on: engine)
        case .fileBegan(let file): fileBegan(file, from: engine)
        case .fileData(let bytes): fileData(bytes, from: engine)
        case .fileEnded(let isWhole): staging.thread.request(.end(engine.id, isWhole: isWhole))
        default: break
        }
    }

    // MARK: In

    private func isBeingConfigured(_ engine: EngineConnection) -> Bool {
        if case .configuring = driver.machine.engines[engine.id.rawValue].stage { true } else { false }
    }

    /// Tells a new engine which files it is to have: as much of the list as may wait to be sent.
    ///
    /// - Returns: whether there was more to tell.
    @discardableResult
    func listFiles(for engine: EngineConnection) -> Bool {
        let entries = staging.plan.entries
        guard isBeingConfigured(engine), engine.isOpen else { return false }
        let listed = engine.files.listed
        while engine.files.listed < entries.count, engine.writer.count < EngineProtocol.stageOutWindow {
            let part = entries[engine.files.listed...].prefix(1000)
            engine.files.listed = part.endIndex
            engine.send(.stagedEntries(Array(part), isLast: part.endIndex == entries.count))
        }
        return engine.files.listed > listed
    }

    private func filesWanted(by engine: EngineConnection, _ indices: [Int]) {
        let entries = staging.plan.entries
        guard isBeingConfigured(engine), !engine.files.hasAsked, engine.files.listed == entries.count,
            indices.allSatisfy({ entries.indices.contains($0) })
        else { return driver.engines.misbehaved(engine, "files that it was not offered") }
        engine.files.hasAsked = true
        // An empty file is there already.
        engine.files.wanted = indices.filter { entries[$0].size > 0 }[...]
        let bytes = engine.files.wanted.reduce(0) { $0 + entries[$1].size }
        driver.reporter.log(
            .info,
            "engine \(engine.id.rawValue) on \(engine.node): lacks \(indices.count) files of --stage-in, \(bytes) bytes"
        )
        readPiece(for: engine)
    }

    /// Has the next piece read, unless enough is on its way.
    func readPiece(for engine: EngineConnection) {
        guard let index = engine.files.wanted.first, !engine.files.isReading,
            engine.writer.count < EngineProtocol.stageOutWindow
        else { return }
        engine.files.isReading = true
        staging.thread.request(.read(engine.id, entry: staging.plan.entries[index], offset: engine.files.offset))
    }

    private func send(piece: Result<[UInt8], StagedSource.Failure>, to engine: EngineConnection) {
        guard let index = engine.files.wanted.first else { return }
        engine.files.isReading = false
        switch piece {
        case .failure(let failure):
            driver.engines.send(.stagingFailed(reason: failure.reason), to: engine.id)
            engine.files.wanted = []
        case .success(let bytes):
            driver.engines.send(.stagedData(bytes), to: engine.id)
            engine.files.offset += bytes.count
            if engine.files.offset == staging.plan.entries[index].size {
                engine.files.wanted.removeFirst()
                engine.files.offset = 0
            }
            readPiece(for: engine)
        }
    }

    // MARK: Out

    private func task(of assignment: AssignmentID, assignedTo engine: EngineID) -> TaskID? {
        driver.machine.scheduler.task(of: assignment, assignedTo: engine)?.spec.id
    }

    private func fileBegan(_ file: ArrivingFile, from engine: EngineConnection) {
        if let stream = file.captured { return capturedFileBegan(file, stream, from: engine) }
        guard staging.rules.indices.contains(file.rule) else {
            return driver.engines.misbehaved(engine, "a file that nobody asked for")
        }
        let rule = staging.rules[file.rule]
        // Of a task that was given up meanwhile, another attempt's files count.
        let task = task(of: file.assignment, assignedTo: engine.id)
        if let task, !staging.admits(file.path, rule: rule, task: task) {
            return driver.engines.misbehaved(engine, "a file that nobody asked for")
        }
        let path = task.map { rule.destination(of: file.path, task: $0, home: staging.home) }
        engine.files.arriving.insert(file.assignment)
        guard mayWrite(file.cost, from: engine) else { return }
        if let path, let task, !staging.take(path, for: task, by: rule) {
            let error = SystemError("write \(path.text), which is another task's", code: EEXIST)
            return staging.thread.request(.refuse(engine.id, file, error))
        }
        staging.thread.request(.begin(engine.id, file, path: path))
    }

    /// Removes what earlier runs kept of a task that begins on a machine from which its output comes home.
    private func captureBegan(_ id: AssignmentID, on engine: EngineConnection) {
        guard let root = staging.plan.captureDirectory,
            let (spec, attempt) = driver.machine.scheduler.task(of: id, assignedTo: engine.id)
        else { return }
        staging.thread.request(.removeStale(engine.id, spec.id, attempt: attempt, root: Array(root.utf8)))
    }

    /// Finds the place of a stream that comes home, under `--capture`.
    private func capturedFileBegan(_ file: ArrivingFile, _ stream: TaskOutputStream, from engine: EngineConnection) {
        guard let root = staging.plan.captureDirectory else {
            return driver.engines.misbehaved(engine, "what a task wrote, for which nobody asked")
        }
        let task = driver.machine.scheduler.task(of: file.assignment, assignedTo: engine.id)
        let path = task.map { AttemptPath.captured(stream, of: $0.spec.id, attempt: $0.attempt, root: root) }
        engine.files.arriving.insert(file.assignment)
        guard mayWrite(file.cost, from: engine) else { return }
        staging.thread.request(.begin(engine.id, file, path: path.map { Array($0.utf8) }))
    }

    private func fileData(_ bytes: [UInt8], from engine: EngineConnection) {
        guard mayWrite(bytes.count, from: engine) else { return }
        staging.thread.request(.data(engine.id, bytes))
    }

    /// Counts what comes against what an engine may send.
    private func mayWrite(_ count: Int, from engine: EngineConnection) -> Bool {
        engine.files.unwritten += count
        if engine.files.unwritten <= 2 * EngineProtocol.stageOutWindow { return true }
        driver.engines.misbehaved(engine, "more of files than was agreed on")
        return false
    }

    /// Says whether a task may put its files into places at home that another one's might have.
    private func placesWanted(_ id: AssignmentID, rule number: Int, _ names: [PathBytes], by engine: EngineConnection) {
        guard staging.rules.indices.contains(number) else {
            return driver.engines.misbehaved(engine, "places that nobody asked for")
        }
        let rule = staging.rules[number]
        guard let task = task(of: id, assignedTo: engine.id) else {
            // Given up meanwhile: another attempt's files count.
            return driver.engines.send(.placesGiven(id, taken: names.first ?? []), to: engine.id)
        }
        guard names.allSatisfy({ staging.admits($0, rule: rule, task: task) }) else {
            return driver.engines.misbehaved(engine, "places that nobody asked for")
        }
        let taken = names.first { name in
            let path = rule.destination(of: name, task: task, home: staging.home)
            return !staging.take(path, for: task, by: rule)
        }
        driver.engines.send(.placesGiven(id, taken: taken), to: engine.id)
    }

    /// Holds a task's end until its files are in their places. False where none are to come.
    func awaitsFiles(_ exit: TaskExit, from engine: EngineConnection) -> Bool {
        guard engine.files.arriving.remove(exit.assignment) != nil else { return false }
        engine.files.held[exit.assignment] = exit
        staging.thread.request(.complete(engine.id, exit.assignment))
        return true
    }

    // MARK: Both

    func takeResults() {
        for result in staging.thread.takeResults() {
            switch result {
            case .piece(let engine, let piece):
                if let engine = driver.engines[engine] { send(piece: piece, to: engine) }
            case .written(let engine, let count):
                driver.engines[engine]?.files.unwritten -= count
                driver.engines.send(.stageOutCredit(count), to: engine)
            case .completed(let engine, let id, let failure): filesAreHome(engine, id, failure)
            case .captureFailed(let engine, let id, let error):
                let title = task(of: id, assignedTo: engine).map { "task \($0.rawValue): " } ?? ""
                driver.reporter.report(.warning, "\(title)--capture: \(error)")
            }
        }
    }

    private func filesAreHome(_ engine: EngineID, _ id: AssignmentID, _ failure: SystemError?) {
        guard let connection = driver.engines[engine], var exit = connection.files.held.removeValue(forKey: id) else {
            return
        }
        if let failure, exit.outcome.returnCode == 0 {
            exit.outcome.returnCode = TaskOutcome.stageOutReturnCode
            let title = task(of: id, assignedTo: engine).map { "task \($0.rawValue): " } ?? ""
            driver.reporter.report(.warning, "\(title)--stage-out: \(failure)")
        }
        driver.engines.send(.filesKept(id, areWhole: failure == nil), to: engine)
        driver.tell(.taskEnded(exit))
        if let end = connection.end { driver.engines.ended(engine, end) }
    }
}
