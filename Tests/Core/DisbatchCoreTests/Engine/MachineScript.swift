import Testing

@testable import DisbatchCore

/// An engine's machine and a clock: each step says what happens, and what the machine has to do about it.
struct MachineScript {
    var machine: EngineMachine
    var now = Instant(nanoseconds: 1_000_000_000_000)

    init(slots: Int = 1, timeout: Duration? = nil, killAfter: Duration = .seconds(10)) {
        // With a greeting after all of it, no token is doubted: StandStillTests has those.
        machine = EngineMachine(
            slots: slots, settings: TaskSettings(timeout: timeout, killAfter: killAfter),
            greeted: now + .seconds(1_000_000))
    }

    /// Lets something happen, and expects exactly these actions.
    mutating func on(
        _ event: EngineEvent, _ expected: EngineAction..., at location: SourceLocation = #_sourceLocation
    ) {
        var actions: [EngineAction] = []
        machine.handle(event, at: now, into: &actions)
        #expect(actions == expected, "on \(event)", sourceLocation: location)
    }

    /// Lets time pass, and expects exactly these actions.
    mutating func after(
        _ duration: Duration, _ expected: EngineAction..., at location: SourceLocation = #_sourceLocation
    ) {
        now = now + duration
        var actions: [EngineAction] = []
        machine.handle(.timePassed, at: now, into: &actions)
        #expect(actions == expected, "after \(duration)", sourceLocation: location)
    }

    /// Brings a task to run in a cylinder.
    mutating func run(_ assignment: Assignment, in cylinder: Int, at location: SourceLocation = #_sourceLocation) {
        on(.assigned(assignment), .start(cylinder: cylinder, assignment), at: location)
        on(.spawned(cylinder: cylinder, pid: 100), at: location)
    }

    /// Whether the machine wants to be woken exactly `duration` from now.
    func expectDeadline(in duration: Duration?, at location: SourceLocation = #_sourceLocation) {
        let expected = duration.map { now + $0 } ?? .distantFuture
        #expect(machine.nextDeadline == expected, sourceLocation: location)
    }
}

extension Assignment {
    static func task(_ id: UInt64, limit: Duration? = nil) -> Assignment {
        Assignment(
            id: AssignmentID(id), kind: .task, spec: TaskSpec(id: TaskID(Int(id)), streamIndex: 1, command: []),
            attempt: 1, timeLimit: limit)
    }

    static func command(_ id: UInt64, _ phase: PerEnginePhase, limit: Duration? = nil) -> Assignment {
        Assignment(
            id: AssignmentID(id), kind: .perEngine(phase), spec: TaskSpec(id: TaskID(0), streamIndex: 1, command: []),
            attempt: 1, timeLimit: limit)
    }
}

extension EngineEvent {
    /// The process ended with this status.
    static func exited(_ cylinder: Int, _ status: Int32 = 0) -> EngineEvent {
        .exited(cylinder: cylinder, .exited(status: status))
    }
}
