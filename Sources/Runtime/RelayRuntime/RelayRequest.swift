package import Options

/// A request for a relay: the context it is to bring, and the run.
package struct RelayRequest {
    /// The path of the run file.
    package var runFile: String
    /// The version of this program, which must be the driver's.
    package var version: String
    package var enginePath: String
    /// The context to be brought to the run.
    package var context: ContextOptions

    package init(runFile: String, version: String, enginePath: String, context: ContextOptions) {
        self.runFile = runFile
        self.version = version
        self.enginePath = enginePath
        self.context = context
    }
}
