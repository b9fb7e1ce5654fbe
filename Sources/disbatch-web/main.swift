import Options
import WebServer

WebProgram.main(version: disbatchVersion)
