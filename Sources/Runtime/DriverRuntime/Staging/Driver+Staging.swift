import DisbatchCore
import Glibc
import LinuxSystem

/// What the driver keeps of one engine's files.
struct EngineFiles {
    /// How much of the list it was told.
    var listed = 0
    /// What the engine lacks, the next first, and how far that has gone.
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
    var held: [AssignmentID: (cylinder: Int, outcome: TaskOutcome)] = [:]
}

/// Files on their ways, to engines before their first task, and home after one.
extension Driver {
    // MARK: In

    /// Tells a new engine which files it is to have: as much of the list as may wait to be sent.
    ///
    /// Returns whether there was more to tell.
    @discardableResult
    func listFiles(for link: EngineLink) -> Bool {
        guard let entries = staging?.plan.entries, link.stage == .configuring, link.isOpen else {
            return false
        }
        let listed = link.files.listed
        while link.files.listed < entries.count, link.writer.count < EngineProtocol.stageOutWindow {
            let part = entries[link.files.listed...].prefix(1000)
            link.files.listed = part.endIndex
            link.send(.stagedEntries(Array(part), isLast: part.endIndex == entries.count))
        }
        return link.files.listed > listed
    }

    func filesWanted(by link: EngineLink, _ places: [Int]) {
        guard let plan = staging?.plan, link.stage == .configuring, !link.files.hasAsked,
            link.files.listed == plan.entries.count,
            places.allSatisfy({ plan.entries.indices.contains($0) })
        else { return complain(of: link, "files that it was not offered") }
        link.files.hasAsked = true
        // An empty file is there already.
        link.files.wanted = places.filter { plan.entries[$0].size > 0 }[...]
        let bytes = link.files.wanted.reduce(0) { $0 + plan.entries[$1].size }
        log.write(
            .info,
            "engine \(link.id.rawValue) on \(link.node): lacks \(places.count) files of --stage-in, \(bytes) bytes")
        readPiece(for: link)
    }

    /// Has the next piece read, unless enough is on its way.
    func readPiece(for link: EngineLink) {
        guard let staging, let place = link.files.wanted.first, !link.files.isReading,
            link.writer.count < EngineProtocol.stageOutWindow
        else { return }
        link.files.isReading = true
        staging.thread.request(.read(link.id, entry: staging.plan.entries[place], offset: link.files.offset))
    }

    private func send(piece: Result<[UInt8], StagedSource.Failure>, to link: EngineLink) {
        guard let plan = staging?.plan, let place = link.files.wanted.first else { return }
        link.files.isReading = false
        let entry = plan.entries[place]
        switch piece {
        case .failure(let failure): send(.stagingFailed(reason: failure.reason), to: link.id)
        case .success(let bytes):
            send(.stagedData(bytes), to: link.id)
            link.files.offset += bytes.count
            if link.files.offset == entry.size {
                link.files.wanted.removeFirst()
                link.files.offset = 0
            }
            return readPiece(for: link)
        }
        link.files.wanted = []
    }

    // MARK: Out

    func fileBegan(_ file: ArrivingFile, from link: EngineLink) {
        guard let staging, staging.rules.indices.contains(file.rule) else {
            return complain(of: link, "a file that nobody asked for")
        }
        let rule = staging.rules[file.rule]
        // Of a task that was given up meanwhile, another attempt's files count.
        let task = scheduler.task(of: file.assignment, heldBy: link.id)?.spec.id
        if let task, !staging.admits(file.path, rule: rule, task: task) {
            return complain(of: link, "a file that nobody asked for")
        }
        let path = task.map { rule.destination(of: file.path, task: $0, home: staging.home) }
        link.files.arriving.insert(file.assignment)
        guard mayWrite(file.cost, from: link) else { return }
        if let path, let task, !staging.take(path, for: task, by: rule) {
            let error = SystemError("write \(path.text), which is another task's", code: EEXIST)
            return staging.thread.request(.refuse(link.id, file, error))
        }
        staging.thread.request(.begin(link.id, file, path: path))
    }

