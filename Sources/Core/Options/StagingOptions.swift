/// What the options say of tasks' files on other machines. Paths are as they were typed.
package struct StagingOptions: Equatable, Sendable {
    /// A path, and where it goes, if that was said.
    package struct Item: Equatable, Sendable {
        package var path: String
        package var destination: String?
    }

    /// `--stage-in`, in their order.
    package var stageIn: [Item] = []
    /// `--stage-out`, in their order: patterns, from the task's directory.
    package var stageOut: [Item] = []
    /// `--task-dir`
    package var givesTaskDirectories = false

    package init() {}
}

extension StagingOptions {
    mutating func apply(_ option: DriverOption, _ given: ParsedOptions.Occurrence) throws(OptionError) {
        switch option {
        case .stageIn: stageIn.append(try given.stagedItem())
        case .stageOut: stageOut.append(try given.stagedPattern())
        case .taskDir: givesTaskDirectories = true
        default: break  // Not of staging.
        }
    }

    /// Without directories of their own, tasks' files are only told apart by their names.
    func check() throws(OptionError) {
        guard !givesTaskDirectories, let item = stageOut.first(where: { !$0.path.contains("%t") }) else { return }
        throw OptionError(
            .badValue,
            "--stage-out \(item.path.quoted): add --task-dir, or put %t, the task's number, into the name, so that "
                + "each task's files can be told from others'")
    }
}

extension ParsedOptions.Occurrence {
    /// `PATH[:DEST]`: what follows the last colon is where it goes; nothing there is as without it.
    fileprivate func stagedItem() throws(OptionError) -> StagingOptions.Item {
        let text = try text()
        guard let colon = text.lastIndex(of: ":") else { return StagingOptions.Item(path: text) }
        let (path, rest) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
        guard !path.isEmpty else { throw bad("needs a path before the colon") }
        return StagingOptions.Item(path: path, destination: rest.isEmpty ? nil : rest)
    }

    /// `GLOB[:DIR]`
    fileprivate func stagedPattern() throws(OptionError) -> StagingOptions.Item {
        let item = try stagedItem()
        let parts = item.path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw bad("names files below the task's directory: no / before it, and no . or .. in it")
        }
        return item
    }
}
