"""What the fake's Google has: regions, zones, machine types, images, networks."""

from __future__ import annotations

import re
from typing import Any

from .config import Config
from .errors import not_found
from .names import link

CREATED = "2020-01-01T00:00:00.000-08:00"
# Family and shapes: vCPUs, and MB of memory for each.
SERIES: dict[str, tuple[list[int], int]] = {
    "n1-standard": ([1, 2, 4, 8, 16, 32, 64, 96], 3840),
    "n1-highmem": ([2, 4, 8, 16, 32, 64, 96], 6656),
    "n1-highcpu": ([2, 4, 8, 16, 32, 64, 96], 921),
    "n2-standard": ([2, 4, 8, 16, 32, 48, 64, 80, 96, 128], 4096),
    "n2-highmem": ([2, 4, 8, 16, 32, 48, 64, 80, 96, 128], 8192),
    "n2-highcpu": ([2, 4, 8, 16, 32, 48, 64, 80, 96], 1024),
    "n2d-standard": ([2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224], 4096),
    "e2-standard": ([2, 4, 8, 16, 32], 4096),
    "e2-highmem": ([2, 4, 8, 16], 8192),
    "e2-highcpu": ([2, 4, 8, 16, 32], 1024),
    "c2-standard": ([4, 8, 16, 30, 60], 4096),
    "c3-standard": ([4, 8, 22, 44, 88, 176], 4096),
    "t2d-standard": ([1, 2, 4, 8, 16, 32, 48, 60], 4096),
    "g2-standard": ([4, 8, 12, 16, 24, 32, 48, 96], 4096),
}
SHARED = {
    "e2-micro": (2, 1024),
    "e2-small": (2, 2048),
    "e2-medium": (2, 4096),
    "f1-micro": (1, 614),
    "g1-small": (1, 1740),
}
# Those that have accelerators of their own: vCPUs, MB, accelerator, how many.
WITH_GPU = {
    "a2-highgpu-1g": (12, 87040, "nvidia-tesla-a100", 1),
    "a2-highgpu-2g": (24, 174080, "nvidia-tesla-a100", 2),
    "a2-highgpu-4g": (48, 348160, "nvidia-tesla-a100", 4),
    "a2-highgpu-8g": (96, 696320, "nvidia-tesla-a100", 8),
}
G2_GPUS = {4: 1, 8: 1, 12: 1, 16: 1, 24: 2, 32: 1, 48: 4, 96: 8}
DISK_TYPES = {
    "pd-standard": "Standard Persistent Disk",
    "pd-balanced": "Balanced Persistent Disk",
    "pd-ssd": "SSD Persistent Disk",
    "pd-extreme": "Extreme Persistent Disk",
    "local-ssd": "Local SSD",
    "hyperdisk-balanced": "Hyperdisk Balanced",
}
# How many of each may stand in one machine.
ACCELERATORS = {
    "nvidia-tesla-t4": 4,
    "nvidia-tesla-p4": 4,
    "nvidia-tesla-p100": 4,
    "nvidia-tesla-v100": 8,
    "nvidia-tesla-a100": 16,
    "nvidia-l4": 8,
}
IMAGES = [
    ("debian-cloud", "debian-12", "debian-12-bookworm-v20250513", 10),
    ("debian-cloud", "debian-11", "debian-11-bullseye-v20250513", 10),
    ("cos-cloud", "cos-stable", "cos-stable-121-18867-90-4", 10),
    ("ubuntu-os-cloud", "ubuntu-2404-lts-amd64", "ubuntu-2404-noble-amd64-v20250502", 10),
    ("rocky-linux-cloud", "rocky-linux-9", "rocky-linux-9-v20250513", 20),
]


