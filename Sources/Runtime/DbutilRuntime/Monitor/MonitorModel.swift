import DisbatchCore
import RunClient

/// The monitor as a value: what came from the driver and what was typed go in, lines for the screen come out.
struct MonitorModel: Sendable {
    /// The content of the screen's lower part.
    enum View: Sendable {
        case engines, running, failures, help
    }

    /// How engines are ordered.
    enum Order: String, CaseIterable {
        case rank, node, running, done, failed
    }

    /// A question that waits for y or n, and what is asked of the driver on y.
    struct Question: Equatable {
        var text: String
        var control: RunControl
    }

    /// A request to the loop around the model.
    enum Request: Equatable, Sendable {
        case send(ClientFrame)
        case quit
    }

    private(set) var state: RunState
    private(set) var view = View.engines
    /// The text of the last line: the answer to a request, or that the driver is gone.
    var message = ""
    /// Whether nothing more will come.
    var isOver = false
    var tasks: [RunningTask] = []
    var order = Order.rank
    var filter = ""
    /// The engine whose running tasks alone are shown.
    var onlyEngine: EngineID?
    /// The filter while it is being typed.
    var typing: String?
    var question: Question?
    /// The place of the selected row, and of the first one shown.
    var selected = 0
    var first = 0
    /// How many rows were shown last, for paging.
    var page = 10

    init(_ state: RunState) { self.state = state }

    // MARK: The driver

    /// Handles a message from the driver.
    ///
    /// - Returns: the next requests.
    mutating func take(_ frame: ServerFrame) -> [Request] {
        switch frame {
        case .snapshot(let snapshot):
            state.apply(snapshot)
            return view == .running ? [.send(.listRunning)] : []
        case .running(let running): tasks = running
        case .answer(_, let text): message = text
        case .ended(let exitStatus, let summary):
            state.exitStatus = exitStatus
            state.summary = summary
            tasks = []
            isOver = true
        case .welcome, .relay, .tail: break
        }
        return []
    }

    // MARK: Keys

    /// Handles a key.
    mutating func press(_ key: MonitorKey) -> [Request] {
        if typing != nil { return type(key) }
        if let question { return answer(question, key) }
        message = ""
        switch key {
        case .up, .character("u"), .character("k"): selected -= 1
        case .down, .character("d"), .character("j"): selected += 1
        case .pageUp: selected -= page
        case .pageDown, .character(" "): selected += page
        case .home, .character("g"): selected = 0
        case .end, .character("G"): selected = .max / 2
        case .tab: return show(nextView)
        case .character(let character): return press(character)
        case .escape: return view == .engines ? [] : show(.engines)
        case .enter:
            guard view == .engines, let engine = shownEngines[at: selected] else { return [] }
            return show(.running, of: engine.id)
        case .backspace: break
        }
        return []
    }

    private mutating func press(_ character: Character) -> [Request] {
        switch character {
        case "q": return [.quit]
        case "h", "?": return show(view == .help ? .engines : .help)
        case "e": return show(.engines)
        case "r": return show(.running)
        case "f": return show(.failures)
        case "s":
            let orders = Order.allCases
            order = orders[((orders.firstIndex(of: order) ?? 0) + 1) % orders.count]
        case "/": typing = filter
        case "E", "C", "D", "K": ask(character)
        default: break
        }
        return []
    }

    private var nextView: View {
        switch view {
        case .engines: .running
        case .running: .failures
        case .failures, .help: .engines
        }
    }

    private mutating func show(_ next: View, of engine: EngineID? = nil) -> [Request] {
        view = next
        onlyEngine = engine
        selected = 0
        first = 0
        return next == .running && !isOver ? [.send(.listRunning)] : []
    }

    private mutating func ask(_ character: Character) {
        guard !isOver else {
            message = "the run is over"
            return
        }
        if character == "D" {
            question = Question(text: "Start no new task, and end the run when the running ones have?", control: .drain)
            return
        }
        if character == "K" {
            guard view == .running, let task = shownTasks[at: selected] else { return }
            question = Question(
                text: "End task \(task.task.rawValue) on \(task.node), not to be run again?", control: .kill(task.task))
            return
        }
        guard view == .engines, let engine = shownEngines[at: selected] else { return }
        if character == "E" {
            question = Question(
                text: "Stop engine \(engine.id.rawValue) on \(engine.node) after its running tasks?",
                control: .stopEngine(engine.id))
        } else {
            question = Question(
                text: "Stop context \(engine.label) after its running tasks?",
                control: .stopContext(label: engine.label))
        }
    }

    private mutating func answer(_ question: Question, _ key: MonitorKey) -> [Request] {
        self.question = nil
        guard key == .character("y") || key == .character("Y") else {
            message = "nothing was done"
            return []
        }
        return [.send(.control(question.control))]
    }

    private mutating func type(_ key: MonitorKey) -> [Request] {
        switch key {
        case .character(let character): typing?.append(character)
        case .backspace: _ = typing?.popLast()
        case .enter:
            filter = typing ?? ""
            typing = nil
            selected = 0
        case .escape: typing = nil
        default: break
        }
        return []
    }

    // MARK: What there is to show

    /// The engines that the filter leaves, in order.
    var shownEngines: [EngineSnapshot] {
        let kept = filter.isEmpty ? state.engines : state.engines.filter { isWanted($0) }
        switch order {
        case .rank: return kept
        case .node: return kept.sorted { ($0.node, $0.id) < ($1.node, $1.id) }
        case .running: return kept.sorted { ($1.running, $0.id) < ($0.running, $1.id) }
        case .done: return kept.sorted { ($1.finished, $0.id) < ($0.finished, $1.id) }
        case .failed: return kept.sorted { ($1.failed, $0.id) < ($0.failed, $1.id) }
        }
    }

    private func isWanted(_ engine: EngineSnapshot) -> Bool {
        [engine.node, engine.label, engine.state.text].contains { $0.contains(filter) }
    }

    /// The running tasks, the oldest first; the failures, the newest first.
    var shownTasks: [RunningTask] {
        let tasks = onlyEngine.map { engine in self.tasks.filter { $0.engine == engine } } ?? self.tasks
        let kept =
            filter.isEmpty
            ? tasks : tasks.filter { $0.node.contains(filter) || Displayable.words($0.command).contains(filter) }
        return kept.sorted { ($1.seconds, $0.task) < ($0.seconds, $1.task) }
    }

    var shownFailures: [FailureSnapshot] {
        let kept =
            filter.isEmpty
            ? state.failures
            : state.failures.filter { $0.node.contains(filter) || Displayable.words($0.command).contains(filter) }
        return kept.reversed()
    }
}

extension Array {
    /// The element there, if there is one.
    subscript(at place: Int) -> Element? { indices.contains(place) ? self[place] : nil }
}
