/// The user's wishes for tasks' files on other machines. Paths are as they were typed.
package struct StagingRequest: Equatable, Sendable {
    /// `--stage-in PATH[:DEST]`
    package struct StageIn: Equatable, Sendable {
        package var path: String
        package var destination: String?

        package init(path: String, destination: String?) {
            self.path = path
            self.destination = destination
        }
    }

    /// `--stage-out GLOB[:DIR]`
    package struct StageOut: Equatable, Sendable {
        package var pattern: String
        package var directory: String?

        package init(pattern: String, directory: String?) {
            self.pattern = pattern
            self.directory = directory
        }
    }

    package var stageIn: [StageIn] = []
    package var stageOut: [StageOut] = []
    /// `--task-dir`
    package var givesTaskDirectories = false

    package init() {}
}
