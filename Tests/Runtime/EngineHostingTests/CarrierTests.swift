import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import EngineHosting

/// Engines of hosts, to which scripts in the place of OpenSSH's client lead.
@Suite(.blocking) struct CarrierTests {
    @Test func theCarriersStatusIsTold() throws {
        let loop = try HostLoop(client: "\(HostLoop.magic); cat; exit 91")
        let engine = try loop.launch(on: "node")
        #expect(engine.mark.isEmpty, "a client of ssh is no guard")
        try loop.turn(until: { loop.told == ["spoke 0"] })
        engine.close(.keepingCarrier)
        #expect(try loop.end(of: engine) == EngineEnd(status: 91, reason: nil, printedBefore: "", isHopeless: false))
    }

    @Test func itsLastLineIsTheReason() throws {
        let loop = try HostLoop(client: "echo 'No route to host' >&2; exit 255")
        let end = try loop.end(of: try loop.launch(on: "node"))
        #expect(end == EngineEnd(status: 255, reason: "No route to host", printedBefore: "", isHopeless: false))
    }

    @Test func aCarrierMayBeToldToEnd() throws {
        let loop = try HostLoop(client: "\(HostLoop.magic); exec sleep 1000")
        let engine = try loop.launch(on: "node")
        try loop.turn(until: { loop.told == ["spoke 0"] })
        engine.close(.keepingCarrier)
        try loop.turnOn(milliseconds: 200)
        #expect(loop.ends.isEmpty)
        engine.close(.endingCarrier)
        #expect(try loop.end(of: engine).status == -SIGTERM)
    }

    @Test func oneThatDoesNotEndIsKilled() throws {
        let loop = try HostLoop(client: "trap '' TERM; \(HostLoop.magic); exec sleep 1000")
        loop.host.carrierPatience = .milliseconds(300)
        let engine = try loop.launch(on: "node")
        try loop.turn(until: { loop.told == ["spoke 0"] })
        engine.close(.endingCarrier)
        #expect(try loop.end(of: engine).status == -SIGKILL)
    }

    @Test func whatAHostComplainsOfIsFinal() throws {
        let loop = try HostLoop(client: "echo Welcome; echo 'disbatch-bootstrap: error: no room'; exec sleep 1000")
        let end = try loop.end(of: try loop.launch(on: "node"))
        #expect(end.status == -SIGTERM)
        #expect(end.reason == "no room")
        #expect(end.isHopeless)
    }

    @Test func theEnginesProgramIsSentBeforeAnythingElse() throws {
        let loop = try HostLoop(
            client: """
                echo 'disbatch-bootstrap: send the engine'
                head -c "$(wc -c <engine)" >got
                \(HostLoop.magic); cat
                """)
        let engine = try loop.launch(on: "node")
        loop.writers[engine.id] = FrameWriter()
        loop.writers[engine.id]?.append(Array("first".utf8))
        try loop.turn(until: { loop.said[engine.id] == "first" })
        #expect(loop.text("got") == loop.text("engine"))
        engine.close(.keepingCarrier)
        #expect(try loop.end(of: engine).status == 0)
    }

    // MARK: Dialling

    @Test func whatLibssh2CannotDoIsForOpenSSH() throws {
        let client = "if test \"$1\" = -G; then echo 'proxyusefdpass yes'; else \(HostLoop.magic); cat; fi"
        let loop = try HostLoop(client: client, choice: .auto)
        let engine = try loop.launch(on: "node")
        #expect(engine.pid == nil && !engine.isOpen)
        try loop.turn(until: { loop.told == ["spoke 0"] })
        #expect(
            loop.notes == [
                "dialled by libssh2",
                "by OpenSSH's client, because libssh2: its configuration has ProxyUseFdpass, which libssh2 lacks",
                "launched, pid \(engine.pid ?? -1)",
            ])
        engine.close(.keepingCarrier)
        #expect(try loop.end(of: engine).status == 0)
    }

    @Test(arguments: [("echo 'proxyusefdpass yes'", true), ("echo 'hostname 127.0.0.1'; echo 'port 1'", false)])
    func onlyTheNetworksFailuresMayPass(answer: String, isHopeless: Bool) throws {
        let loop = try HostLoop(client: answer, choice: .libssh2)
        let end = try loop.end(of: try loop.launch(on: "node"))
        #expect(end.status == 255)
        #expect(end.reason != nil)
        #expect(end.isHopeless == isHopeless, "\(end.reason ?? "")")
        #expect(loop.told == ["ended 0"])
    }

    @Test func oneThatIsClosedWhileItIsDialledEndsWithTheDialling() throws {
        let client = "while ! test -e go; do sleep 0.05; done; echo 'proxyusefdpass yes'"
        let loop = try HostLoop(client: client, choice: .auto)
        let engine = try loop.launch(on: "node")
        engine.close(.endingCarrier)
        try loop.turnOn(milliseconds: 200)
        #expect(loop.ends.isEmpty)
        try Data().write(to: URL(filePath: loop.path + "/go"))
        #expect(try loop.end(of: engine).status == 255)
        #expect(loop.notes == ["dialled by libssh2"])
    }

    @Test func endingAllGivesUpDialling() throws {
        let loop = try HostLoop(client: "exec sleep 1000", choice: .auto)
        let engine = try loop.launch(on: "node")
        loop.host.endAll(try SignalSource([SIGCHLD]))
        #expect(loop.ends[engine.id]?.status == 255)
    }
}
