import EngineRuntime
import Options

EngineProgram.main(version: disbatchVersion)