class Catalogue:
    """All of it for one project."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.project = config.project
        self.zones: dict[str, str] = {}
        for region, letters in config.regions.items():
            self.zones |= {f"{region}-{letter}": region for letter in letters}
        self.shapes = _shapes()
        self.images = IMAGES + [(config.project, family, name, size) for family, name, size in config.images]

    def check_project(self, project: str) -> None:
        """Refuses projects other than that of the fake."""
        if project not in (self.project, self.config.project_number):
            raise not_found(f"projects/{project}")

    def check_zone(self, zone: str) -> str:
        """The region of a zone, which is refused where there is none such."""
        if zone not in self.zones:
            raise not_found(f"projects/{self.project}/zones/{zone}")
        return self.zones[zone]

    # Resources as they stand in replies. None: there is none of that name.

    def _common(self, kind: str, path: str) -> dict[str, Any]:
        number = sum(ord(character) << index % 40 for index, character in enumerate(path))
        return {
            "kind": f"compute#{kind}",
            "id": str(number),
            "creationTimestamp": CREATED,
            "name": path.rpartition("/")[2],
            "selfLink": link(path),
        }

    def zone(self, name: str) -> dict[str, Any]:
        """A zone."""
        region = self.check_zone(name)
        base = f"projects/{self.project}"
        return self._common("zone", f"{base}/zones/{name}") | {
            "description": name,
            "status": "UP",
            "region": link(f"{base}/regions/{region}"),
            "availableCpuPlatforms": ["Intel Broadwell", "Intel Skylake"],
        }

    def machine_type(self, zone: str, name: str) -> dict[str, Any] | None:
        """A machine type, predefined or custom."""
        shape = self.shapes.get(name) or _custom(name)
        if shape is None or name in self.config.missing_machine_types.get(zone, []):
            return None
        cpus, memory, accelerator, count = shape
        path = f"projects/{self.project}/zones/{zone}/machineTypes/{name}"
        found = self._common("machineType", path) | {
            "description": f"{cpus} vCPUs, {memory / 1024:g} GB RAM",
            "guestCpus": cpus,
            "memoryMb": memory,
            "imageSpaceGb": 0,
            "maximumPersistentDisks": 128,
            "maximumPersistentDisksSizeGb": "263168",
            "zone": zone,
            "isSharedCpu": name in SHARED,
            "architecture": "X86_64",
        }
        if accelerator:
            found["accelerators"] = [{"guestAcceleratorType": accelerator, "guestAcceleratorCount": count}]
        return found

    def machine_types(self, zone: str) -> list[dict[str, Any]]:
        """All predefined ones of a zone."""
        found = [self.machine_type(zone, name) for name in self.shapes]
        return [entry for entry in found if entry]

    def disk_type(self, zone: str, name: str) -> dict[str, Any] | None:
        """A type of disks."""
        if name not in DISK_TYPES:
            return None
        base = f"projects/{self.project}/zones/{zone}"
        return self._common("diskType", f"{base}/diskTypes/{name}") | {
            "description": DISK_TYPES[name],
            "validDiskSize": "375GB-375GB" if name == "local-ssd" else "10GB-65536GB",
            "zone": link(base),
            "defaultDiskSizeGb": "375" if name == "local-ssd" else "100",
        }

    def accelerator_type(self, zone: str, name: str) -> dict[str, Any] | None:
        """A type of accelerators."""
        if name not in ACCELERATORS or name in self.config.missing_accelerator_types.get(zone, []):
            return None
        base = f"projects/{self.project}/zones/{zone}"
        return self._common("acceleratorType", f"{base}/acceleratorTypes/{name}") | {
            "description": name.replace("-", " ").upper(),
            "zone": link(base),
            "maximumCardsPerInstance": ACCELERATORS[name],
        }

    def image(self, project: str, name: str) -> dict[str, Any] | None:
        """An image by its name."""
        for owner, family, image, size in self.images:
            if (owner, image) == (project, name):
                path = f"projects/{project}/global/images/{name}"
                return self._common("image", path) | {
                    "family": family,
                    "status": "READY",
                    "diskSizeGb": str(size),
                    "sourceType": "RAW",
                    "archiveSizeBytes": str(size << 27),
                    "architecture": "X86_64",
                    "licenses": [link(f"projects/{project}/global/licenses/{family}")],
                }
        return None

    def family_image(self, project: str, family: str) -> dict[str, Any] | None:
        """The newest image of a family."""
        names = [image for owner, other, image, _ in self.images if (owner, other) == (project, family)]
        return self.image(project, names[-1]) if names else None

    def network(self, name: str) -> dict[str, Any] | None:
        """A network."""
        if name not in self.config.networks:
            return None
        base = f"projects/{self.project}"
        return self._common("network", f"{base}/global/networks/{name}") | {
            "autoCreateSubnetworks": True,
            "routingConfig": {"routingMode": "REGIONAL"},
            "subnetworks": [link(f"{base}/regions/{region}/subnetworks/{name}") for region in self.config.regions],
        }

    def firewalls(self) -> list[dict[str, Any]]:
        """The rules that the network `default` has from its beginning; others have none."""
        base = f"projects/{self.project}/global"
        rules = {
            "icmp": ({"IPProtocol": "icmp"}, "0.0.0.0/0"),
            "rdp": ({"IPProtocol": "tcp", "ports": ["3389"]}, "0.0.0.0/0"),
            "internal": ({"IPProtocol": "tcp", "ports": ["0-65535"]}, "10.128.0.0/9"),
            "ssh": ({"IPProtocol": "tcp", "ports": ["22"]}, "0.0.0.0/0"),
        }
        return [
            self._common("firewall", f"{base}/firewalls/default-allow-{name}")
            | {
                "network": link(f"{base}/networks/default"),
                "priority": 65534,
                "sourceRanges": [source],
                "allowed": [allowed],
                "direction": "INGRESS",
                "disabled": False,
                "logConfig": {"enable": False},
            }
            for name, (allowed, source) in rules.items()
            if "default" in self.config.networks
        ]

    def subnetwork(self, region: str, name: str) -> dict[str, Any] | None:
        """A subnetwork: each network has one in every region, of its own name."""
        if name not in self.config.networks or region not in self.config.regions:
            return None
        base = f"projects/{self.project}"
        return self._common("subnetwork", f"{base}/regions/{region}/subnetworks/{name}") | {
            "network": link(f"{base}/global/networks/{name}"),
            "ipCidrRange": "10.128.0.0/20",
            "gatewayAddress": "10.128.0.1",
            "region": link(f"{base}/regions/{region}"),
            "privateIpGoogleAccess": True,
            "purpose": "PRIVATE",
            "stackType": "IPV4_ONLY",
        }


def _shapes() -> dict[str, tuple[int, int, str, int]]:
    found = {name: (cpus, memory, "", 0) for name, (cpus, memory) in SHARED.items()}
    for series, (sizes, each) in SERIES.items():
        for cpus in sizes:
            gpus = G2_GPUS[cpus] if series == "g2-standard" else 0
            found[f"{series}-{cpus}"] = (cpus, cpus * each, "nvidia-l4" if gpus else "", gpus)
    return found | WITH_GPU


def _custom(name: str) -> tuple[int, int, str, int] | None:
    match = re.fullmatch(r"(?:(n1|n2|n2d|e2)-)?custom-(\d+)-(\d+)(-ext)?", name)
    if match is None:
        return None
    cpus, memory = int(match[2]), int(match[3])
    if cpus < 1 or cpus > 1 and cpus % 2 or memory % 256 or not cpus * 512 <= memory <= cpus * 8192:
        return None
    return cpus, memory, "", 0
