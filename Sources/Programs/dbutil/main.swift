import DbutilRuntime
import Options

DbutilProgram.main(version: disbatchVersion)
