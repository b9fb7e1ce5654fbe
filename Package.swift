// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: the upcoming features that make imports and existentials explicit, and no warnings.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// The folders of Sources, from the inside out: each may use what stands before it.
enum Floor: String {
    /// Pure: no clock, no I/O, the standard library alone.
    case core = "Core"
    /// The machine, its files and its network; little is known of tasks.
    case system = "System"
    /// The loops, and what performs actions.
    case runtime = "Runtime"
}

/// A Swift library with the project's settings.
func module(_ name: String, in floor: Floor, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [])
    -> Target
{
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(floor.rawValue)/\(name)", resources: resources,
        swiftSettings: strict)
}

/// A C library of Debian's.
func library(_ name: String, pkgConfig: String, package: String) -> Target {
    .systemLibrary(name: name, path: "Sources/System/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([package])])
}

/// A program with the project's settings.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Sources/Programs/\(name)", swiftSettings: strict)
}

/// Tests of a library or of programs, in a folder of Tests that has the name of its subject's.
func tests(_ name: String, in folder: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(folder)/\(name)", swiftSettings: strict)
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
        .target(name: "CLinux", path: "Sources/System/C/CLinux"),
        library("CSQLite", pkgConfig: "sqlite3", package: "libsqlite3-dev"),
        library("CNcurses", pkgConfig: "ncursesw", package: "libncurses-dev"),
        library("CSodium", pkgConfig: "libsodium", package: "libsodium-dev"),
        library("CSSH2", pkgConfig: "libssh2", package: "libssh2-1-dev"),
        library("CMicroHTTPD", pkgConfig: "libmicrohttpd", package: "libmicrohttpd-dev"),
        library("CCurl", pkgConfig: "libcurl", package: "libcurl4-openssl-dev"),
        library("CCrypto", pkgConfig: "libcrypto", package: "libssl-dev"),

        module("DisbatchCore", in: .core),
        module("Options", in: .core, ["DisbatchCore"]),
        module("RunReports", in: .core, ["DisbatchCore"]),
        module("Simulation", in: .core, ["DisbatchCore"]),

        module("LinuxSystem", in: .system, ["CLinux"]),
        module("RunRecord", in: .system, ["DisbatchCore", "LinuxSystem", "CSQLite"]),
        module("SecureChannels", in: .system, ["LinuxSystem", "CSodium"]),
        module("SSHTransport", in: .system, ["DisbatchCore", "LinuxSystem", "CSSH2"]),
        module("GoogleAPI", in: .system, ["DisbatchCore", "LinuxSystem", "CCurl", "CCrypto"]),

        module("EngineRuntime", in: .runtime, ["DisbatchCore", "LinuxSystem", "Options", "CLinux"]),
        module("EngineHosting", in: .runtime, ["DisbatchCore", "LinuxSystem", "SSHTransport"]),
        module(
            "DriverRuntime", in: .runtime,
            [
                "DisbatchCore", "EngineHosting", "LinuxSystem", "Options", "RunRecord", "SSHTransport",
                "SecureChannels", "CLinux",
            ]),
        module("RunClient", in: .runtime, ["DisbatchCore", "LinuxSystem", "SecureChannels"]),
        module(
            "RelayRuntime", in: .runtime,
            ["DisbatchCore", "EngineHosting", "LinuxSystem", "Options", "RunClient"]),
        module(
            "DbutilRuntime", in: .runtime,
            [
                "DisbatchCore", "EngineHosting", "LinuxSystem", "Options", "RelayRuntime", "RunClient", "RunRecord",
                "RunReports", "CNcurses",
            ]),
        module("WebRuntime", in: .runtime, ["DisbatchCore", "LinuxSystem", "RunClient", "CMicroHTTPD"]),
        module("MailRuntime", in: .runtime, ["DisbatchCore", "LinuxSystem", "RunClient", "CCurl"]),
        module(
            "GCERuntime", in: .runtime,
            ["DisbatchCore", "EngineHosting", "GoogleAPI", "LinuxSystem", "Options", "RelayRuntime", "RunClient"],
            resources: [.embedInCode("Plan/startup.sh")]),

        program("disbatch", ["DriverRuntime", "Options"]),
        program("disbatch-engine", ["EngineRuntime", "Options"]),
        program("dbutil", ["DbutilRuntime", "Options"]),
        program("disbatch-web", ["Options", "WebRuntime"]),
        program("disbatch-mail", ["MailRuntime", "Options"]),
        program("disbatch-gce", ["GCERuntime", "Options"]),
        // Developers' tools.
        program("simulate", ["DisbatchCore", "LinuxSystem", "Options", "Simulation"]),
        program("benchmark", ["DisbatchCore", "LinuxSystem", "Options"]),

        .target(
            name: "TestSupport", dependencies: ["LinuxSystem"], path: "Tests/Support/TestSupport",
            swiftSettings: strict),
        // What tests of whole programs share. They import it as if it were theirs (@testable).
        .target(
            name: "EndToEndSupport", dependencies: ["LinuxSystem", "TestSupport"],
            path: "Tests/Support/EndToEndSupport", swiftSettings: strict),
        tests("DisbatchCoreTests", in: "Core", ["DisbatchCore", "TestSupport"]),
        tests("OptionsTests", in: "Core", ["DisbatchCore", "Options", "TestSupport"]),
        tests("RunReportsTests", in: "Core", ["DisbatchCore", "RunReports", "TestSupport"]),
        tests("SimulationTests", in: "Core", ["Simulation"]),
        tests("LinuxSystemTests", in: "System", ["LinuxSystem", "TestSupport"]),
        tests("RunRecordTests", in: "System", ["RunRecord", "TestSupport"]),
        tests("SecureChannelsTests", in: "System", ["LinuxSystem", "SecureChannels", "TestSupport"]),
        tests("SSHTransportTests", in: "System", ["LinuxSystem", "SSHTransport", "TestSupport"]),
        tests("EngineRuntimeTests", in: "Runtime", ["EngineRuntime", "TestSupport"]),
        tests(
            "EngineHostingTests", in: "Runtime",
            ["DisbatchCore", "EngineHosting", "LinuxSystem", "TestSupport"]),
        tests("DriverRuntimeTests", in: "Runtime", ["DriverRuntime", "EngineHosting", "Options", "TestSupport"]),
        tests("DbutilRuntimeTests", in: "Runtime", ["DbutilRuntime", "DisbatchCore", "RunClient"]),
        tests("WebRuntimeTests", in: "Runtime", ["DisbatchCore", "RunClient", "WebRuntime"]),
        tests("MailRuntimeTests", in: "Runtime", ["DisbatchCore", "MailRuntime", "RunClient"]),
        tests(
            "GCERuntimeTests", in: "Runtime",
            ["DisbatchCore", "GCERuntime", "GoogleAPI", "LinuxSystem", "TestSupport"]),
        tests("EndToEndTests", in: "Programs", ["DisbatchCore", "EndToEndSupport", "TestSupport"]),
        tests(
            "ServiceTests", in: "Services",
            ["DisbatchCore", "EndToEndSupport", "GCERuntime", "GoogleAPI", "LinuxSystem", "TestSupport"]),
        .testTarget(
            name: "TidyTests", dependencies: ["TestSupport"], path: "Tests/TidyTests", swiftSettings: strict),
    ]
)

// Fuzzing is built apart, by `make fuzz`: it needs libFuzzer's runtime, and modules that are made for it.
if Context.environment["DISBATCH_FUZZ"] != nil {
    package.targets += [
        .target(name: "CFuzzer", path: "Proof/fuzz/shim"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CFuzzer", "DisbatchCore", "DriverRuntime", "EngineHosting", "GCERuntime", "LinuxSystem", "Options",
                "RunClient", "RunRecord", "RunReports", "SecureChannels",
            ],
            path: "Proof/fuzz/program", swiftSettings: strict),
    ]
}

// What is installed is built apart, by `make release`: programs alone. Those that need no libraries but such as have
// archives are static; Swift is in the others (--static-swift-stdlib).
if Context.environment["DISBATCH_RELEASE"] != nil {
    package.targets.removeAll { $0.path?.hasPrefix("Tests/") == true }
    for target in package.targets where ["disbatch", "disbatch-engine", "dbutil", "benchmark"].contains(target.name) {
        target.linkerSettings = [.unsafeFlags(["-static-executable"])]
    }
}
