/// The names of what belongs to one attempt at a task: `000/17` for task 17, `000/17.2` for its second attempt.
package enum AttemptPath {
    /// The directory that an attempt's files stand in: one for each thousand tasks.
    package static func group(of task: TaskID) -> String { String(task.rawValue / 1000, digits: 3) }

    /// The name in it of an attempt, counted from 1.
    package static func name(of task: TaskID, attempt: Int) -> String {
        "\(task.rawValue)\(attempt > 1 ? ".\(attempt)" : "")"
    }

    /// The file under the directory of `--capture` that keeps a stream: `ROOT/000/17.2.out`.
    package static func captured(
        _ stream: TaskOutputStream, of task: TaskID, attempt: Int, root: String
    ) -> String {
        "\(root)/\(group(of: task))/\(name(of: task, attempt: attempt)).\(stream.name)"
    }

    /// The attempt that a file of `--capture` is of, by its name; nil where it has another name than theirs.
    package static func attempt(ofCaptured name: [UInt8]) -> (task: TaskID, attempt: Int)? {
        let parts = String(decoding: name, as: UTF8.self).split(separator: ".")
        guard let task = parts.first.flatMap({ Int($0) }), task >= 0,
            let stream = TaskOutputStream.allCases.first(where: { $0.name == parts.last ?? "" }),
            let attempt = parts.count == 3 ? Int(parts[1]) : 1
        else { return nil }
        let own = "\(self.name(of: TaskID(task), attempt: attempt)).\(stream.name)"
        return own.utf8.elementsEqual(name) ? (TaskID(task), attempt) : nil
    }
}
