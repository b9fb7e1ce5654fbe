import DisbatchCore
import Glibc
import LinuxSystem

/// The parts of a process's environment that say how Google Cloud is reached, so that tests can have their own.
package struct CloudEnvironment: Sendable {
    /// Variables; those that are empty count as unset.
    package var variables: [String: String]

    package init(variables: [String: String]) { self.variables = variables }

    /// This process's.
    package static var own: CloudEnvironment {
        var variables: [String: String] = [:]
        for entry in OwnEnvironment.entries() {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            variables[String(decoding: entry[..<equals], as: UTF8.self)] =
                String(decoding: entry[(equals + 1)...], as: UTF8.self)
        }
        return CloudEnvironment(variables: variables)
    }

    package subscript(name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The directory of gcloud's files.
    package var gcloudDirectory: String? { self["CLOUDSDK_CONFIG"] ?? self["HOME"].map { $0 + "/.config/gcloud" } }

    /// The project that the files with credentials name.
    package var projectOfCredentials: String? { CredentialSource.project(inFiles: self) }

    /// `HOST[:PORT]` of the metadata server.
    var metadataHost: String { self["GCE_METADATA_HOST"] ?? "metadata.google.internal" }

    /// Whether to look for the metadata server: it has a name, or nobody said that it need not be looked for.
    var mayBeOnGoogle: Bool { self["GCE_METADATA_HOST"] != nil || self["NO_GCE_CHECK"]?.lowercased() != "true" }

    /// The path of a program on PATH.
    func find(_ name: String) -> String? {
        let path = self["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first {
            Array($0.utf8).withPath { access($0, X_OK) } == 0
        }
    }

    /// The file of certificates to trust; where it is differs from one system to the next, and a statically linked
    /// libcurl knows but one.
    var certificates: String? {
        let named = ["CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"].compactMap { self[$0] }
        let usual = [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
            "/etc/ssl/cert.pem",
        ]
        return named.first ?? usual.first { Array($0.utf8).withPath { access($0, R_OK) } == 0 }
    }

    /// The address of the Compute Engine API, `DISBATCH_COMPUTE_ENDPOINT` or Google's: without a slash at the end.
    ///
    /// - Throws: where that is no address that tokens may be sent to.
    package func computeEndpoint() throws(CloudError) -> String {
        guard var address = self["DISBATCH_COMPUTE_ENDPOINT"] else {
            return "https://compute.googleapis.com/compute/v1"
        }
        guard HTTPClient.isAllowed(address) else {
            throw CloudError(
                .invalid, "DISBATCH_COMPUTE_ENDPOINT",
                "\(address): expected an address that begins with https://, or http://127.0.0.1 for one here")
        }
        while address.hasSuffix("/") { address.removeLast() }
        let hasPath = address.split(separator: "/").count > 2
        return hasPath ? address : address + "/compute/v1"
    }
}
