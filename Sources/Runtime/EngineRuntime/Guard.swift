import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// The outer of an engine's two processes. It takes over what the engine's tasks leave behind (child subreaper), and
/// when the engine dies, kills every task's group and every descendant before it ends itself. Its own end therefore
/// proves that nothing of the engine runs any more. An engine that somebody stops (SIGSTOP) it lets go on: nobody else
/// sees the driver's end, or the end of a lease.
struct Guard {
    let table: GroupTable
    let engine: Int32

    /// Makes this process a guard: orphans of its descendants become its children.
    static func becomeReaper() {
        _ = clinux_prctl(clinux_set_child_subreaper, 1)
    }

    /// Waits for the engine's end and cleans up behind it. Returns the exit status to leave with.
    func watch() -> Int32 {
        var children = sigset_t()
        sigemptyset(&children)
        sigaddset(&children, SIGCHLD)
        var status: Int32?
        while status == nil {
            status = reapAll()
            if status == nil { sigwaitinfo(&children, nil) }
        }
        defer { table.sessions.remove() }
        // Daemons that tasks left running on purpose live on after an orderly end, as under disBatch.
        if table.leftInOrder { return status ?? 0 }
        killEverything(waitingOn: children)
        return EngineProtocol.clearedStatus
    }

    /// Reaps every child that ended; the engine's exit status, if it was among them.
    private func reapAll() -> Int32? {
        var engineStatus: Int32?
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG | WUNTRACED)
            if pid == engine {
                if ProcessEnd.isStop(waitStatus: status) {
                    kill(engine, SIGCONT)
                } else {
                    engineStatus = exitStatus(status)
                }
            }
            guard pid > 0 || (pid == -1 && errno == EINTR) else { return engineStatus }
        }
    }

    private func exitStatus(_ status: Int32) -> Int32 {
        switch ProcessEnd(waitStatus: status) {
        case .exited(let code): code
        case .signalled(let number): 128 + number
        }
    }

    private func killEverything(waitingOn children: sigset_t) {
        for group in table.groups() { kill(-group, SIGKILL) }
        var children = children
        while hasChildren() {
            for process in ProcessTree().descendants(of: [getpid()]) { kill(process.pid, SIGKILL) }
            // What can't die yet (waiting on a device) is waited for: until then it may still write.
            var pause = timespec(tv_sec: 0, tv_nsec: 20_000_000)
            sigtimedwait(&children, nil, &pause)
        }
    }

    private func hasChildren() -> Bool {
        var status: Int32 = 0
        while true {
            let pid = waitpid(-1, &status, WNOHANG)
            if pid == 0 { return true }
            if pid < 0, errno != EINTR { return false }
        }
    }
}
