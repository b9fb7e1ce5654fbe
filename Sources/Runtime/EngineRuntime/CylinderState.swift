import DisbatchCore
import Glibc
import LinuxSystem

/// One of a task's two streams, as the engine reads it.
struct StreamState {
    /// Our end of the pipe; -1 when it is closed.
    var descriptor: Int32 = -1
    var tally = OutputTally()
    var capture: CaptureFile?
    /// Whether what is read is copied to the driver.
    var isFollowed = false

    /// Gives our end up, to be closed when there is time for it.
    mutating func retire(to retired: inout [RetiredDescriptor], isWatched: Bool) {
        guard descriptor >= 0 else { return }
        retired.append(RetiredDescriptor(raw: descriptor, isWatched: isWatched))
        descriptor = -1
        capture = nil
    }
}

/// A descriptor to close when there is time for it.
struct RetiredDescriptor {
    let raw: Int32
    /// Whether the loop is told of its events until then.
    let isWatched: Bool
}

/// The process in one cylinder, as the loop knows it.
struct CylinderState {
    /// Tells events of this process from late ones of the process before.
    var generation: UInt32 = 0
    /// The assignment that the process is of, after its end too.
    var assignment: AssignmentID?
    var child: ChildProcess?
    /// Whether the process was waited for.
    var isReaped = false
    /// Whether the loop is told of output.
    var isWatched = true
    var start = Timestamp(microseconds: 0)
    var finish = Timestamp(microseconds: 0)
    var usage = ProcessUsage()
    var out = StreamState()
    var err = StreamState()
    /// The task's own directory (`--task-dir`), from the working directory.
    var directory: PathBytes?
    /// Entries of the environment of the task's processes, to know them by.
    var marks: [[UInt8]] = []
    /// The task's descendants when it was told to end.
    var known: [ProcessTree.Entry] = []

    /// Makes ready for the next process.
    mutating func reset(capture: (out: CaptureFile, err: CaptureFile)?) {
        self = CylinderState(generation: generation &+ 1)
        out.capture = capture?.out
        err.capture = capture?.err
    }

    /// Gives all descriptors up.
    mutating func retireAll(to retired: inout [RetiredDescriptor]) {
        out.retire(to: &retired, isWatched: isWatched)
        err.retire(to: &retired, isWatched: isWatched)
        // It is no longer watched once its process was reaped.
        if let child, child.pidfd >= 0 { retired.append(RetiredDescriptor(raw: child.pidfd, isWatched: !isReaped)) }
        child = nil
    }

    /// The state of one of the streams. (Not by key path: those cost an allocation for each use.)
    subscript(stream: TaskOutputStream) -> StreamState {
        get { stream == .output ? out : err }
        set { if stream == .output { out = newValue } else { err = newValue } }
    }

    var isOutputOpen: Bool { out.descriptor >= 0 || err.descriptor >= 0 }

    private init(generation: UInt32) { self.generation = generation }

    init() {}
}
