import GoogleCloudRuntime
import Options

CloudProgram.main(version: disbatchVersion)
