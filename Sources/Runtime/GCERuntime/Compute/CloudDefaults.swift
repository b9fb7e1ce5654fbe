import DisbatchCore
import GoogleAPI
import LinuxSystem

/// Project, zone and region where the user names none: of the environment, of gcloud's configuration, or of the
/// machine of Google's that this is.
struct CloudDefaults: Equatable, Sendable {
    var project: String?
    var zone: String?
    var region: String?

    init() {}

    /// Looks at the environment and at files, and asks the metadata server for what they lack where this may be a
    /// machine of Google's.
    ///
    /// A file that can't be read, or is none of gcloud's, counts as not there.
    init(environment: CloudEnvironment, http: HTTPClient? = nil, cancellation: Cancellation = Cancellation()) {
        let file = Self.configuration(environment)
        project =
            environment["CLOUDSDK_CORE_PROJECT"] ?? environment["GOOGLE_CLOUD_PROJECT"]
            ?? environment.projectOfCredentials ?? file?.value("core", "project")
        zone = environment["CLOUDSDK_COMPUTE_ZONE"] ?? file?.value("compute", "zone")
        region = environment["CLOUDSDK_COMPUTE_REGION"] ?? file?.value("compute", "region")
        guard let http else { return }
        if project == nil { project = MetadataServer.text("project/project-id", environment, http, cancellation) }
        guard project != nil, zone == nil else { return }
        // projects/NUMBER/zones/ZONE
        let place = MetadataServer.text("instance/zone", environment, http, cancellation)
        zone = place?.split(separator: "/").last.map(String.init)
    }

    /// The configuration that is active.
    private static func configuration(_ environment: CloudEnvironment) -> INIText? {
        guard let directory = environment.gcloudDirectory else { return nil }
        let active = environment["CLOUDSDK_ACTIVE_CONFIG_NAME"] ?? TextFile.read(directory + "/active_config")
        let name = active.map { $0.filter { !$0.isWhitespace } } ?? ""
        guard !name.contains("/") else { return nil }
        let path = directory + "/configurations/config_\(name.isEmpty ? "default" : name)"
        return TextFile.read(path).flatMap { try? INIText($0, file: path) }
    }
}
