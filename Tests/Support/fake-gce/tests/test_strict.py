"""What the fake refuses, as Google does."""

from __future__ import annotations

import copy
import urllib.parse
import uuid
from typing import Any

from .support import ZONE, Body, FakeTest, instance

GPU = [{"acceleratorType": f"zones/{ZONE}/acceleratorTypes/nvidia-tesla-t4", "acceleratorCount": 1}]
SPOT = {"provisioningModel": "SPOT"}
DISK = instance("x")["disks"][0]


def disk(**parameters: Any) -> list[Body]:
    """A boot disk with other parameters."""
    changed = copy.deepcopy(DISK)
    changed["initializeParams"] |= parameters
    return [changed]


def metadata(*items: tuple[str, str]) -> Body:
    """Metadata of these items."""
    return {"items": [{"key": key, "value": value} for key, value in items]}


# What is changed in a good instance, and a part of the message. None takes a field away.
REFUSED: list[tuple[Body, str]] = [
    ({"nmae": "x"}, "Unknown name \"nmae\" at 'resource': Cannot find field."),
    ({"machine_type": "x"}, 'Unknown name "machine_type"'),
    ({"labels": {"k": 1}}, "Invalid value at 'resource.labels.k' (TYPE_STRING), 1"),
    ({"labels": ["k"]}, "Invalid value at 'resource.labels' (TYPE_MAP)"),
    ({"canIpForward": "true"}, "Invalid value at 'resource.canIpForward' (TYPE_BOOL)"),
    ({"disks": DISK}, "Invalid value at 'resource.disks' (TYPE_LIST)"),
    ({"disks": disk(diskSizeGb="20GB")}, '(TYPE_INT64), "20GB"'),
    ({"disks": disk(diskSizeGb=20.5)}, "(TYPE_INT64), 20.5"),
    ({"disks": disk(diskSizeGb=True)}, "(TYPE_INT64), true"),
    ({"disks": disk(diskSizeGb="5")}, "cannot be smaller than the image size (10 GB)"),
    ({"disks": disk(sourceImage="debian-12")}, "The URL is malformed."),
    (
        {"disks": disk(sourceImage="projects/debian-cloud/global/images/family/debian-99")},
        "The referenced image resource cannot be found.",
    ),
    ({"disks": disk(diskType=f"zones/{ZONE}/diskTypes/floppy")}, "The referenced diskType resource cannot be found."),
    ({"disks": disk(diskType="pd-ssd")}, "The URL is malformed."),
    ({"disks": [DISK | {"boot": False}]}, "The first disk must be a boot disk."),
    ({"disks": [DISK, DISK]}, "Only the first disk can be a boot disk."),
    (
        {"disks": [DISK, {"type": "SCRATCH", "initializeParams": {"diskType": f"zones/{ZONE}/diskTypes/local-ssd"}}]},
        "Scratch disks must be auto-deleted.",
    ),
    ({"disks": []}, "No disks are specified."),
    ({"disks": None}, "No disks are specified."),
    ({"networkInterfaces": None}, "At least one network interface is required."),
    (
        {"networkInterfaces": [{"network": "global/networks/nowhere"}]},
        "The referenced network resource cannot be found.",
    ),
    (
        {"networkInterfaces": [{"subnetwork": "regions/us-east1/subnetworks/default"}]},
        "Subnetwork is in region us-east1",
    ),
    ({"networkInterfaces": [{"accessConfigs": [{"type": "NAT"}]}]}, "AccessConfig.Type"),
    ({"name": None}, "Required field 'resource.name' not specified"),
    ({"name": "Upper"}, "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'"),
    ({"name": "a" * 64}, "Must be a match of regex"),
    ({"name": "ends-"}, "Must be a match of regex"),
    ({"machineType": None}, "Invalid value for field 'resource.machineType': ''."),
    ({"machineType": "n1-standard-4"}, "The URL is malformed."),
    ({"machineType": f"zones/{ZONE}/machineTypes/n1-standard-5"}, "machineType resource cannot be found."),
    ({"machineType": "zones/us-east1-b/machineTypes/n1-standard-4"}, "is in zone us-east1-b"),
    (
        {"machineType": f"http://localhost/compute/v1/projects/test-project/zones/{ZONE}/machineTypes/n1-standard-4"},
        "The URL is malformed.",
    ),
    ({"labels": {"Upper": "x"}}, "Label key must match"),
    ({"labels": {"1st": "x"}}, "Label key must match"),
    ({"labels": {"k": "with space"}}, "Label value must match"),
    ({"labels": {"k": "a" * 64}}, "Label value must match"),
    ({"labels": {f"k{number}": "" for number in range(65)}}, "Number of labels exceeds 64."),
    ({"metadata": metadata(("a", "1"), ("a", "2"))}, "Duplicate metadata key 'a'."),
    ({"metadata": metadata(("bad key", "1"))}, "Must be a match of regex '[a-zA-Z0-9-_]{1,128}'"),
    ({"metadata": metadata(("big", "x" * (256 * 1024 + 1)))}, "Value exceeds 262144 bytes."),
    ({"tags": {"items": ["Upper"]}}, "Must be a match of regex"),
    ({"guestAccelerators": GPU}, "Instances with guest accelerators do not support live migration."),
    (
        {
            "guestAccelerators": GPU,
            "machineType": f"zones/{ZONE}/machineTypes/e2-standard-4",
            "scheduling": {"onHostMaintenance": "TERMINATE"},
        },
        "features are not compatible for creating instance.",
    ),
    (
        {"guestAccelerators": [GPU[0] | {"acceleratorCount": 3}], "scheduling": {"onHostMaintenance": "TERMINATE"}},
        "Number of accelerators is not supported.",
    ),
    ({"guestAccelerators": [{"acceleratorType": "nvidia-tesla-t4", "acceleratorCount": 1}]}, "The URL is malformed."),
    (
        {"scheduling": SPOT | {"automaticRestart": True}},
        "Scheduling must have preemptible be false when AutomaticRestart is true.",
    ),
    (
        {"scheduling": SPOT | {"onHostMaintenance": "MIGRATE"}},
        "Scheduling must have preemptible be false when OnHostMaintenance isn't TERMINATE.",
    ),
    ({"scheduling": {"provisioningModel": "CHEAP"}}, 'Scheduling.ProvisioningModel), "CHEAP"'),
    ({"scheduling": {"instanceTerminationAction": "DELETE"}}, "You cannot specify a termination action"),
    ({"scheduling": {"maxRunDuration": {"seconds": "29"}}}, "Value must be between 30 and 10368000 seconds."),
    ({"scheduling": {"maxRunDuration": {"seconds": "10368001"}}}, "Value must be between 30 and 10368000 seconds."),
    ({"scheduling": {"maxRunDuration": "3600s"}}, "Invalid value at 'resource.scheduling.maxRunDuration'"),
    ({"serviceAccounts": [{"email": "default", "scopes": ["cloud-platform"]}]}, "Not a scope."),
]
ACCEPTED: list[Body] = [
    {"disks": disk(diskSizeGb=20)},
    {"disks": disk(diskSizeGb="10")},
    {"description": None},
    {"machineType": f"https://www.googleapis.com/compute/v1/projects/test-project/zones/{ZONE}/machineTypes/e2-small"},
    {"machineType": f"projects/test-project/zones/{ZONE}/machineTypes/custom-2-4096"},
    {"guestAccelerators": GPU, "scheduling": {"onHostMaintenance": "TERMINATE"}},
    {"guestAccelerators": GPU, "scheduling": SPOT},
    {"scheduling": SPOT | {"instanceTerminationAction": "DELETE", "maxRunDuration": {"seconds": 3600}}},
    {"scheduling": {"preemptible": True, "automaticRestart": False}},
    {"networkInterfaces": [{"subnetwork": "regions/us-central1/subnetworks/default"}]},
    {
        "disks": [
            DISK,
            {
                "type": "SCRATCH",
                "autoDelete": True,
                "interface": "NVME",
                "initializeParams": {"diskType": f"zones/{ZONE}/diskTypes/local-ssd"},
            },
        ]
    },
    {"labels": {"größe": "mittel_1-x"}, "tags": {"items": ["a", "b"]}},
    {"serviceAccounts": [{"email": "default", "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}]},
]


class StrictTest(FakeTest):
    """Requests made by hand."""

    settings = {"boot": 3600}

    def test_refused_instances(self) -> None:
        """Each is refused with 400, Google's shape of errors, and leaves nothing."""
        for change, text in REFUSED:
            with self.subTest(change):
                body = {key: value for key, value in (instance("bad") | change).items() if value is not None}
                status, reply = self.fake.insert(body)
                self.assertEqual(status, 400, reply)
                error = reply["error"]
                self.assertIn(text, error["message"])
                self.assertEqual(error["code"], 400)
                self.assertEqual(error["errors"][0]["message"], error["message"])
                self.assertEqual(error["errors"][0]["domain"], "global")
        self.assertEqual(self.fake.api("GET", f"zones/{ZONE}/instances/bad")[0], 404)

    def test_accepted_instances(self) -> None:
        """And these aren't."""
        for number, change in enumerate(ACCEPTED):
            with self.subTest(change):
                status, reply = self.fake.insert(instance(f"good-{number}") | change)
                self.assertEqual(status, 200, reply)
                self.assertNotIn("error", self.fake.done(reply))

    def test_payloads(self) -> None:
        """Bodies that are no JSON message, and URLs that are none."""
        path = f"zones/{ZONE}/instances"
        for body in (b"{", b"[]", b'{"name": "a", "name": "b"}', b'{"name": NaN}', b"\xff"):
            with self.subTest(body):
                status, reply = self.fake.api("POST", path, body)
                self.assertEqual(status, 400)
                self.assertEqual(reply["error"]["status"], "INVALID_ARGUMENT")
        status, reply = self.fake.api("POST", path, instance("x"), headers={"Content-Type": "text/plain"})
        self.assertEqual((status, reply["error"]["errors"][0]["reason"]), (400, "parseError"))
        self.assertEqual(self.fake.api("GET", "nothing")[0], 404)
        self.assertEqual(self.fake.api("PATCH", path, b"{}")[0], 404)
        self.assertEqual(self.fake.api("GET", f"{path}?maxresults=3")[0], 400)
        self.assertEqual(self.fake.api("GET", f"{path}?maxResults=501")[0], 400)
        self.assertEqual(self.fake.api("GET", f"{path}?maxResults=x")[0], 400)
        self.assertEqual(self.fake.api("GET", f"{path}?pageToken=x")[0], 400)
        self.assertEqual(self.fake.api("GET", "zones/us-central1-z/instances")[0], 404)
        url = f"{self.fake.ready['compute']}/projects/another"
        headers = {"Authorization": f"Bearer {self.fake.ready['accessToken']}"}
        self.assertEqual(self.fake.request("GET", url, headers=headers)[0], 404)

    def test_request_ids(self) -> None:
        """UUIDs but that of zeros; one for one request."""
        for text in ("x", "00000000-0000-0000-0000-000000000000", uuid.uuid4().hex):
            status, reply = self.fake.insert(instance("never"), request_id=text)
            self.assertEqual(status, 400)
            self.assertIn("requestId", reply["error"]["message"])
        identity = str(uuid.uuid4())
        first = self.fake.insert(instance("once"), request_id=identity)[1]
        self.assertEqual(self.fake.insert(instance("once"), request_id=identity)[1]["name"], first["name"])
        self.assertEqual(self.fake.insert(instance("once", description="x"), request_id=identity)[0], 400)
        status, reply = self.fake.insert(instance("once"), request_id=str(uuid.uuid4()))
        self.assertEqual((status, reply["error"]["errors"][0]["reason"]), (409, "alreadyExists"))
        self.fake.done(first)
        identity = str(uuid.uuid4())
        path = f"zones/{ZONE}/instances/once?requestId={identity}"
        gone = self.fake.done(self.fake.api("DELETE", path)[1])
        self.assertEqual(self.fake.api("DELETE", path)[1]["name"], gone["name"])
        self.assertEqual(self.fake.api("DELETE", f"zones/{ZONE}/instances/once")[0], 404)
        # What was asked for before is not done again.
        self.assertEqual(
            self.fake.done(self.fake.insert(instance("once"), request_id=str(uuid.uuid4()))[1])["status"], "DONE"
        )

    def test_bulk(self) -> None:
        """Types are bare names in bulk inserts, and patterns and numbers are looked at."""
        properties = instance("x", machineType="n1-standard-1")
        del properties["name"]
        good = {"count": "1", "namePattern": "b-##", "instanceProperties": properties}
        url = {"machineType": f"zones/{ZONE}/machineTypes/n1-standard-1"}
        for change in (
            {"instanceProperties": properties | url},
            {"namePattern": "b"},
            {"namePattern": "B-#"},
            {"count": "0"},
            {"count": "6000"},
            {"minCount": "2"},
            {"locationPolicy": {}},
            {"instanceProperties": properties | {"name": "x"}},
            {"perInstanceProperties": {"b-01": {}}},
        ):
            with self.subTest(change):
                status, _ = self.fake.api("POST", f"zones/{ZONE}/instances/bulkInsert", good | change)
                self.assertEqual(status, 400)
        status, operation = self.fake.api("POST", f"zones/{ZONE}/instances/bulkInsert", good)
        self.assertEqual(status, 200)
        operation = self.fake.done(operation)
        status = operation["instancesBulkInsertOperationMetadata"]["perLocationStatus"][f"zones/{ZONE}"]
        self.assertEqual(status["createdVmCount"], 1)

    def test_bulk_partly(self) -> None:
        """Names of one's own; those that there is no room for have operations that say so; quotas may refuse all."""
        properties = instance("x", machineType="n1-standard-1")
        del properties["name"]
        body = {
            "count": "3",
            "minCount": "1",
            "instanceProperties": properties,
            "perInstanceProperties": {f"part-{letter}": {} for letter in "abc"},
        }
        path = f"zones/{ZONE}/instances/bulkInsert"
        self.assertEqual(self.fake.api("POST", path, body | {"count": "2"})[0], 400)
        self.addCleanup(self.fake.control, "faults", method="DELETE")
        self.addCleanup(self.fake.control, "config", {"quotaRefusedAtOnce": False, "quotas": {}})
        self.fake.control("faults", {"kind": "exhausted", "name": "^part-[bc]$"})
        done = self.fake.done(self.fake.api("POST", path, body)[1])
        self.assertNotIn("error", done)
        status = done["instancesBulkInsertOperationMetadata"]["perLocationStatus"][f"zones/{ZONE}"]
        self.assertEqual((status["createdVmCount"], status["failedToCreateVmCount"]), (1, 2))
        group = urllib.parse.quote(f'operationGroupId="{done["operationGroupId"]}"')
        listed = self.fake.api("GET", f"zones/{ZONE}/operations?filter={group}")[1]["items"]
        failed = {
            entry["targetLink"].rpartition("/")[2]: entry["error"]["errors"][0]["code"]
            for entry in listed
            if "error" in entry
        }
        self.assertEqual(failed, dict.fromkeys(["part-b", "part-c"], "ZONE_RESOURCE_POOL_EXHAUSTED"))
        self.assertEqual(self.fake.api("GET", f"zones/{ZONE}/instances/part-a")[0], 200)
        self.fake.control("config", {"quotaRefusedAtOnce": True, "quotas": {"us-central1": {"CPUS": 2}}})
        more = body | {"perInstanceProperties": {f"more-{letter}": {} for letter in "abc"}}
        status, reply = self.fake.api("POST", path, more)
        self.assertEqual((status, reply["error"]["errors"][0]["reason"]), (403, "quotaExceeded"))
