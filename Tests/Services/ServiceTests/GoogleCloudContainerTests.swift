import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Tasks in containers on machines of Google's. The machines' docker is a stand-in that refuses what docker refuses.
@Suite(.blocking, .enabled(if: GoogleCloud.canRun, "machines have addresses and files of their own"))
struct GoogleCloudContainerTests {
    private static let image = "image=projects/cos-cloud/global/images/family/cos-stable"
    private static let privateImage = "europe-west1-docker.pkg.dev/test-project/images/tools:1.2"

    private func run(
        _ text: String, _ settings: [String], _ options: [String] = [], in box: Sandbox, _ cloud: GoogleCloud
    ) throws -> ProgramResult {
        try box.write("tasks.txt", text)
        let set = (["zones=us-central1-a"] + settings).flatMap { ["--gce-set", $0] }
        return try box.start(
            ["-p", "run", "--gce", "1:n2-standard-2"] + set + options + ["tasks.txt"], environment: cloud.environment
        ).wait(within: 120)
    }

    @Test(arguments: SSHClient.allCases) func tasksRunInTheContainer(client: SSHClient) throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                try box.write("in.txt", "staged\n")
                let options =
                    client.options + [
                        "--stage-in", "in.txt", "--stage-out", "out.%t", "--workdir", "/home/disbatch/x",
                    ]
                let task = "(echo \"$CONTAINER $PWD $HOME\"; cat in.txt) > out.$DISBATCH_TASKID\n"
                let result = try run(task, [Self.image, "container=debian:12"], options, in: box, cloud)
                #expect(result.status == 0, "\(result.error)")
                #expect(try box.text(of: "out.0") == "debian:12 /home/disbatch/x /home/disbatch\nstaged\n")
            }
        }
    }

    @Test func imagesOfPrivateRegistriesArePulledWithTheMachinesToken() throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let settings = [Self.image, "container=\(Self.privateImage)", "service-account=default"]
                let result = try run("echo \"${CONTAINER##*/}\"\n", settings, in: box, cloud)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().first?.outSnippet == "'tools:1.2\\n'")
            }
        }
    }

    @Test(arguments: [
        ([image, "container=nobody/has:this"], "docker can't pull nobody/has:this"),
        ([image, "container=\(privateImage)"], "docker can't pull \(privateImage)"),
        (["container=debian"], "the image has no docker"),
    ]) func whatCannotBePreparedIsSaid(settings: [String], text: String) throws {
        try GoogleCloud.with { cloud in
            try Sandbox.with { box in
                let result = try run("true\n", settings, in: box, cloud)
                #expect(result.status == 3 && result.error.contains(text), "\(result.error)")
                try box.wait(for: "the end of all machines", within: 60) { try cloud.names().isEmpty }
            }
        }
    }
}
