"""What Compute Engine demands of a new instance beyond the types of its fields."""

from __future__ import annotations

import re
from typing import Any

from .catalogue import ACCELERATORS, Catalogue
from .errors import ApiError, invalid, required
from .names import check_name, link, partial, zonal

Body = dict[str, Any]
MIN_RUN, MAX_RUN = 30, 120 * 24 * 3600


def check_labels(field: str, labels: dict[str, str]) -> None:
    """Refuses labels that Google would not take."""
    if len(labels) > 64:
        raise invalid(field, len(labels), "Number of labels exceeds 64.")
    for key, value in labels.items():
        if not 1 <= len(key) <= 63 or not _is_label(key) or not key[0].isalpha():
            raise invalid(field, key, r"Label key must match [\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}.")
        if len(value) > 63 or not _is_label(value):
            raise invalid(field, value, r"Label value must match [\p{Ll}\p{Lo}\p{N}_-]{0,63}.")


def check_metadata(field: str, metadata: Body) -> None:
    """Refuses metadata that Google would not take."""
    seen: set[str] = set()
    total = 0
    for index, item in enumerate(metadata.get("items", [])):
        key, value = item.get("key", ""), item.get("value", "")
        if not re.fullmatch(r"[a-zA-Z0-9-_]{1,128}", key):
            raise invalid(f"{field}.items[{index}].key", key, "Must be a match of regex '[a-zA-Z0-9-_]{1,128}'")
        if key in seen:
            raise invalid(f"{field}", key, f"Duplicate metadata key '{key}'.")
        seen.add(key)
        if len(value.encode()) > 256 << 10:
            raise invalid(f"{field}.items[{index}].value", value[:40], "Value exceeds 262144 bytes.")
        total += len(key) + len(value.encode())
    if total > 512 << 10:
        raise invalid(field, total, "Metadata exceeds 524288 bytes.")


