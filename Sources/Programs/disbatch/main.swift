import DriverRuntime
import Options

DriverProgram.main(version: disbatchVersion)
