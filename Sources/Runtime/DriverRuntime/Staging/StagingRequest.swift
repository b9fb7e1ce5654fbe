/// What the user asked for about tasks' files on other machines. Paths are as they were typed.
struct StagingRequest: Equatable, Sendable {
    /// `--stage-in PATH[:DEST]`
    struct StageIn: Equatable, Sendable {
        var path: String
        var destination: String?

        init(path: String, destination: String?) {
            self.path = path
            self.destination = destination
        }
    }

    /// `--stage-out GLOB[:DIR]`
    struct StageOut: Equatable, Sendable {
        var pattern: String
        var directory: String?

        init(pattern: String, directory: String?) {
            self.pattern = pattern
            self.directory = directory
        }
    }

    var stageIn: [StageIn] = []
    var stageOut: [StageOut] = []
    /// `--task-dir`
    var givesTaskDirectories = false

    init() {}
}
