import Options
import RunMail

MailProgram.main(version: disbatchVersion)
