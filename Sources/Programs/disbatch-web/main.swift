import Options
import WebRuntime

WebProgram.main(version: disbatchVersion)
