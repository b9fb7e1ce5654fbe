import CCurl
import Glibc
import LinuxSystem

/// Sends mails by SMTP, one at a time, while its caller waits for other things too.
final class MailSender {
    /// The outcome of sending a mail.
    enum Outcome: Equatable {
        case sent
        case failed(String)
    }

    private let server: MailServer
    private let address: String
    private let multi: OpaquePointer?
    private var transfer: Transfer?

    /// - Parameter address: who mails go to and come from; checked.
    init(_ server: MailServer, address: String) {
        self.server = server
        self.address = address
        curl_global_init(3)
        multi = curl_multi_init().map { OpaquePointer($0) }
    }

    var isBusy: Bool { transfer != nil }

    /// Begins to send a mail.
    func start(_ bytes: [UInt8], patience: Duration) {
        let transfer = Transfer(bytes, server, address, patience: patience)
        curl_multi_add_handle(handle, transfer.easy)
        self.transfer = transfer
    }

    /// Gives the mail up that is on its way.
    func cancel() {
        guard let transfer else { return }
        // The library takes its leave of the server, and would wait for its answer.
        ccurl_setopt_long(transfer.easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, 1)
        curl_multi_remove_handle(handle, transfer.easy)
        self.transfer = nil
    }

    /// Goes on sending, and waits until there is more to do, one of the descriptors is ready, or the time is over.
    ///
    /// - Returns: which descriptors are ready; those below 0 are not looked at.
    func wait(for descriptors: [Int32], milliseconds: Int32) -> [Bool] {
        var running: Int32 = 0
        curl_multi_perform(handle, &running)
        var waits = descriptors.filter { $0 >= 0 }.map { curl_waitfd(fd: $0, events: 1, revents: 0) }
        let pause = isBusy && running == 0 ? 0 : milliseconds
        curl_multi_poll(handle, &waits, UInt32(waits.count), pause, nil)
        curl_multi_perform(handle, &running)
        // Of what hung up curl says nothing.
        return descriptors.map { raw in
            guard raw >= 0 else { return false }
            var look = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
            return poll(&look, 1, 0) > 0
        }
    }

    /// The outcome of the mail that was being sent, once it is known.
    func takeOutcome() -> Outcome? {
        var left: Int32 = 0
        guard let transfer, let message = curl_multi_info_read(handle, &left) else { return nil }
        let code = ccurl_result(message)
        cancel()
        if code == CURLE_OK { return .sent }
        let detail = transfer.errorText
        return .failed("\(server.shown): \(detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail)")
    }

    private var handle: UnsafeMutableRawPointer? { multi.map { UnsafeMutableRawPointer($0) } }
}

/// One mail on its way.
private final class Transfer {
    let easy: UnsafeMutableRawPointer?
    private let recipients: UnsafeMutablePointer<curl_slist>?
    private let error = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8], _ server: MailServer, _ address: String, patience: Duration) {
        self.bytes = bytes
        easy = curl_easy_init()
        recipients = curl_slist_append(nil, "<\(address)>")
        error.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        ccurl_setopt_string(easy, CURLOPT_URL, server.url)
        ccurl_setopt_string(easy, CURLOPT_MAIL_FROM, "<\(address)>")
        ccurl_setopt_list(easy, CURLOPT_MAIL_RCPT, recipients)
        ccurl_setopt_long(easy, CURLOPT_UPLOAD, 1)
        ccurl_setopt_long(easy, CURLOPT_NOSIGNAL, 1)
        // What variables say of proxies is meant for the web.
        ccurl_setopt_string(easy, CURLOPT_PROXY, "")
        ccurl_setopt_long(easy, CURLOPT_TIMEOUT, Int(patience.components.seconds))
        ccurl_setopt_pointer(easy, CURLOPT_ERRORBUFFER, error)
        ccurl_setopt_pointer(easy, CURLOPT_READDATA, Unmanaged.passUnretained(self).toOpaque())
        ccurl_setopt_read(easy, CURLOPT_READFUNCTION) { buffer, size, count, context in
            Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue().read(into: buffer!, size * count)
        }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(recipients)
        error.deallocate()
    }

    var errorText: String { String(cString: error) }

    private func read(into buffer: UnsafeMutablePointer<CChar>, _ limit: Int) -> Int {
        let count = min(limit, bytes.count - offset)
        bytes.withUnsafeBytes { if count > 0 { memcpy(buffer, $0.baseAddress! + offset, count) } }
        offset += count
        return count
    }
}