class Rules:
    """Checks one instance, and gives what it will be.

    `bulk` says that types of machines, disks and accelerators are bare names, as bulkInsert takes them.
    """

    def __init__(self, catalogue: Catalogue, zone: str, bulk: bool = False) -> None:
        self.catalogue = catalogue
        self.project = catalogue.project
        self.zone = zone
        self.region = catalogue.check_zone(zone)
        self.bulk = bulk
        self.prefix = "resource.instanceProperties" if bulk else "resource"

    def check(self, body: Body) -> Body:
        """The instance with defaults filled in and URLs made full. `body` isn't changed."""
        if "name" not in body:
            raise required("resource.name")
        check_name("resource.name", body["name"])
        found = dict(body)
        found["machineType"] = self._machine_type(body)
        found["guestAccelerators"] = self._accelerators(body)
        found["disks"] = self._disks(body)
        found["networkInterfaces"] = self._interfaces(body)
        found["scheduling"] = self._scheduling(body, bool(found["guestAccelerators"]))
        if not found["guestAccelerators"]:
            del found["guestAccelerators"]
        self._labels(body)
        self._metadata(body)
        self._tags(body)
        self._service_accounts(body)
        return found

    # MARK: Types of machines and accelerators

    def _zonal(self, field: str, text: str, collection: str) -> str:
        if self.bulk:
            if not re.fullmatch(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?", text):
                raise invalid(field, text, "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'")
            return text
        return zonal(field, text, self.project, self.zone, collection)

    def _missing(self, field: str, collection: str, name: str, what: str) -> ApiError:
        url = link(f"projects/{self.project}/zones/{self.zone}/{collection}/{name}")
        return invalid(field, url, f"The referenced {what} resource cannot be found.")

    def _machine_type(self, body: Body) -> str:
        field = f"{self.prefix}.machineType"
        if not body.get("machineType"):
            raise invalid(field, "", "Machine type must be specified." if self.bulk else "The URL is malformed.")
        name = self._zonal(field, body["machineType"], "machineTypes")
        if self.catalogue.machine_type(self.zone, name) is None:
            raise self._missing(field, "machineTypes", name, "machineType")
        self.machine = name
        return link(f"projects/{self.project}/zones/{self.zone}/machineTypes/{name}")

    def _accelerators(self, body: Body) -> list[Body]:
        found = []
        own = (self.catalogue.machine_type(self.zone, self.machine) or {}).get("accelerators", [])
        for index, entry in enumerate(body.get("guestAccelerators", [])):
            field = f"{self.prefix}.guestAccelerators[{index}]"
            if "acceleratorType" not in entry:
                raise required(f"{field}.acceleratorType")
            name = self._zonal(f"{field}.acceleratorType", entry["acceleratorType"], "acceleratorTypes")
            if self.catalogue.accelerator_type(self.zone, name) is None:
                raise self._missing(f"{field}.acceleratorType", "acceleratorTypes", name, "acceleratorType")
            count = entry.get("acceleratorCount", 0)
            if count not in (1, 2, 4, 8, 16) or count > ACCELERATORS[name]:
                raise invalid(f"{field}.acceleratorCount", count, "Number of accelerators is not supported.")
            attached = [(other["guestAcceleratorType"], other["guestAcceleratorCount"]) for other in own]
            if not self.machine.startswith(("n1-", "custom-")) and (name, count) not in attached:
                raise ApiError(
                    400, "badRequest", f"[{self.machine}, {name}] features are not compatible for creating instance."
                )
            found.append({"acceleratorCount": count, "acceleratorType": self._accelerator_link(name)})
        if not found:
            found = [
                {
                    "acceleratorCount": other["guestAcceleratorCount"],
                    "acceleratorType": self._accelerator_link(other["guestAcceleratorType"]),
                }
                for other in own
            ]
        return found

    def _accelerator_link(self, name: str) -> str:
        return link(f"projects/{self.project}/zones/{self.zone}/acceleratorTypes/{name}")

    # MARK: Disks

    def _disks(self, body: Body) -> list[Body]:
        disks = body.get("disks", [])
        if not disks:
            raise invalid(f"{self.prefix}.disks", "", "No disks are specified.")
        if not disks[0].get("boot"):
            raise invalid(f"{self.prefix}.disks[0].boot", False, "The first disk must be a boot disk.")
        if len(disks) > 128:
            raise invalid(f"{self.prefix}.disks", len(disks), "Too many disks.")
        return [self._disk(f"{self.prefix}.disks[{index}]", index, disk, body) for index, disk in enumerate(disks)]

    def _disk(self, field: str, index: int, disk: Body, body: Body) -> Body:
        if index and disk.get("boot"):
            raise invalid(f"{field}.boot", True, "Only the first disk can be a boot disk.")
        parameters = disk.get("initializeParams")
        if parameters is None or "source" in disk:
            raise invalid(f"{field}.source", disk.get("source", ""), "The referenced disk resource cannot be found.")
        check_labels(f"{field}.initializeParams.labels", parameters.get("labels", {}))
        name = "pd-standard"
        if "diskType" in parameters:
            name = self._zonal(f"{field}.initializeParams.diskType", parameters["diskType"], "diskTypes")
            if self.catalogue.disk_type(self.zone, name) is None:
                raise self._missing(f"{field}.initializeParams.diskType", "diskTypes", name, "diskType")
        is_scratch = disk.get("type") == "SCRATCH"
        if is_scratch != (name == "local-ssd"):
            raise invalid(
                f"{field}.type",
                disk.get("type", "PERSISTENT"),
                "Disks of type SCRATCH, and only these, have the disk type local-ssd.",
            )
        size = self._scratch(field, disk) if is_scratch else self._size(field, disk, index)
        device = disk.get("deviceName", f"local-ssd-{index - 1}" if is_scratch else f"persistent-disk-{index}")
        found = {
            "kind": "compute#attachedDisk",
            "type": "SCRATCH" if is_scratch else "PERSISTENT",
            "mode": "READ_WRITE",
            "deviceName": device,
            "index": index,
            "boot": index == 0,
            "autoDelete": disk.get("autoDelete", False),
            "interface": disk.get("interface", "SCSI"),
            "diskSizeGb": size,
        }
        if not is_scratch:
            disk_name = parameters.get("diskName", body["name"] if index == 0 else f"{body['name']}-{index}")
            check_name(f"{field}.initializeParams.diskName", disk_name)
            if "sourceImage" in parameters:
                found["licenses"] = self._image(field, parameters["sourceImage"])["licenses"]
            found["source"] = link(f"projects/{self.project}/zones/{self.zone}/disks/{disk_name}")
        return found

    def _scratch(self, field: str, disk: Body) -> int:
        if not disk.get("autoDelete"):
            raise invalid(f"{field}.autoDelete", False, "Scratch disks must be auto-deleted.")
        if disk["initializeParams"].get("diskSizeGb", disk.get("diskSizeGb", 375)) not in (375, 3000):
            raise invalid(
                f"{field}.initializeParams.diskSizeGb",
                disk["initializeParams"]["diskSizeGb"],
                "Local SSDs have 375 GB.",
            )
        return 375

    def _size(self, field: str, disk: Body, index: int) -> int:
        parameters = disk["initializeParams"]
        least = 10
        if "sourceImage" in parameters:
            least = int(self._image(f"{field}.initializeParams.sourceImage", parameters["sourceImage"])["diskSizeGb"])
        elif index == 0:
            raise invalid(f"{field}.initializeParams.sourceImage", "", "Boot disk must have a source image.")
        size = parameters.get("diskSizeGb", disk.get("diskSizeGb", least))
        if size < least:
            raise invalid(
                f"{field}.initializeParams.diskSizeGb",
                size,
                f"Requested disk size cannot be smaller than the image size ({least} GB)",
            )
        if size > 65536:
            raise invalid(f"{field}.initializeParams.diskSizeGb", size, "Disk size cannot be greater than 65536 GB.")
        return int(size)

    def _image(self, field: str, url: str) -> Body:
        path = partial(field, url, self.project)
        # imageFamilyViews is how gcloud names a family.
        path = re.sub(r"/zones/[^/]+/imageFamilyViews/", "/global/images/family/", path)
        match = re.fullmatch(r"projects/([^/]+)/global/images/(family/)?([^/]+)", path)
        if match is None:
            raise invalid(field, url, "The URL is malformed.")
        find = self.catalogue.family_image if match[2] else self.catalogue.image
        image = find(match[1], match[3])
        if image is None:
            raise invalid(field, link(path), "The referenced image resource cannot be found.")
        return image

    # MARK: Network

    def _interfaces(self, body: Body) -> list[Body]:
        interfaces = body.get("networkInterfaces", [])
        if not interfaces:
            raise invalid(f"{self.prefix}.networkInterfaces", "", "At least one network interface is required.")
        if len(interfaces) > 8:
            raise invalid(f"{self.prefix}.networkInterfaces", len(interfaces), "Too many network interfaces.")
        return [
            self._interface(f"{self.prefix}.networkInterfaces[{index}]", index, entry)
            for index, entry in enumerate(interfaces)
        ]

    def _interface(self, field: str, index: int, entry: Body) -> Body:
        network = "default"
        if "network" in entry:
            network = self._network(f"{field}.network", entry["network"])
        if "subnetwork" in entry:
            network = self._subnetwork(f"{field}.subnetwork", entry["subnetwork"])
        elif "network" not in entry and self.catalogue.network(network) is None:
            raise invalid(
                f"{field}.network", "global/networks/default", "The referenced network resource cannot be found."
            )
        base = f"projects/{self.project}"
        found: Body = {
            "kind": "compute#networkInterface",
            "name": f"nic{index}",
            "stackType": "IPV4_ONLY",
            "network": link(f"{base}/global/networks/{network}"),
            "subnetwork": link(f"{base}/regions/{self.region}/subnetworks/{network}"),
        }
        accesses = entry.get("accessConfigs", [])
        if len(accesses) > 1:
            raise invalid(f"{field}.accessConfigs", len(accesses), "At most one access config currently supported.")
        if accesses:
            found["accessConfigs"] = [
                {
                    "kind": "compute#accessConfig",
                    "type": "ONE_TO_ONE_NAT",
                    "name": accesses[0].get("name", "External NAT"),
                    "networkTier": accesses[0].get("networkTier", "PREMIUM"),
                }
            ]
        return found

    def _network(self, field: str, url: str) -> str:
        path = partial(field, url, self.project)
        match = re.fullmatch(r"projects/([^/]+)/global/networks/([^/]+)", path)
        if match is None:
            raise invalid(field, url, "The URL is malformed.")
        if match[1] != self.project or self.catalogue.network(match[2]) is None:
            raise invalid(field, link(path), "The referenced network resource cannot be found.")
        return match[2]

    def _subnetwork(self, field: str, url: str) -> str:
        path = partial(field, url, self.project)
        match = re.fullmatch(r"projects/([^/]+)/regions/([^/]+)/subnetworks/([^/]+)", path)
        if match is None:
            raise invalid(field, url, "The URL is malformed.")
        if match[2] != self.region:
            raise invalid(field, url, f"Subnetwork is in region {match[2]}, the instance in {self.region}.")
        if match[1] != self.project or self.catalogue.subnetwork(match[2], match[3]) is None:
            raise invalid(field, link(path), "The referenced subnetwork resource cannot be found.")
        return match[3]

    # MARK: Scheduling

    def _scheduling(self, body: Body, has_accelerators: bool) -> Body:
        given = dict(body.get("scheduling", {}))
        field = f"{self.prefix}.scheduling"
        is_spot = given.get("provisioningModel") == "SPOT" or given.get("preemptible", False)
        if given.get("provisioningModel") == "SPOT" and given.get("preemptible") is False:
            raise invalid(f"{field}.preemptible", False, "Spot VMs must have preemptible be true or unset.")
        if given.get("provisioningModel") == "STANDARD" and given.get("preemptible"):
            raise invalid(f"{field}.provisioningModel", "STANDARD", "Preemptible VMs can't have this model.")
        if is_spot and given.get("automaticRestart"):
            raise invalid(
                f"{field}.preemptible", True, "Scheduling must have preemptible be false when AutomaticRestart is true."
            )
        if is_spot and given.get("onHostMaintenance") == "MIGRATE":
            raise invalid(
                f"{field}.preemptible",
                True,
                "Scheduling must have preemptible be false when OnHostMaintenance isn't TERMINATE.",
            )
        if has_accelerators and given.get("onHostMaintenance", "TERMINATE" if is_spot else "MIGRATE") != "TERMINATE":
            raise ApiError(400, "badRequest", "Instances with guest accelerators do not support live migration.")
        self._limits(field, given, is_spot)
        found = {
            "onHostMaintenance": "TERMINATE" if is_spot else "MIGRATE",
            "automaticRestart": not is_spot,
            "preemptible": is_spot,
            "provisioningModel": "SPOT" if is_spot else "STANDARD",
        } | given
        found["preemptible"] = is_spot
        if given.get("provisioningModel") == "SPOT" or self._is_limited(given):
            found.setdefault("instanceTerminationAction", "STOP")
        return found

    @staticmethod
    def _is_limited(given: Body) -> bool:
        return "maxRunDuration" in given or "terminationTime" in given

    def _limits(self, field: str, given: Body, is_spot: bool) -> None:
        action = given.get("instanceTerminationAction")
        if action and not is_spot and not self._is_limited(given):
            raise invalid(
                f"{field}.instanceTerminationAction",
                action,
                "You cannot specify a termination action for a "
                "VM instance that has the standard provisioning model (default). To use instance termination "
                "action, the VM instance must use the Spot provisioning model or limit its run time.",
            )
        if "maxRunDuration" in given and "terminationTime" in given:
            raise invalid(
                f"{field}.terminationTime",
                given["terminationTime"],
                "At most one of maxRunDuration and terminationTime can be specified.",
            )
        if "terminationTime" in given:
            raise invalid(f"{field}.terminationTime", given["terminationTime"], "The fake knows maxRunDuration only.")
        if "maxRunDuration" not in given:
            return
        duration = given["maxRunDuration"]
        if not 0 <= duration.get("nanos", 0) <= 999_999_999:
            raise invalid(
                f"{field}.maxRunDuration.nanos", duration["nanos"], "Must be from 0 to 999,999,999 inclusive."
            )
        seconds = duration.get("seconds", 0)
        if not MIN_RUN <= seconds <= MAX_RUN and seconds not in self.catalogue.config.short_run_durations:
            raise invalid(
                f"{field}.maxRunDuration.seconds", seconds, f"Value must be between {MIN_RUN} and {MAX_RUN} seconds."
            )
        if given.get("automaticRestart") and given.get("instanceTerminationAction") == "DELETE":
            raise invalid(
                f"{field}.automaticRestart",
                True,
                "Automatic restart can't be enabled for a VM that is deleted at the end of its run time.",
            )

    # MARK: Labels, metadata and the rest

    def _labels(self, body: Body) -> None:
        check_labels(f"{self.prefix}.labels", body.get("labels", {}))

    def _metadata(self, body: Body) -> None:
        check_metadata(f"{self.prefix}.metadata", body.get("metadata", {}))

    def _tags(self, body: Body) -> None:
        items = body.get("tags", {}).get("items", [])
        for index, tag in enumerate(items):
            check_name(f"{self.prefix}.tags.items[{index}]", tag)
        if len(items) > 64 or len(set(items)) < len(items):
            raise invalid(f"{self.prefix}.tags", ",".join(items), "At most 64 tags, each once, are taken.")

    def _service_accounts(self, body: Body) -> None:
        accounts = body.get("serviceAccounts", [])
        if len(accounts) > 1:
            raise invalid(f"{self.prefix}.serviceAccounts", len(accounts), "At most one service account is supported.")
        for account in accounts:
            email = account.get("email", "")
            if email != "default" and not re.fullmatch(r"[-a-z0-9.]+@[-a-z0-9.]+", email):
                raise invalid(f"{self.prefix}.serviceAccounts[0].email", email, "Not a service account.")
            for scope in account.get("scopes", []):
                if not scope.startswith("https://www.googleapis.com/auth/"):
                    raise invalid(f"{self.prefix}.serviceAccounts[0].scopes[0]", scope, "Not a scope.")


def _is_label(text: str) -> bool:
    return all(character in "_-" or character.isalnum() and character == character.lower() for character in text)
