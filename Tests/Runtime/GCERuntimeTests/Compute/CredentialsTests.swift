import DisbatchCore
import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import GCERuntime
@testable import GoogleAPI

/// Tokens from each source, as their services ask for them.
@Suite(.blocking) struct CredentialsTests {
    /// What no text may hold.
    private static let secrets = ["refresh-secret-1234", "client-secret-5678", "ya29.very-secret", "PRIVATE KEY"]

    private func token(_ room: Room, _ variables: [String: String]) throws -> (Secret, Credentials) {
        let environment = room.environment(variables)
        let credentials = Credentials(environment: environment, retry: Room.quick)
        return (try credentials.token(HTTPClient(environment: environment), Cancellation()), credentials)
    }

    private func error(_ room: Room, _ variables: [String: String]) throws -> CloudError {
        let error = #expect(throws: CloudError.self) { _ = try token(room, variables) }
        return try #require(error)
    }

    // MARK: Service accounts

    private func makeKey(_ room: Room) throws -> (pem: String, path: String) {
        let openssl = try #require(Tool.find("openssl"))
        let path = room.directory + "/key.pem"
        let words = [openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path]
        #expect(try Tool.run(words).status == 0)
        return (try String(contentsOfFile: path, encoding: .utf8), path)
    }

    private func serviceAccount(_ room: Room, key: String, type: String = "service_account") throws -> String {
        let json: [String: Any] = [
            "type": type, "project_id": "p-9", "private_key_id": "k1", "private_key": key,
            "client_email": "runner@p-9.iam.gserviceaccount.com", "token_uri": "http://\(room.place)/token",
        ]
        let data = try JSONSerialization.data(withJSONObject: json)
        return try room.write("sa.json", String(decoding: data, as: UTF8.self))
    }

    @Test func serviceAccountsSignForThemselves() throws {
        let room = try Room(["POST /token": [["body": ["access_token": "ya29.very-secret", "expires_in": 3599]]]])
        let key = try makeKey(room)
        let file = try serviceAccount(room, key: key.pem)
        let (token, credentials) = try token(room, ["GOOGLE_APPLICATION_CREDENTIALS": file])
        #expect(token.text == "ya29.very-secret")
        #expect(credentials.account == "service account runner@p-9.iam.gserviceaccount.com (\(file))")
        let asked = try #require(room.asked.first)
        #expect(asked.headers["content-type"] == "application/x-www-form-urlencoded")
        #expect(asked.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer")
        try check(asked.form["assertion"] ?? "", room, key.path)
    }

    /// As OpenSSL sees it.
    private func check(_ assertion: String, _ room: Room, _ key: String) throws {
        let parts = assertion.split(separator: ".").map(String.init)
        #expect(parts.count == 3)
        func decoded(_ text: String) throws -> Data {
            #expect(!text.contains("=") && !text.contains("+") && !text.contains("/"))
            let plain = text.replacing("-", with: "+").replacing("_", with: "/")
            return try #require(Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4)))
        }
        #expect(try String(decoding: decoded(parts[0]), as: UTF8.self) == #"{"alg":"RS256","typ":"JWT","kid":"k1"}"#)
        let claims = try #require(JSONValue(parsing: decoded(parts[1])))
        #expect(claims["iss"] == "runner@p-9.iam.gserviceaccount.com")
        #expect(claims["aud"].string == "http://\(room.place)/token")
        #expect(claims["scope"] == "https://www.googleapis.com/auth/cloud-platform")
        let (begin, end) = (claims["iat"].integer ?? 0, claims["exp"].integer ?? 0)
        #expect(end - begin == 3600 && abs(Double(begin) - Date().timeIntervalSince1970) < 120)

        let openssl = try #require(Tool.find("openssl"))
        let publicKey = room.directory + "/public.pem"
        #expect(try Tool.run([openssl, "pkey", "-in", key, "-pubout", "-out", publicKey]).status == 0)
        try decoded(parts[2]).write(to: URL(filePath: room.directory + "/signature"))
        let words = [openssl, "dgst", "-sha256", "-verify", publicKey, "-signature", room.directory + "/signature"]
        #expect(try Tool.run(words, input: parts[0] + "." + parts[1]).text == "Verified OK\n")
        #expect(try Tool.run(words, input: parts[0] + "." + parts[1] + "x").status != 0)
    }

