// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: the upcoming features that make imports and existentials explicit, and no warnings.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A Swift target with the project's settings.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A program with the project's settings.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A test target with the project's settings.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: strict)
}

let package = Package(
    name: "disbatch",
    products: [
        .executable(name: "disbatch", targets: ["disbatch"]),
        .executable(name: "disbatch-engine", targets: ["disbatch-engine"]),
        .executable(name: "dbutil", targets: ["dbutil"]),
        .executable(name: "disbatch-web", targets: ["disbatch-web"]),
        .executable(name: "disbatch-mail", targets: ["disbatch-mail"]),
        .executable(name: "disbatch-gce", targets: ["disbatch-gce"]),
        .executable(name: "simulate", targets: ["simulate"]),
        .executable(name: "benchmark", targets: ["benchmark"]),
    ],
    targets: [
        // C: a small Linux shim, and system libraries.
        .target(name: "CLinux"),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CNcurses", pkgConfig: "ncursesw", providers: [.apt(["libncurses-dev"])]),
        .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
        .systemLibrary(name: "CSSH2", pkgConfig: "libssh2", providers: [.apt(["libssh2-1-dev"])]),
        .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),

        // Pure: no clock, no I/O, the standard library alone.
        module("DisbatchCore"),
        module("DisbatchContexts", ["DisbatchCore"]),
        module("Options"),
        module("RunReports", ["DisbatchCore"]),
        .target(
            name: "GoogleCloudPlan", dependencies: ["DisbatchCore", "Options"],
            resources: [.embedInCode("startup.sh")], swiftSettings: strict),

        // The machine.
        module("LinuxSystem", ["CLinux"]),
        module("RunRecord", ["DisbatchCore", "LinuxSystem", "CSQLite"]),
        module("SecureLink", ["LinuxSystem", "CSodium"]),
        module("RecordReading", ["DisbatchCore", "LinuxSystem", "Options", "RunRecord", "RunReports"]),
        module("EngineRuntime", ["DisbatchCore", "LinuxSystem"]),
        module("SSHTransport", ["LinuxSystem", "CSSH2"]),
        module("EngineLaunching", ["DisbatchCore", "DisbatchContexts", "LinuxSystem", "SSHTransport"]),
        module("GoogleCloud", ["DisbatchCore", "GoogleCloudPlan", "LinuxSystem", "CCurl", "CCrypto"]),
        module(
            "DriverRuntime",
            [
                "DisbatchCore", "DisbatchContexts", "EngineLaunching", "LinuxSystem", "RunRecord", "SSHTransport",
                "SecureLink",
            ]),

        module("ContextSetup", ["DisbatchContexts", "EngineLaunching", "Options"]),
        module("RunClient", ["DisbatchCore", "LinuxSystem", "RunRecord", "SecureLink"]),
        module(
            "RelayRuntime",
            ["DisbatchCore", "DisbatchContexts", "EngineLaunching", "LinuxSystem", "RunClient", "SSHTransport"]),
        module("Monitor", ["DisbatchCore", "LinuxSystem", "RunClient", "CNcurses"]),
        module(
            "GoogleCloudRuntime",
            [
                "ContextSetup", "DisbatchCore", "DisbatchContexts", "EngineLaunching", "GoogleCloud", "GoogleCloudPlan",
                "LinuxSystem", "Options", "RelayRuntime", "RunClient",
            ]),
        module("WebPage", ["DisbatchCore", "RunClient"]),
        module("WebServer", ["DisbatchCore", "LinuxSystem", "RunClient", "WebPage", "CMicroHTTPD"]),
        module("RunMail", ["DisbatchCore", "LinuxSystem", "RunClient", "CCurl"]),

        // Programs: options and wiring only.
        program(
            "disbatch",
            [
                "Options", "ContextSetup", "DisbatchCore", "DisbatchContexts", "EngineLaunching", "LinuxSystem",
                "DriverRuntime",
            ]),
        program("disbatch-engine", ["Options", "EngineRuntime"]),
        program(
            "dbutil",
            [
                "ContextSetup", "DisbatchContexts", "DisbatchCore", "EngineLaunching", "LinuxSystem", "Monitor",
                "Options", "RecordReading", "RelayRuntime", "RunClient",
            ]),
        program("disbatch-web", ["Options", "WebServer"]),
        program("disbatch-mail", ["Options", "RunMail"]),
        program("disbatch-gce", ["Options", "GoogleCloudRuntime"]),

        // Developers' tools.
        module("Simulation", ["DisbatchCore"]),
        program("simulate", ["Simulation", "Options"]),
        program("benchmark", ["Options", "DisbatchCore", "LinuxSystem"]),

        .target(
            name: "TestSupport", dependencies: ["LinuxSystem"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("DisbatchCoreTests", ["DisbatchCore", "TestSupport"]),
        tests("DisbatchContextsTests", ["DisbatchContexts"]),
        tests("OptionsTests", ["Options", "TestSupport"]),
        tests("LinuxSystemTests", ["LinuxSystem", "TestSupport"]),
        tests("RunRecordTests", ["RunRecord", "TestSupport"]),
        tests("RunReportsTests", ["DisbatchCore", "RunReports", "TestSupport"]),
        tests("EngineRuntimeTests", ["EngineRuntime", "TestSupport"]),
        tests("DriverRuntimeTests", ["DriverRuntime", "EngineLaunching", "TestSupport"]),
        tests("SSHTransportTests", ["LinuxSystem", "SSHTransport", "TestSupport"]),
        tests("GoogleCloudPlanTests", ["DisbatchCore", "GoogleCloudPlan", "TestSupport"]),
        tests("GoogleCloudTests", ["DisbatchCore", "GoogleCloud", "GoogleCloudPlan", "LinuxSystem", "TestSupport"]),
        tests("MonitorTests", ["Monitor", "RunClient", "DisbatchCore"]),
        tests("WebPageTests", ["WebPage", "RunClient", "DisbatchCore"]),
        tests("RunMailTests", ["RunMail", "RunClient", "DisbatchCore"]),
        tests("SecureLinkTests", ["SecureLink", "LinuxSystem"]),
        tests("SimulationTests", ["Simulation"]),
        tests("EndToEndTests", ["DisbatchCore", "TestSupport"]),
        tests("TidyTests", []),
    ]
)

// Fuzzing is built apart, by `make fuzz`: it needs libFuzzer's runtime, and modules that are made for it.
if Context.environment["DISBATCH_FUZZ"] != nil {
    package.targets += [
        .target(name: "CFuzzer", path: "Proof/fuzz/shim"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CFuzzer", "DisbatchContexts", "DisbatchCore", "DriverRuntime", "EngineLaunching", "GoogleCloudPlan",
                "LinuxSystem", "Options", "RunClient", "RunRecord", "RunReports", "SecureLink",
            ],
            path: "Proof/fuzz/program", swiftSettings: strict),
    ]
}
