"""The fake as Google's own client sees it."""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
import uuid
from typing import Any

from .support import ZONE, FakeTest, instance

try:
    from google.api_core import exceptions
    from google.auth.exceptions import RefreshError
    from google.cloud import compute_v1
    from google.oauth2 import service_account
    from google.oauth2.credentials import Credentials
except ImportError:
    compute_v1 = None  # type: ignore[assignment]

PROJECT = "test-project"


@unittest.skipIf(compute_v1 is None, "Google's client (google-cloud-compute) isn't installed")
class ClientTest(FakeTest):
    """Requests by google-cloud-compute over REST."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.instances = cls.client(compute_v1.InstancesClient)
        cls.operations = cls.client(compute_v1.ZoneOperationsClient)

    @classmethod
    def client(cls, kind: Any) -> Any:
        """A client of the fake."""
        return kind(
            credentials=Credentials(cls.fake.ready["accessToken"]),
            client_options={"api_endpoint": cls.fake.ready["api"]},
        )

    @staticmethod
    def resource(name: str, **others: Any) -> Any:
        return compute_v1.Instance.from_json(json.dumps(instance(name, **others)))

    def insert(self, name: str, **others: Any) -> Any:
        """Inserts, and waits."""
        operation = self.instances.insert_unary(
            project=PROJECT, zone=ZONE, instance_resource=self.resource(name, **others)
        )
        return self.wait(operation)

    def wait(self, operation: Any) -> Any:
        """Waits for an operation."""
        return self.operations.wait(project=PROJECT, zone=ZONE, operation=operation.name)

    def delete(self, name: str) -> None:
        """Deletes, and waits."""
        operation = self.wait(self.instances.delete_unary(project=PROJECT, zone=ZONE, instance=name))
        self.assertEqual(operation.status, compute_v1.Operation.Status.DONE)

    def test_life(self) -> None:
        """Insert, wait, get, delete."""
        operation = self.insert("life", labels={"job": "life"})
        self.assertEqual(operation.status, compute_v1.Operation.Status.DONE)
        self.assertEqual(operation.operation_type, "insert")
        found = self.instances.get(project=PROJECT, zone=ZONE, instance="life")
        self.assertEqual(found.status, "RUNNING")
        self.assertEqual(found.labels, {"job": "life"})
        self.assertTrue(found.network_interfaces[0].access_configs[0].nat_i_p.startswith("127."))
        self.delete("life")
        with self.assertRaises(exceptions.NotFound):
            self.instances.get(project=PROJECT, zone=ZONE, instance="life")

    def test_replies_have_only_known_fields(self) -> None:
        """Each reply is a message of Google's, without anything else."""
        self.insert(
            "known",
            scheduling={
                "provisioningModel": "SPOT",
                "maxRunDuration": {"seconds": "3600"},
                "instanceTerminationAction": "DELETE",
            },
        )
        base = f"zones/{ZONE}"
        for path, message in [
            (f"{base}/instances/known", compute_v1.Instance),
            (f"{base}/instances", compute_v1.InstanceList),
            ("aggregated/instances", compute_v1.InstanceAggregatedList),
            (f"{base}/operations", compute_v1.OperationList),
            (f"{base}/instances/known/serialPort", compute_v1.SerialPortOutput),
            ("", compute_v1.Project),
            (f"{base}/machineTypes", compute_v1.MachineTypeList),
            (f"{base}/diskTypes", compute_v1.DiskTypeList),
            (f"{base}/acceleratorTypes", compute_v1.AcceleratorTypeList),
            ("zones", compute_v1.ZoneList),
            ("regions", compute_v1.RegionList),
            ("regions/us-central1", compute_v1.Region),
            ("global/networks/default", compute_v1.Network),
            ("regions/us-central1/subnetworks/default", compute_v1.Subnetwork),
        ]:
            with self.subTest(path):
                self.check_message(path, message)
        self.delete("known")

    def check_message(self, path: str, message: Any) -> None:
        """Parses a reply strictly."""
        url = f"{self.fake.ready['compute']}/projects/{PROJECT}/{path}".rstrip("/")
        status, _, _ = self.fake.request("GET", url, headers=self.headers())
        self.assertEqual(status, 200)
        text = json.dumps(self.fake.request("GET", url, headers=self.headers())[1])
        message.from_json(text, ignore_unknown_fields=False)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.fake.ready['accessToken']}"}

    def test_filters_and_pages(self) -> None:
        """Lists by labels, and page by page."""
        for number in range(5):
            self.insert(f"page-{number}", labels={"job": "pages", "odd": str(number % 2)})

        def names(**request: Any) -> list[str]:
            pager = self.instances.list(compute_v1.ListInstancesRequest(project=PROJECT, zone=ZONE, **request))
            return [entry.name for entry in pager]

        everything = [f"page-{number}" for number in range(5)]
        self.assertEqual(names(filter="labels.job=pages", max_results=2), everything)
        self.assertEqual(names(filter="labels.job=pages AND labels.odd=1"), ["page-1", "page-3"])
        self.assertEqual(names(filter="(labels.job=pages) (labels.odd=1)"), ["page-1", "page-3"])
        self.assertEqual(
            names(filter="(labels.job=pages) AND (status=RUNNING) AND (NOT labels.odd=0)"), ["page-1", "page-3"]
        )
        self.assertEqual(names(filter="name eq page-[34]"), ["page-3", "page-4"])
        self.assertEqual(names(filter='labels.job="pages" AND name != page-0 AND labels.odd=0'), ["page-2", "page-4"])
        self.assertEqual(names(filter="labels.job=none"), [])
        with self.assertRaises(exceptions.BadRequest):
            names(filter="labels.job=")
        scopes = {
            scope: len(entry.instances)
            for scope, entry in self.instances.aggregated_list(
                compute_v1.AggregatedListInstancesRequest(project=PROJECT, filter="labels.job=pages")
            )
        }
        self.assertEqual(scopes[f"zones/{ZONE}"], 5)
        self.assertEqual(scopes["zones/us-east1-b"], 0)
        for name in everything:
            self.delete(name)

    def test_bulk_insert(self) -> None:
        """Many at once; those that follow are numbered on; all or none."""
        properties = instance("none", machineType="n1-standard-1")
        del properties["name"]

        def bulk(**others: Any) -> Any:
            text = json.dumps({"count": "3", "namePattern": "bulk-###", "instanceProperties": properties} | others)
            body = compute_v1.BulkInsertInstanceResource.from_json(text)
            return self.wait(
                self.instances.bulk_insert_unary(
                    project=PROJECT, zone=ZONE, bulk_insert_instance_resource_resource=body
                )
            )

        def names() -> list[str]:
            return [
                entry.name
                for entry in self.instances.list(
                    compute_v1.ListInstancesRequest(project=PROJECT, zone=ZONE, filter="name eq bulk-.*")
                )
            ]

        self.assertFalse(bulk().error.errors)
        self.assertEqual(names(), ["bulk-001", "bulk-002", "bulk-003"])
        self.assertFalse(bulk(count="1").error.errors)
        self.assertEqual(names()[-1], "bulk-004")
        self.fake.control("faults", {"kind": "exhausted", "name": "^bulk-", "after": 1})
        self.assertEqual(bulk().error.errors[0].code, "ZONE_RESOURCE_POOL_EXHAUSTED")
        self.eventually(lambda: len(names()) == 4)
        self.fake.control("faults", method="DELETE")
        self.fake.control("faults", {"kind": "exhausted", "name": "^bulk-", "after": 1})
        self.assertFalse(bulk(minCount="1").error.errors)
        self.assertEqual(names()[-1], "bulk-005")
        self.fake.control("faults", method="DELETE")
        for name in names():
            self.delete(name)

    def test_errors(self) -> None:
        """Refusals become the client's exceptions."""
        self.insert("twice")
        with self.assertRaises(exceptions.Conflict):
            self.insert("twice")
        with self.assertRaises(exceptions.BadRequest):
            self.insert("Bad_Name")
        with self.assertRaises(exceptions.NotFound):
            self.instances.delete_unary(project=PROJECT, zone=ZONE, instance="nobody")
        with self.assertRaises(exceptions.NotFound):
            self.instances.get(project=PROJECT, zone="us-central1-z", instance="twice")
        wrong = compute_v1.InstancesClient(
            credentials=Credentials("wrong"), client_options={"api_endpoint": self.fake.ready["api"]}
        )
        # The client meets a 401 by asking for another token, which these credentials can't.
        with self.assertRaises(RefreshError):
            wrong.get(project=PROJECT, zone=ZONE, instance="twice")
        self.delete("twice")

    def test_request_id(self) -> None:
        """One requestId is one instance."""
        request = compute_v1.InsertInstanceRequest(
            project=PROJECT, zone=ZONE, request_id=str(uuid.uuid4()), instance_resource=self.resource("idem")
        )
        first = self.instances.insert_unary(request)
        self.assertEqual(self.instances.insert_unary(request).name, first.name)
        self.wait(first)
        request.instance_resource.description = "another"
        with self.assertRaises(exceptions.BadRequest):
            self.instances.insert_unary(request)
        self.delete("idem")

    def test_failing_operation(self) -> None:
        """A zone without machines says so in the operation, and the instance isn't there."""
        self.fake.control("faults", {"kind": "exhausted", "name": "^dry$", "times": 1, "details": True})
        error = self.insert("dry").error.errors[0]
        self.assertEqual(error.code, "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS")
        self.assertEqual(error.error_details[2].error_info.reason, "resource_availability")
        with self.assertRaises(exceptions.NotFound):
            self.instances.get(project=PROJECT, zone=ZONE, instance="dry")

    def test_credentials(self) -> None:
        """Google's library gets tokens: with a service account's key, with a user's login, of the metadata server."""
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        account = self.fake.control("serviceAccount", {})
        user = self.fake.control("authorizedUser", {})
        found = [
            service_account.Credentials.from_service_account_info(account, scopes=scopes),
            Credentials(
                None,
                token_uri=self.fake.ready["token"],
                **{key: user[key] for key in ("client_id", "client_secret", "refresh_token")},
            ),
        ]
        for credentials in found:
            instances = compute_v1.InstancesClient(
                credentials=credentials, client_options={"api_endpoint": self.fake.ready["api"]}
            )
            self.assertEqual(list(instances.list(project=PROJECT, zone="us-east1-d")), [])
        script = (
            "import google.auth, google.auth.transport.requests as r\n"
            "found, project = google.auth.default()\nfound.refresh(r.Request())\n"
            "print(type(found).__module__, project, found.service_account_email, found.token)"
        )
        # The library looks for the server at the address before it asks the host.
        server = self.fake.ready["metadataHost"]
        environment = {"GCE_METADATA_HOST": server, "GCE_METADATA_IP": server, "PATH": "/usr/bin", "HOME": "/nowhere"}
        printed = subprocess.run(
            [sys.executable, "-c", script], env=environment, check=True, text=True, capture_output=True
        ).stdout.split()
        self.assertEqual(
            printed[:3],
            ["google.auth.compute_engine.credentials", PROJECT, "driver@test-project.iam.gserviceaccount.com"],
        )
        self.assertEqual(self.fake.api("GET", f"zones/{ZONE}/instances", token=printed[3])[0], 200)

    def test_catalogue(self) -> None:
        """What else a client asks for."""
        machine = self.client(compute_v1.MachineTypesClient).get(
            project=PROJECT, zone=ZONE, machine_type="n1-standard-4"
        )
        self.assertEqual((machine.guest_cpus, machine.memory_mb), (4, 15360))
        image = self.client(compute_v1.ImagesClient).get_from_family(project="debian-cloud", family="debian-12")
        self.assertEqual((image.family, image.disk_size_gb), ("debian-12", 10))
        region = self.client(compute_v1.RegionsClient).get(project=PROJECT, region="us-central1")
        self.assertIn("CPUS", [quota.metric for quota in region.quotas])
        self.assertEqual(self.client(compute_v1.ProjectsClient).get(project=PROJECT).name, PROJECT)
