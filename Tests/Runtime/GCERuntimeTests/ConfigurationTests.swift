import Testing

@testable import GCERuntime

struct ConfigurationTests {
    @Test func readsAll() throws {
        let text = """
            # Of the laboratory.
            [gce]
            project = lab-1
            zones = us-central1-a, us-central1-b
            machine-type = n2-standard-4
            image = debian-12
            container = gcr.io/lab/tools:1
            network = lab
            subnetwork = lab-us
            external-address = no
            service-account = a@b
            scopes = compute,devstorage.read_only
            tags = batch
            labels = team=x, cost=1
            disk = 50
            disk-type = pd-ssd
            local-ssds = 1
            gpus = nvidia-l4, nvidia-t4:2
            spot = yes
            spot-attempts = 3
            linger = 10m
            max-life = 12h
            pool = lab
            [gce-prices]
            currency = EUR
            n2-standard-4 = 0.1942 0.0470
            e2-micro = 0.01

            """
        let configuration = try CloudConfiguration(text, file: ".disbatch")
        let settings = configuration.settings(project: "lab-1", machineType: "n2-standard-4")
        #expect(settings.faults == [])
        #expect(settings.gpus == [.init(type: "nvidia-l4", count: 1), .init(type: "nvidia-t4", count: 2)])
        #expect(settings.labels == ["team": "x", "cost": "1"])
        #expect(
            !settings.hasExternalAddress && settings.diskGigabytes == 50 && settings.longestLife == .seconds(43_200))
        #expect(configuration.zones == ["us-central1-a", "us-central1-b"])
        #expect(configuration.linger == .seconds(600) && configuration.spot == true && configuration.spotAttempts == 3)
        #expect(configuration.costPerHour(machineType: "n2-standard-4", count: 20, model: .spot) == "0.94 EUR")
        #expect(configuration.costPerHour(machineType: "n2-standard-4", count: 20, model: .standard) == "3.88 EUR")
        #expect(configuration.costPerHour(machineType: "e2-micro", count: 1, model: .spot) == nil)
        #expect(configuration.costPerHour(machineType: "e2-small", count: 1, model: .standard) == nil)
        let dear = try CloudConfiguration("[gce-prices]\ne2-micro = 1e300", file: "f")
        #expect(dear.costPerHour(machineType: "e2-micro", count: 1, model: .standard) == nil)
    }

    @Test(arguments: [
        ("[gce]\nzone = a", "f:2: unknown key zone in section [gce]\ndid you mean zones?"),
        ("[gce]\n\nmachine_type = a", "f:3: unknown key machine_type in section [gce]\ndid you mean machine-type?"),
        ("[gec]\nzones = a", "f:2: unknown section [gec]\ndid you mean gce?"),
        ("zones = a", "f:1: unknown section []\nknown are: gce, gce-prices"),
        ("[gce\n", "f:1: a section is given as [name]\n[gce"),
        ("[gce]\nspot", "f:2: expected key = value\nspot"),
        ("[gce]\nspot = perhaps", "f:2: spot = perhaps: expected yes or no"),
        ("[gce]\nlinger = long", "f:2: linger = long: expected a duration, such as 10m"),
        ("[gce]\nzones = a,,b", "f:2: zones = a,,b: expected names of zones, with commas between them"),
        ("[gce]\ndisk = -1", "f:2: disk = -1: expected gigabytes"),
        ("[gce]\nlabels = A=b", "f:2: labels = A=b: expected KEY=VALUE,..."),
        ("[gce]\ngpus = t4:0", "f:2: gpus = t4:0: expected TYPE:COUNT,..."),
        (
            "[gce-prices]\na = b",
            "f:2: a = b: expected a price per hour, or two: on demand, and spot"
        ),
    ])
    func errorsSayWhereAndWhat(text: String, expected: String) {
        #expect(throws: ConfigurationError(expected)) { try CloudConfiguration(text, file: "f") }
    }

    @Test func nearerFilesGoBeforeFarther() throws {
        let near = try CloudConfiguration("[gce]\nproject = a\nspot = no\n[gce-prices]\nx = 1", file: "a")
        let far = try CloudConfiguration(
            "[gce]\nproject = b\nspot = yes\npool = p\n[gce-prices]\nx = 2\ny = 3\ncurrency = EUR", file: "b")
        let both = near.over(far)
        #expect(both.project == "a" && both.spot == false && both.pool == "p" && both.currency == "EUR")
        #expect(both.prices.mapValues(\.standard) == ["x": 1, "y": 3])
    }

    @Test func onlyTheNearestFileAndTheUsersOwnCount() throws {
        let files = [
            "/a/b/.disbatch": "[gce]\nproject = near", "/a/.disbatch": "[gce]\npool = never",
            "/h/.config/disbatch/config": "[gce]\nproject = own\nspot = yes",
        ]
        let found = try CloudConfiguration.load(directory: "/a/b/c", home: "/h") { files[$0] }
        #expect(found.project == "near" && found.spot == true && found.pool == nil)
        #expect(try CloudConfiguration.load(directory: "/x", home: "/y") { files[$0] } == CloudConfiguration())
        #expect(throws: ConfigurationError("/.disbatch:1: expected key = value\nx")) {
            try CloudConfiguration.load(directory: "/x", home: "/y") { $0 == "/.disbatch" ? "x" : nil }
        }
    }

    @Test func placesOfFiles() {
        let files = CloudConfiguration.files(directory: "/a/b", home: "/home/u")
        #expect(files.nearest == ["/a/b/.disbatch", "/a/.disbatch", "/.disbatch"])
        #expect(files.own == "/home/u/.config/disbatch/config")
    }

    @Test(
        arguments: [
            ("20:n2-standard-4", 20, "n2-standard-4"), ("3", 3, nil), ("0", nil, nil), ("", nil, nil),
            ("a:b", nil, nil),
            ("2:", nil, nil), ("+2", nil, nil), ("2:N2", nil, nil), ("10001", nil, nil), ("2:a:b", nil, nil),
        ] as [(String, Int?, String?)])
    func machineCounts(text: String, count: Int?, machine: String?) {
        let value = MachineCount(text)
        #expect(value?.count == count && value?.machineType == machine)
    }

    @Test func windowsLinesAreLines() throws {
        #expect(try CloudConfiguration("[gce]\r\nproject = a\r\n", file: "f").project == "a")
    }
}
