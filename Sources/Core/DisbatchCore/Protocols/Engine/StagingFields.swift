// The parts of frames that are about files.

extension FrameWriter {
    mutating func write(_ staging: EngineStaging) {
        writeOptional(staging.taskRoot) { $0.writeBytes($1) }
        writeList(staging.rules) { $0.write($1) }
        writeBytes(staging.home)
        writeBytes(staging.mark)
        writeBool(staging.stagesIn)
    }

    private mutating func write(_ rule: StageOutRule) {
        writeBytes(rule.pattern)
        writeOptional(rule.directory) { $0.writeBytes($1) }
        writeBytes(rule.base)
    }

    mutating func write(_ entry: StagedEntry) {
        writeInteger(entry.kind.rawValue)
        writeBytes(entry.path)
        writeBytes(entry.source)
        writeInt(entry.size)
        writeInteger(entry.mode)
        writeInteger(entry.modified)
        writeInteger(entry.inode)
    }

    mutating func write(_ file: ArrivingFile) {
        writeInteger(file.assignment.rawValue)
        writeOptional(file.captured) { $0.writeInteger($1.rawValue) }
        writeInt(file.rule)
        writeBytes(file.path)
        writeInteger(file.mode)
        writeInteger(file.modified)
    }
}

extension FrameReader {
    mutating func readEngineStaging() throws(WireError) -> EngineStaging {
        var staging = EngineStaging()
        staging.taskRoot = try readOptional { (r) throws(WireError) in try r.readBytes() }
        staging.rules = try readList { (r) throws(WireError) in try r.readRule() }
        staging.home = try readBytes()
        staging.mark = try readBytes()
        staging.stagesIn = try readBool()
        return staging
    }

    private mutating func readRule() throws(WireError) -> StageOutRule {
        let pattern = try readBytes()
        var rule = StageOutRule(
            pattern: pattern, directory: try readOptional { (r) throws(WireError) in try r.readBytes() })
        rule.base = try readBytes()
        return rule
    }

    mutating func readStagedEntry() throws(WireError) -> StagedEntry {
        let kind: StagedEntry.Kind = try readCase()
        let path = try readBytes()
        let source = try readBytes()
        let size = try readInt()
        guard size >= 0 else { throw invalidValue }
        let mode = try readInteger(UInt32.self)
        let modified = try readInteger(Int64.self)
        return StagedEntry(
            kind: kind, path: path, source: source, size: size, mode: mode, modified: modified,
            inode: try readInteger())
    }

    mutating func readArrivingFile() throws(WireError) -> ArrivingFile {
        let assignment = AssignmentID(try readInteger())
        let captured = try readOptional { (r) throws(WireError) -> TaskOutputStream in try r.readCase() }
        let rule = try readInt()
        let path = try readBytes()
        let mode = try readInteger(UInt32.self)
        var file = ArrivingFile(
            assignment: assignment, rule: rule, path: path, mode: mode, modified: try readInteger())
        file.captured = captured
        return file
    }
}
