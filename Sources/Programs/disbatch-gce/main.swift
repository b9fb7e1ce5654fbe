import GCERuntime
import Options

CloudProgram.main(version: disbatchVersion)