    func fileData(_ bytes: [UInt8], from link: EngineLink) {
        guard mayWrite(bytes.count, from: link) else { return }
        staging?.thread.request(.data(link.id, bytes))
    }

    /// Counts what comes against what an engine may send.
    private func mayWrite(_ count: Int, from link: EngineLink) -> Bool {
        link.files.unwritten += count
        if link.files.unwritten <= 2 * EngineProtocol.stageOutWindow { return true }
        complain(of: link, "more of files than was agreed on")
        return false
    }

    func fileEnded(isWhole: Bool, from link: EngineLink) {
        staging?.thread.request(.end(link.id, isWhole: isWhole))
    }

    /// Says whether a task may put its files into places at home that another one's might have.
    func placesWanted(_ id: AssignmentID, rule number: Int, _ names: [PathBytes], by link: EngineLink) {
        guard let staging, staging.rules.indices.contains(number) else {
            return complain(of: link, "places that nobody asked for")
        }
        let rule = staging.rules[number]
        guard let task = scheduler.task(of: id, heldBy: link.id)?.spec.id else {
            // Given up meanwhile: another attempt's files count.
            return send(.placesGiven(id, taken: names.first ?? []), to: link.id)
        }
        guard names.allSatisfy({ staging.admits($0, rule: rule, task: task) }) else {
            return complain(of: link, "places that nobody asked for")
        }
        let taken = names.first { name in
            let place = rule.destination(of: name, task: task, home: staging.home)
            return !staging.take(place, for: task, by: rule)
        }
        send(.placesGiven(id, taken: taken), to: link.id)
    }

    /// Holds a task's end until its files are in their places. False where none are to come.
    func awaitsFiles(_ id: AssignmentID, cylinder: Int, _ outcome: TaskOutcome, from link: EngineLink) -> Bool {
        guard let staging, link.files.arriving.remove(id) != nil else { return false }
        link.files.held[id] = (cylinder, outcome)
        staging.thread.request(.complete(link.id, id))
        return true
    }

    /// Whether what is known of an engine that is gone is not all told yet.
    func holdsEnds(of link: EngineLink) -> Bool { !link.files.held.isEmpty }

    func dropFiles(of link: EngineLink) { staging?.thread.drop(link.id) }

    // MARK: Both

    func takeStagingResults() {
        for result in staging?.thread.takeResults() ?? [] {
            switch result {
            case .piece(let engine, let piece): if let link = links[engine.rawValue] { send(piece: piece, to: link) }
            case .written(let engine, let count):
                links[engine.rawValue]?.files.unwritten -= count
                send(.stageOutCredit(count), to: engine)
            case .completed(let engine, let id, let failure): filesAreHome(engine, id, failure)
            }
        }
    }

    private func filesAreHome(_ engine: EngineID, _ id: AssignmentID, _ failure: SystemError?) {
        guard let link = links[engine.rawValue], let (cylinder, reported) = link.files.held.removeValue(forKey: id)
        else { return }
        var outcome = reported
        if let failure, outcome.returnCode == 0 {
            outcome.returnCode = TaskOutcome.stageOutReturnCode
            let task = scheduler.task(of: id, heldBy: engine).map { "task \($0.spec.id.rawValue): " } ?? ""
            console.warn("\(task)--stage-out: \(failure)")
            log.write(.warning, "\(task)--stage-out: \(failure)")
        }
        send(.filesKept(id, areWhole: failure == nil), to: engine)
        tell(.taskFinished(engine, id, cylinder: cylinder, outcome))
        finishIfGone(link)
    }

    private func complain(of link: EngineLink, _ what: String) {
        log.write(.error, "engine \(link.id.rawValue) sent \(what)")
        link.complaint = "it sent \(what)"
        channelEnded(link)
    }
}
