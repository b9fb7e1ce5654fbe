import DisbatchCore
import Glibc
import LinuxSystem

/// One task's processes, as they are to be found when they have to end.
struct TaskProcesses {
    /// The process that was started, whose group and session have its number.
    var pid: Int32
    /// Entries that are, all of them, in the task's environment, and in no other's that runs on this engine.
    var marks: [[UInt8]]
    /// The descendants that it had when it was told to end, which may have lost their parents since.
    var known: [ProcessTree.Entry] = []

    /// The marks of a task, or of a per-engine command, whose numbers are counted apart.
    ///
    /// - Parameter cylinder: the slot, or -1 for a per-engine command.
    static func marks(_ task: TaskID, cylinder: Int) -> [[UInt8]] {
        ["DISBATCH_TASKID=\(task.rawValue)", "DISBATCH_CYLINDER_RANK=\(cylinder)"].map { Array($0.utf8) }
    }
}

/// Ends the processes of tasks, those in sessions of their own too.
struct TaskKiller {
    /// The guard, to which orphans come.
    let guardPid: Int32
    /// `DISBATCH_GUARD=...`, which every task of this engine has in its environment.
    let guardMark: [UInt8]

    /// Sends SIGTERM to a task's group. Returns the task's descendants, to know them later.
    func terminate(_ pid: Int32) -> [ProcessTree.Entry] {
        let descendants = ProcessTree().descendants(of: [pid])
        Glibc.kill(-pid, SIGTERM)
        // One that was stopped is to hear of it.
        Glibc.kill(-pid, SIGCONT)
        return descendants
    }

    /// Lets the guard go on that somebody stopped: its end is what the engine's end is known by.
    func continueGuard() { if getppid() == guardPid { Glibc.kill(guardPid, SIGCONT) } }

    /// Sends SIGKILL to all processes of these tasks, until none is found.
    func kill(_ tasks: [TaskProcesses]) {
        guard !tasks.isEmpty else { return }
        var tasks = tasks
        // Once its parent is dead, a process that cleared its environment can't be told from another task's.
        let before = ProcessTree()
        for place in tasks.indices { tasks[place].known += before.descendants(of: [tasks[place].pid]) }
        for task in tasks { Glibc.kill(-task.pid, SIGKILL) }
        // Each round finds what was forked during the one before; what forks faster than that is caught by its group.
        for _ in 0..<8 {
            let victims = find(tasks)
            if victims.isEmpty { return }
            for pid in victims { Glibc.kill(pid, SIGKILL) }
        }
    }

    /// Sends SIGKILL to whatever this engine left, once its guard is gone and the kernel no longer brings orphans
    /// together.
    func killLeavings() { Leavings(of: [guardMark]).killAll() }

    private func find(_ tasks: [TaskProcesses]) -> Set<Int32> {
        let tree = ProcessTree()
        var roots = Set(tasks.map(\.pid))
        for entry in tree.entries where !entry.isZombie {
            let isKnown = tasks.contains { task in
                task.known.contains { $0.pid == entry.pid && $0.startTicks == entry.startTicks }
            }
            if isKnown || isMarkedOrphan(entry, of: tasks) { roots.insert(entry.pid) }
        }
        let alive = Set(tree.entries.lazy.filter { !$0.isZombie }.map(\.pid))
        var victims = Set(tree.descendants(of: roots).map(\.pid))
        victims.formUnion(roots.intersection(alive))
        return victims
    }

    private func isMarkedOrphan(_ entry: ProcessTree.Entry, of tasks: [TaskProcesses]) -> Bool {
        guard entry.parent == guardPid, entry.pid != getpid() else { return false }
        guard ProcessTree.environment(of: entry.pid, contains: guardMark) else { return false }
        return tasks.contains { task in
            task.marks.allSatisfy { ProcessTree.environment(of: entry.pid, contains: $0) }
        }
    }
}
