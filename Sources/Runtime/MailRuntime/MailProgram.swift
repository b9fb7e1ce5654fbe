import DisbatchCore
import Glibc
import LinuxSystem
import RunClient

/// `disbatch-mail`: tells of a run by mail. The driver starts it, with a pipe as its standard input whose end says that
/// the driver is gone. Its errors are warnings in the driver's log.
package enum MailProgram {
    private static let interval = Duration.milliseconds(500)
    /// How long a mail may take; and at the run's end the one on its way, and the last one.
    private static let patience = Duration.seconds(60)
    private static let patienceForOld = Duration.seconds(3)
    private static let patienceForLast = Duration.seconds(10)
    /// How long, after the driver is gone, its last words are waited for.
    private static let lastWords = Duration.seconds(2)

    /// Runs the program, and ends the process.
    ///
    /// Its arguments are the run file, an address and after how many tasks there is a mail; `--check` instead of the
    /// run file only looks whether mails could be sent.
    package static func main(version: String) -> Never {
        Descriptor.fillStandardStreams()
        ProcessFiles.require(for: "disbatch-mail")
        SignalSource.ignore([SIGPIPE])
        let words = Array(CommandLine.arguments.dropFirst())
        guard words.count == 3, let frequency = Int(words[2]), frequency >= 0 else {
            StandardStream.error.line("disbatch-mail \(version) is started by disbatch --mailTo")
            exit(2)
        }
        let setting = getenv("DISBATCH_SMTP").map { String(cString: $0) } ?? "localhost"
        guard let server = MailServer(setting) else {
            StandardStream.error.line("DISBATCH_SMTP: \(setting) is not HOST or HOST:PORT")
            exit(1)
        }
        do {
            let signals = try SignalSource([SIGTERM, SIGINT, SIGHUP])
            let sender = MailSender(server, address: words[1])
            if words[0] != "--check" {
                let file = try RunFile.read(words[0])
                let model = MailModel(file, path: words[0], frequency: frequency)
                let mailing = Mailing(model, sender, path: words[0], address: words[1])
                mailing.connect(file, version: version)
                mailing.run(signals)
            }
        } catch {
            StandardStream.error.line("\(error)")
            exit(1)
        }
        exit(0)
    }

    /// The loop: what there is goes to the model, and its mails to the server.
    private final class Mailing {
        private var model: MailModel
        private let sender: MailSender
        private let path: String
        private var connection: RunConnection?
        private let address: String
        private var inputHasEnded = false
        /// When the driver's last words are waited for no longer.
        private var wordsDeadline = Instant.distantFuture
        /// When the mail that was on its way at the run's end is given up.
        private var oldMailDeadline: Instant?

        init(_ model: MailModel, _ sender: MailSender, path: String, address: String) {
            self.model = model
            self.sender = sender
            self.path = path
            self.address = address
        }

        func connect(_ file: RunFileText, version: String) {
            do throws(RunClientError) {
                let connection = try RunConnection(file, version: version)
                connection.send(.watch(every: interval))
                self.connection = connection
            } catch {
                lose(error)
            }
        }

        /// The driver says no more. A short run may have ended before it said how: then its file does, once standard
        /// input has ended.
        private func lose(_ error: RunClientError) {
            var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            poll(&input, 1, 5000)
            if let file = try? RunFile.read(path), let exitStatus = file.exitStatus {
                model.take(.ended(exitStatus: exitStatus, summary: file.summary ?? ""))
            } else {
                model.driverWent(error.description)
            }
        }

        private var now: Instant { Instant(nanoseconds: SystemClock.bootNanoseconds()) }

        func run(_ signals: SignalSource) {
            while signals.next() == nil {
                giveUpOldMail()
                if !sender.isBusy, let message = model.next(at: now) { send(message) }
                if model.isDone { return }
                let ready = sender.wait(
                    for: [inputHasEnded ? -1 : 0, model.isOver ? -1 : connection?.descriptor ?? -1, signals.raw],
                    milliseconds: 1000)
                if ready[0] {
                    inputHasEnded = true
                    wordsDeadline = now + lastWords
                }
                takeWords()
                takeOutcome()
            }
        }

        private func send(_ message: MailMessage) {
            let token = String(UInt64.random(in: .min ... .max), radix: 36)
            let bytes = message.bytes(address: address, date: MailDate.text(), identifier: "\(getpid()).\(token)")
            sender.start(bytes, patience: model.isOver ? patienceForLast : patience)
        }

        /// At the run's end the last mail is what counts.
        private func giveUpOldMail() {
            guard model.isOver, oldMailDeadline == nil || now >= oldMailDeadline! else { return }
            if oldMailDeadline != nil {
                sender.cancel()
                oldMailDeadline = .distantFuture
            } else {
                oldMailDeadline = sender.isBusy ? now + patienceForOld : .distantFuture
            }
        }

        private func takeWords() {
            do throws(RunClientError) {
                while !model.isOver, let frame = try connection?.next() { model.take(frame) }
            } catch {
                lose(error)
            }
            if now >= wordsDeadline { model.driverWent("the driver has gone without a word") }
        }

        private func takeOutcome() {
            switch sender.takeOutcome() {
            case .sent: model.sent()
            case .failed(let reason): if let text = model.failed(reason, at: now) { StandardStream.error.line(text) }
            case nil: break
            }
        }
    }
}

/// The time as mails have it.
enum MailDate {
    /// Now, such as `Sat, 21 Nov 2026 11:52:20 +0000`. No locale was set, so names are English.
    static func text() -> String {
        var seconds = time(nil)
        var parts = tm()
        localtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S %z", &parts)
        return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }
}
