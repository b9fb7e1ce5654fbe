import DisbatchCore

/// One engine as the world has it: the real ``EngineMachine``, with processes that are only times in a queue.
struct FakeEngine {
    /// The process in one cylinder.
    struct Process {
        /// Tells the cylinder's processes apart.
        var number = 0
        var assignment: Assignment?
        /// Whether a process is there, and whether it was told to end.
        var isAlive = false
        var isOutputOpen = false
        var start = Timestamp(microseconds: 0)
        var finish = Timestamp(microseconds: 0)
    }

    let id: EngineID
    let context: ContextID
    /// Its host's index: engines in one place of a context's plan share it.
    let host: Int
    /// Whether it never sends its hello.
    var isMute = false
    /// Whether the driver has heard its first line.
    var hasSpoken = false
    let slots: Int
    /// Its clock less the driver's.
    let clockOffset: Int64
    /// How its channel delays messages, in nanoseconds, on average.
    let delay: Double
    /// How many times as long as elsewhere its tasks take.
    let slowness: Double
    var machine: EngineMachine
    var processes: [Process]
    var timer = Int64.max
    /// How many tasks have files on their way home, and whether it leaves when that is over.
    var sending = 0
    var leavesWhenSent = false

    /// Whether it exists, from its start to its end.
    var isUp = false
    /// Whether nothing of it exists any more, or ever will.
    var isOver = false
    var leftInOrder = false
    var isFrozen = false
    /// Events on its node while it stood still.
    var missed: [SimulatedEvent] = []
    /// Whether messages lie in the network, and those that do, in order.
    var isCut = false
    var isCutOneWay = false
    var held: [SimulatedEvent] = []
    /// Whether its channel ended, as the network has it; what is sent then goes nowhere.
    var isChannelOpen = true
    /// Whether the driver will hear nothing more of it, or heard that it is gone.
    var isWrittenOff = false
    /// When the last message of each way arrives: none overtakes another.
    var lastDown: Int64 = 0
    var lastUp: Int64 = 0

    init(id: EngineID, context: ContextID, host: Int, slots: Int, clockOffset: Int64, delay: Double, slowness: Double) {
        self.id = id
        self.context = context
        self.host = host
        self.slots = slots
        self.clockOffset = clockOffset
        self.delay = delay
        self.slowness = slowness
        machine = EngineMachine(slots: slots, settings: TaskSettings(), greeted: Instant(nanoseconds: 0))
        processes = Array(repeating: Process(), count: slots + 1)
    }
}

/// A machine that engines come to, one after the other.
struct FakeHost {
    /// Whether nothing reaches it now.
    var isCut = false
    /// How many of its engines were lost in a row, since the last that finished a task.
    var failuresInARow = 0
    /// Whether its engine left in order.
    var isFinal = false
    /// Whether its allocation has ended.
    var isGone = false
}