    @Test(arguments: ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "EC", "PASSWORD"])
    func keysThatAreNone(text: String) throws {
        let room = try Room([:])
        var key = text
        let openssl = try #require(Tool.find("openssl"))
        if text == "EC" {
            key = try Tool.run([openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]).text
        } else if text == "PASSWORD" {
            key = try Tool.run([openssl, "genpkey", "-algorithm", "RSA", "-aes256", "-pass", "pass:x"]).text
        }
        let file = try serviceAccount(room, key: key)
        let error = try error(room, ["GOOGLE_APPLICATION_CREDENTIALS": file])
        #expect(error.kind == .credentials)
        #expect(
            error.description == """
                credentials for Google Cloud: the private key in \(file) is no RSA key
                make it anew: gcloud iam service-accounts keys create
                """)
    }

    // MARK: Users

    private func authorizedUser(_ room: Room) -> String {
        """
        {"type": "authorized_user", "client_id": "id.apps", "client_secret": "client-secret-5678",
         "refresh_token": "refresh-secret-1234", "token_uri": "http://\(room.place)/token"}
        """
    }

    @Test(arguments: [true, false])
    func usersRefresh(isInConfigurationDirectory: Bool) throws {
        let room = try Room(["POST /token": [["body": ["access_token": "ya29.very-secret", "expires_in": 3599]]]])
        let folder = isInConfigurationDirectory ? "config" : ".config/gcloud"
        let file = try room.write(folder + "/application_default_credentials.json", authorizedUser(room))
        let variables = isInConfigurationDirectory ? ["CLOUDSDK_CONFIG": room.directory + "/config"] : [:]
        let (token, credentials) = try token(room, variables)
        #expect(token.text == "ya29.very-secret")
        #expect(credentials.account == "the user's own account (\(file))")
        #expect(
            room.asked.first?.form == [
                "grant_type": "refresh_token", "client_id": "id.apps", "client_secret": "client-secret-5678",
                "refresh_token": "refresh-secret-1234",
            ])
    }

    @Test func refusalsHoldNoSecret() throws {
        let echo = "bad refresh-secret-1234 with client-secret-5678"
        let room = try Room([
            "POST /token": [["status": 400, "body": ["error": "invalid_grant", "error_description": echo]]]
        ])
        let file = try room.write("user.json", authorizedUser(room))
        let error = try error(room, ["GOOGLE_APPLICATION_CREDENTIALS": file])
        #expect(error.kind == .credentials)
        #expect(room.asked.count == 1, "what is refused for good is not asked for again")
        for text in [error.description, "\(error)", String(reflecting: error), dumped(error)] {
            for secret in Self.secrets { #expect(!text.contains(secret)) }
        }
        #expect(error.description.contains("gcloud auth application-default login"))
    }

    // MARK: Other sources

    @Test func metadataServersAreAsked() throws {
        let room = try Room([Room.metadataLine: [Room.token()]])
        let (token, credentials) = try token(room, ["GCE_METADATA_HOST": room.place])
        #expect(token.text == "ya29.metadata")
        #expect(credentials.account == "this machine's service account (\(room.place))")
        #expect(room.asked.map { $0.headers["metadata-flavor"] } == ["Google"])
    }

    @Test func whatAnswersEverythingIsNoMetadataServer() throws {
        let room = try Room([Room.metadataLine: [["body": ["access_token": "x"]]]])
        let error = try error(room, ["GCE_METADATA_HOST": room.place])
        #expect(error.message == "\(room.place) is no metadata server")
    }

    @Test func gcloudIsAskedLast() throws {
        let room = try Room([:])
        try FileManager.default.createDirectory(atPath: room.directory + "/bin", withIntermediateDirectories: true)
        try Tool.writeProgram(
            room.directory + "/bin/gcloud",
            "#!/bin/sh\n[ \"$*\" = 'auth print-access-token --quiet' ] && echo ya29.gcloud\n")
        let environment = room.environment()
        let credentials = Credentials(environment: environment, retry: Room.quick)
        let token = try credentials.token(HTTPClient(environment: environment), Cancellation())
        #expect(token.text == "ya29.gcloud" && credentials.account == "gcloud's account")
    }

    @Test func gcloudThatFails() throws {
        let room = try Room([:])
        try FileManager.default.createDirectory(atPath: room.directory + "/bin", withIntermediateDirectories: true)
        try Tool.writeProgram(room.directory + "/bin/gcloud", "#!/bin/sh\nexit 1\n")
        #expect(
            try error(room, [:]).description == """
                get a token from gcloud: gcloud auth print-access-token failed
                log in: gcloud auth login
                """)
    }

    @Test func withoutAnySaysWhatToDo() throws {
        let error = try error(try Room([:]), [:])
        #expect(
            error.description == """
                credentials for Google Cloud: there are none
                log in: gcloud auth application-default login; or set GOOGLE_APPLICATION_CREDENTIALS to the file of a \
                service account's key
                """)
    }

    @Test(arguments: ["external_account", "impersonated_service_account", "gdch_service_account"])
    func otherTypesAreNamed(type: String) throws {
        let room = try Room([:])
        let file = try serviceAccount(room, key: "PRIVATE KEY", type: type)
        let error = try error(room, ["GOOGLE_APPLICATION_CREDENTIALS": file])
        #expect(error.message == "\(file) has credentials of type \(type), which are not known here")
        #expect(error.advice?.contains("gcloud auth application-default login") == true)
    }

    @Test(arguments: [
        "", "{", "[]", "{\"type\":\"service_account\"}", "{\"type\":\"authorized_user\",\"client_id\":\"a\"}",
    ])
    func filesThatAreNone(text: String) throws {
        let room = try Room([:])
        let file = try room.write("c.json", text)
        let error = try error(room, ["GOOGLE_APPLICATION_CREDENTIALS": file])
        #expect(error.kind == .credentials && error.message.contains(file) && error.advice != nil)
        #expect(
            try self.error(room, ["GOOGLE_APPLICATION_CREDENTIALS": file + "x"]).message == "\(file)x can't be read")
    }

    /// A key's file may name any service: secrets go there by TLS, or stay on this machine.
    @Test func secretsAreNotSentInTheClear() throws {
        let room = try Room([:])
        let text = authorizedUser(room).replacing(room.place, with: "192.0.2.1")
        let file = try room.write("user.json", text)
        let error = try error(room, ["GOOGLE_APPLICATION_CREDENTIALS": file])
        #expect(error.message == "http://192.0.2.1/token: only https, and http on this machine, is spoken")
    }

    // MARK: Keeping

    @Test func tokensAreKeptAndRefreshedBeforeTheirEnd() throws {
        let room = try Room([Room.metadataLine: [Room.token("ya29.short", life: 299), Room.token("ya29.long")]])
        let environment = room.environment(["GCE_METADATA_HOST": room.place])
        let credentials = Credentials(environment: environment, retry: Room.quick)
        let http = HTTPClient(environment: environment)
        let tokens = try (0..<4).map { _ in try credentials.token(http, Cancellation()).text }
        #expect(tokens == ["ya29.short", "ya29.long", "ya29.long", "ya29.long"])
        #expect(room.asked.count == 2)
    }

    @Test func oneThreadFetchesForAll() throws {
        let room = try Room([Room.metadataLine: [Room.token()]])
        let environment = room.environment(["GCE_METADATA_HOST": room.place])
        let credentials = Credentials(environment: environment, retry: Room.quick)
        let found = Guarded<[String]>([])
        var threads: [Thread] = []
        for number in 0..<8 {
            threads.append(
                Thread(
                    try WorkerThread(name: "token \(number)") {
                        let token = try? credentials.token(HTTPClient(environment: environment), Cancellation())
                        found.withLock { $0.append(token?.text ?? "none") }
                    }))
        }
        for thread in threads { thread.join() }
        #expect(found.withLock { $0 } == Array(repeating: "ya29.metadata", count: 8))
        #expect(room.asked.count == 1)
    }

    @Test func fetchingIsTriedAgain() throws {
        let room = try Room([Room.metadataLine: [["drop": true], ["status": 503], Room.token()]])
        let environment = room.environment(["GCE_METADATA_HOST": room.place])
        let credentials = Credentials(environment: environment, retry: Room.quick)
        // What is no metadata server's own is not believed, even where it says that it has trouble.
        #expect(throws: CloudError.self) { try credentials.token(HTTPClient(environment: environment), Cancellation()) }
        #expect(try credentials.token(HTTPClient(environment: environment), Cancellation()).text == "ya29.metadata")
    }

    @Test func secretsShowNothing() {
        let secret = Secret("ya29.very-secret")
        #expect("\(secret)" == "(secret)" && String(reflecting: secret) == "(secret)")
        #expect(!dumped(secret).contains("very") && !dumped(["a": secret]).contains("very"))
        var request = HTTPRequest("GET", "https://a/")
        request.token = secret
        request.body = secret
        #expect(!dumped(request).contains("very") && "\(request)" == "GET https://a/")
    }

    private func dumped(_ value: Any) -> String {
        var text = ""
        dump(value, to: &text)
        return text
    }
}

/// A worker thread that a list can hold.
private final class Thread {
    private var thread: WorkerThread?

    init(_ thread: consuming WorkerThread) { self.thread = consume thread }

    func join() { if let thread = thread.take() { thread.join() } }
}
