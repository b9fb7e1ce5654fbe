package import DisbatchCore
package import EngineHosting

/// What a relay is asked for.
package struct RelayRequest {
    /// The path of the run file.
    package var runFile: String
    /// The version of this program, which must be the driver's.
    package var version: String
    package var enginePath: String
    package var kind: ContextKind?
    /// The values of `-s`.
    package var sshLists: [String] = []
    package var context: ContextRequest
    package var terms: ContextTerms
    package var sshClient = SSHClientChoice.auto

    package init(
        runFile: String, version: String, enginePath: String, context: ContextRequest, terms: ContextTerms
    ) {
        self.runFile = runFile
        self.version = version
        self.enginePath = enginePath
        self.context = context
        self.terms = terms
    }
}
