import DisbatchCore
import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// What stands beside `disbatch` as its engine is something else.
@Suite(.blocking) struct WrongEngineTests {
    /// Runs with a `disbatch-engine` that is something else.
    private func run(
        engine: String?, link: String? = nil, environment: [String: String?] = [:], in box: Sandbox
    ) throws -> ProgramResult {
        try box.copyPrograms(to: "fake", engine: false)
        if let link {
            try FileManager.default.createSymbolicLink(
                atPath: box.at("fake/disbatch-engine"), withDestinationPath: link)
        }
        if let engine { try box.writeProgram("fake/disbatch-engine", engine) }
        try box.write("tasks.txt", "touch ran\n")
        let result = try box.run(
            ["-s", "localhost:1", "-p", "run", "tasks.txt"], program: box.at("fake/disbatch"),
            environment: environment)
        #expect(result.status == 3, "\(result.error)")
        #expect(!box.exists("ran"))
        return result
    }

    @Test func anEngineThatIsMissing() throws {
        try Sandbox.with { box in
            let error = try run(engine: nil, in: box).error
            #expect(error.contains("fake/disbatch-engine: No such file or directory"), "\(error)")
        }
    }

    @Test func anEngineThatEndsAtOnce() throws {
        try Sandbox.with { box in
            let error = try run(engine: nil, link: "/bin/true", in: box).error
            #expect(error.contains("exit status 0"), "\(error)")
        }
    }

    @Test func anEngineThatPrintsSomethingElse() throws {
        try Sandbox.with { box in
            let error = try run(engine: "#!/bin/sh\necho 'no such program here'\nexit 7\n", in: box).error
            #expect(error.contains("exit status 7, after printing: no such program here"), "\(error)")
        }
    }

    @Test(
        "an engine that says nothing, or only something else, is not waited for for ever", arguments: ["", "hello\n"])
    func silentEngine(_ text: String) throws {
        try Sandbox.with { box in
            let program = "#!/bin/sh\nprintf '\(text.dropLast())'\nexec /bin/cat\n"
            let error = try run(engine: program, environment: ["DISBATCH_START_PATIENCE": "1"], in: box).error
            #expect(error.contains("it did not answer within 1 s"), "\(error)")
            #expect(text.isEmpty || error.contains("it printed: hello"), "\(error)")
        }
    }

    @Test("an engine of another version is refused, both are named")
    func anotherVersion() throws {
        try Sandbox.with { box in
            var writer = FrameWriter()
            EngineFrame.hello(
                EngineHello(
                    version: "9.9.9", protocolVersion: EngineProtocol.version, pid: 1, host: "elsewhere", cores: 1)
            ).encode(into: &writer)
            try box.write("hello", EngineProtocol.magicLine + writer.bytes)
            let error = try run(engine: "#!/bin/sh\ncat \(box.at("hello"))\nexec cat >/dev/null\n", in: box).error
            #expect(error.contains("its engine is of version 9.9.9, this driver of "), "\(error)")
        }
    }
}
