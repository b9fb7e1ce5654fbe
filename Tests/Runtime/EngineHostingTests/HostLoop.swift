import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import EngineHosting

/// A loop with a host of engines, whose programs are scripts.
final class HostLoop: EngineHostDelegate {
    let host: EngineHost
    let path: String
    private let poll: EventPoll
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var engines: [EngineID: HostedEngine] = [:]
    private var nextID = 0

    /// What was told of engines, in its order.
    private(set) var told: [String] = []
    private(set) var said: [EngineID: String] = [:]
    private(set) var ends: [EngineID: EngineEnd] = [:]
    private(set) var notes: [String] = []
    /// What is to be sent.
    var writers: [EngineID: FrameWriter] = [:]
    /// What is done with an engine when it speaks.
    var whenSpoken: (HostedEngine) -> Void = { _ in }

    private static let dialerToken: UInt64 = 9

    /// - Parameters:
    ///   - engine: a script that is the engine of this machine.
    ///   - client: a script that is OpenSSH's client.
    ///   - choice: by what hosts are logged in to.
    ///   - usesProcessDescriptors: false for a kernel that has no descriptors of processes.
    init(
        engine: String = "exit 0", client: String? = nil, choice: SSHClientChoice = .openSSH,
        patience: Duration = .seconds(60), usesProcessDescriptors: Bool = true
    ) throws {
        let parent = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        path = parent + "/hosting-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Tool.writeProgram(path + "/engine", "#!/bin/sh\ncd '\(path)'\n\(engine)\n")
        var remote: RemoteLaunching?
        if let client {
            try Tool.writeProgram(path + "/ssh", "#!/bin/sh\ncd '\(path)'\n\(client)\n")
            remote = RemoteLaunching(
                image: try EngineImage(path: path + "/engine"), client: path + "/ssh", choice: choice)
        }
        poll = try EventPoll()
        let starter = try EngineStarter(engine: path + "/engine", remote: remote, launchers: [:], lock: -1)
        if !usesProcessDescriptors { starter.usesProcessDescriptors = false }
        host = try EngineHost(starter, poll, patience: patience, dialerToken: Self.dialerToken)
        host.delegate = self
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// What an engine says first, as a script writes it.
    static let magic = "echo '" + String(decoding: EngineProtocol.magicLine.dropLast(), as: UTF8.self) + "'"

    /// Launches an engine of this machine, or of a host where there is a client.
    func launch(on host: String? = nil) throws -> HostedEngine {
        var plan = EnginePlan(node: host ?? "here", slots: 1, coresPerTask: 1)
        if let host { plan.place = .ssh(host: host) }
        let id = EngineID(nextID)
        nextID += 1
        let errors = try Descriptor.open(path + "/errors", O_RDWR | O_CREAT | O_APPEND)
        let engine = try self.host.launch(plan, id: id, errors: errors, step: "")
        engines[id] = engine
        return engine
    }

    func send(_ text: String, to engine: HostedEngine) {
        writers[engine.id, default: FrameWriter()].append(Array(text.utf8))
        engine.flush(&writers[engine.id, default: FrameWriter()])
    }

    /// Turns until something holds.
    func turn(until holds: () -> Bool, _ what: Comment = "nothing came") throws {
        let limit = MonotonicTime.now + .seconds(60)
        while !holds() {
            try #require(MonotonicTime.now < limit, what)
            var ready: [ReadyEvent] = []
            try poll.wait(milliseconds: host.nextDeadline == Instant(nanoseconds: 0) ? 0 : 50, into: &ready)
            for event in ready {
                if event.token == Self.dialerToken { host.takeDialled(&buffer) } else { host.handle(event, &buffer) }
            }
            host.timePassed(at: Instant(nanoseconds: SystemClock.bootNanoseconds()))
        }
    }

    /// Turns until an engine has ended; how it did.
    func end(of engine: HostedEngine) throws -> EngineEnd {
        try turn(until: { ends[engine.id] != nil }, "engine \(engine.id.rawValue) did not end")
        return try #require(ends[engine.id])
    }

    /// Turns for a while, in which nothing is to come.
    func turnOn(milliseconds: Int) throws {
        let end = MonotonicTime.now + .milliseconds(milliseconds)
        try turn(until: { MonotonicTime.now >= end })
    }

    func text(_ name: String) -> String? { try? String(contentsOfFile: path + "/" + name, encoding: .utf8) }

    // MARK: What is told

    func engineSpoke(_ id: EngineID) {
        told.append("spoke \(id.rawValue)")
        if let engine = engines[id] { whenSpoken(engine) }
    }

    func engineSaid(_ id: EngineID, _ bytes: UnsafeRawBufferPointer) {
        if told.last != "said \(id.rawValue)" { told.append("said \(id.rawValue)") }
        said[id, default: ""] += String(decoding: bytes, as: UTF8.self)
    }

    func engineNeedsFlush(_ id: EngineID) { engines[id]?.flush(&writers[id, default: FrameWriter()]) }

    func engineEnded(_ id: EngineID, _ end: EngineEnd) {
        told.append("ended \(id.rawValue)")
        ends[id] = end
    }

    func engineNoted(_ engine: HostedEngine, _ text: String) { notes.append(text) }
}
