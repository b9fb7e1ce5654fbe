import EngineRuntime
import Glibc
import Options

exit(EngineProgram.run(version: "0"))
