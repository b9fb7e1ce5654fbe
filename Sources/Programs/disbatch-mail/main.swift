import MailRuntime
import Options

MailProgram.main(version: disbatchVersion)
