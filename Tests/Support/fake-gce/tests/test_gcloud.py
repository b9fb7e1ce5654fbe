"""The fake as the real gcloud sees it, where that is installed: it sends what Google takes, and refuses replies that
Google would not give."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import unittest
from typing import Any

from .support import ZONE, FakeTest

IMAGE = ["--image-family", "debian-12", "--image-project", "debian-cloud"]


@unittest.skipIf(shutil.which("gcloud") is None, "gcloud isn't installed")
class GcloudTest(FakeTest):
    """Commands of `gcloud compute`, led to the fake by its override of the endpoint."""

    def gcloud(self, *arguments: str) -> Any:
        """What `gcloud compute` prints, as JSON."""
        token = self.fake.folder / "token"
        token.write_text(self.fake.ready["accessToken"], encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.fake.folder),
            "CLOUDSDK_CONFIG": str(self.fake.folder / "gcloud"),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": self.fake.ready["compute"] + "/",
            "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
            "CLOUDSDK_CORE_PROJECT": self.fake.ready["project"],
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        }
        done = subprocess.run(
            ["gcloud", "compute", *arguments, "--format", "json"],
            env=environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=120,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("did not succeed", done.stderr)
        return json.loads(done.stdout or "null")

    def test_an_instance_is_made_listed_and_described(self) -> None:
        made = self.gcloud(
            "instances",
            "create",
            "by-gcloud",
            "--zone",
            ZONE,
            "--machine-type",
            "n1-standard-1",
            "--provisioning-model",
            "SPOT",
            "--labels",
            "made-by=gcloud",
            *IMAGE,
        )
        self.assertEqual([(one["name"], one["status"]) for one in made], [("by-gcloud", "RUNNING")])
        listed = self.gcloud("instances", "list", "--filter", "labels.made-by=gcloud")
        self.assertEqual([one["name"] for one in listed], ["by-gcloud"])
        self.assertEqual(self.gcloud("instances", "list", "--filter", "labels.made-by=somebody"), [])
        described = self.gcloud("instances", "describe", "by-gcloud", "--zone", ZONE)
        self.assertEqual(described["scheduling"]["provisioningModel"], "SPOT")

    def test_instances_are_made_in_bulk(self) -> None:
        self.gcloud(
            "instances",
            "bulk",
            "create",
            "--name-pattern",
            "bulk-#",
            "--count",
            "2",
            "--zone",
            ZONE,
            "--machine-type",
            "n1-standard-1",
            *IMAGE,
        )
        for name in ("bulk-1", "bulk-2"):
            self.assertEqual(self.fake.status(name), "RUNNING")

    def test_what_surrounds_instances_is_there(self) -> None:
        self.assertIn("default-allow-ssh", [rule["name"] for rule in self.gcloud("firewall-rules", "list")])
        region = self.gcloud("regions", "describe", "us-central1")
        self.assertIn("CPUS", [quota["metric"] for quota in region["quotas"]])
