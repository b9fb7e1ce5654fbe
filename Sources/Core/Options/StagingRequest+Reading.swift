import DisbatchCore

extension StagingRequest {
    /// Without directories of their own, tasks' files are only told apart by their names.
    func check() throws(OptionError) {
        guard !givesTaskDirectories, let item = stageOut.first(where: { !$0.pattern.contains("%t") }) else { return }
        throw OptionError(
            .badValue,
            "--stage-out \(item.pattern.quoted): add --task-dir, or put %t, the task's number, into the name, so that "
                + "each task's files can be told from others'")
    }
}

extension ValueReader<StagingRequest.StageIn> {
    /// `PATH[:DEST]`
    static let stageIn = ValueReader { (given) throws(OptionError) in
        let (path, destination) = try given.parts()
        return StagingRequest.StageIn(path: path, destination: destination)
    }
}

extension ValueReader<StagingRequest.StageOut> {
    /// `GLOB[:DIR]`
    static let stageOut = ValueReader { (given) throws(OptionError) in
        let (pattern, directory) = try given.parts()
        let names = pattern.split(separator: "/", omittingEmptySubsequences: false)
        guard names.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw given.bad("names files below the task's directory: no / before it, and no . or .. in it")
        }
        return StagingRequest.StageOut(pattern: pattern, directory: directory)
    }
}

extension ParsedOptions.Occurrence {
    /// A path, and its destination: what follows the last colon, if anything does.
    fileprivate func parts() throws(OptionError) -> (path: String, destination: String?) {
        let text = try text()
        guard let colon = text.lastIndex(of: ":") else { return (text, nil) }
        let (path, rest) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
        guard !path.isEmpty else { throw bad("needs a path before the colon") }
        return (path, rest.isEmpty ? nil : rest)
    }
}
