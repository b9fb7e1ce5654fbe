/// The files of earlier runs in a directory of `--capture`: an attempt that begins takes away those of its task, of its
/// own number and the ones behind that. The files of earlier attempts are this run's own.
///
/// Each directory in it, which has those of a thousand tasks, is looked at once.
package struct StaleCaptures {
    private var groups: [String: [TaskID: [(attempt: Int, name: [UInt8])]]] = [:]

    package init() {}

    /// The paths, from the directory of `--capture`, of what goes when an attempt begins.
    ///
    /// - Parameter names: the names in a directory below it.
    package mutating func take(
        _ task: TaskID, from attempt: Int, names: (_ group: String) -> [[UInt8]]
    ) -> [[UInt8]] {
        let group = AttemptPath.group(of: task)
        if groups[group] == nil {
            var found: [TaskID: [(attempt: Int, name: [UInt8])]] = [:]
            for name in names(group) {
                guard let (task, attempt) = AttemptPath.attempt(ofCaptured: name) else { continue }
                found[task, default: []].append((attempt, name))
            }
            groups[group] = found
        }
        let files = groups[group]?.removeValue(forKey: task) ?? []
        return files.filter { $0.attempt >= attempt }.map { Array("\(group)/".utf8) + $0.name }
    }
}
