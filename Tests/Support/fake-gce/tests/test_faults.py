"""Faults, quotas, tokens and the log."""

from __future__ import annotations

import base64
import http.client
import json
import pathlib
import subprocess
import tempfile
import time
import urllib.parse

from .support import ZONE, Fake, FakeTest, instance

LIST = f"zones/{ZONE}/instances"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class FaultTest(FakeTest):
    """Faults of requests and operations."""

    settings = {"boot": 3600, "quotas": {"us-east1": {"CPUS": 8}}}

    def setUp(self) -> None:
        self.addCleanup(self.fake.control, "faults", method="DELETE")

    def fault(self, kind: str, **others: object) -> None:
        """Sets one."""
        self.fake.control("faults", {"kind": kind} | others)

    def test_statuses(self) -> None:
        """The first two fail, or a share."""
        self.fault("status", times=2, operation="^instances.list$")
        self.assertEqual([self.fake.api("GET", LIST)[0] for _ in range(3)], [503, 503, 200])
        self.assertEqual([entry["struck"] for entry in self.fake.control("faults")], [2])
        self.fake.control("faults", method="DELETE")
        self.fault("status", share=0.5, code=500)
        statuses = [self.fake.api("GET", LIST)[0] for _ in range(100)]
        self.assertTrue(30 < statuses.count(500) < 70, statuses)
        self.assertEqual(len(statuses), statuses.count(500) + statuses.count(200))

    def test_rate_limit(self) -> None:
        """429 with Retry-After."""
        self.fault("rateLimit", times=1, retryAfter=7)
        url = f"{self.fake.ready['compute']}/projects/test-project/{LIST}"
        status, reply, headers = self.fake.request("GET", url)
        self.assertEqual((status, headers["Retry-After"]), (429, "7"))
        self.assertEqual(reply["error"]["errors"][0]["reason"], "rateLimitExceeded")
        self.assertEqual(reply["error"]["status"], "RESOURCE_EXHAUSTED")

    def test_lost_and_dropped(self) -> None:
        """A lost reply means that it is done, a drop that it isn't."""
        self.fault("drop", operation="insert", times=1)
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionError)):
            self.fake.insert(instance("dropped"))
        self.assertEqual(self.fake.status("dropped"), "GONE")
        self.fake.control("faults", method="DELETE")
        self.fault("loseReply", operation="insert", times=1)
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionError)):
            self.fake.insert(instance("lost"))
        self.assertNotEqual(self.fake.status("lost"), "GONE")
        entry = [entry for entry in self.fake.control("requests") if entry.get("lostStatus")][-1]
        self.assertEqual((entry["body"]["name"], entry["status"], entry["lostStatus"]), ("lost", 0, 200))

    def test_slow(self) -> None:
        """A slow reply holds up nobody else."""
        self.fault("slow", seconds=0.4, times=1)
        began = time.monotonic()
        self.assertEqual(self.fake.api("GET", LIST)[0], 200)
        self.assertGreater(time.monotonic() - began, 0.4)

    def test_quota(self) -> None:
        """Counted in the region, given back by deletion; refused at once where that is set."""
        zone = "us-east1-b"
        first = self.fake.done(self.fake.insert(instance("one", zone), zone)[1])
        self.assertNotIn("error", first)
        self.fake.done(self.fake.insert(instance("two", zone), zone)[1])
        third = self.fake.done(self.fake.insert(instance("three", zone), zone)[1])
        self.assertEqual(third["error"]["errors"][0]["code"], "QUOTA_EXCEEDED")
        self.assertEqual(third["httpErrorStatusCode"], 403)
        self.assertIn("Quota 'CPUS' exceeded.  Limit: 8.0 in region us-east1.", third["error"]["errors"][0]["message"])
        quotas = {entry["metric"]: entry for entry in self.fake.api("GET", "regions/us-east1")[1]["quotas"]}
        self.assertEqual(quotas["CPUS"], {"metric": "CPUS", "limit": 8.0, "usage": 8.0})
        self.fake.control("config", {"quotaRefusedAtOnce": True})
        status, reply = self.fake.insert(instance("three", zone), zone)
        self.assertEqual((status, reply["error"]["errors"][0]["reason"]), (403, "quotaExceeded"))
        self.fake.control("config", {"quotaRefusedAtOnce": False})
        self.fake.done(self.fake.api("DELETE", f"zones/{zone}/instances/one")[1])
        self.assertNotIn("error", self.fake.done(self.fake.insert(instance("three", zone), zone)[1]))

    def test_exhausted(self) -> None:
        """One zone has none of a type; others have."""
        self.fault("exhausted", zone=ZONE, machineType="n1-standard-4")
        failed = self.fake.done(self.fake.insert(instance("none"))[1])
        self.assertEqual(failed["error"]["errors"][0]["code"], "ZONE_RESOURCE_POOL_EXHAUSTED")
        self.assertEqual((failed["httpErrorStatusCode"], failed["httpErrorMessage"]), (503, "SERVICE UNAVAILABLE"))
        zone = "us-central1-b"
        self.assertNotIn("error", self.fake.done(self.fake.insert(instance("some", zone), zone)[1]))

    def test_stages(self) -> None:
        """An operation and an instance go through all of their states."""
        self.fake.control(
            "config",
            {"operationPending": 0.1, "operationRunning": 0.1, "provisioning": 0.1, "staging": 0.1, "waitLimit": 0.05},
        )
        operation = self.fake.insert(instance("staged"))[1]
        seen, states = [operation["status"]], [self.fake.status("staged")]
        while seen[-1] != "DONE":
            operation = self.fake.api("POST", f"zones/{ZONE}/operations/{operation['name']}/wait")[1]
            seen.append(operation["status"])
            states.append(self.fake.status("staged"))
        self.assertEqual(list(dict.fromkeys(seen)), ["PENDING", "RUNNING", "DONE"])
        self.assertEqual(list(dict.fromkeys(states)), ["PROVISIONING", "STAGING", "RUNNING"])
        self.fake.control(
            "config",
            {"operationPending": 0.02, "operationRunning": 0.03, "provisioning": 0, "staging": 0, "waitLimit": 120},
        )

    def test_parts_of_replies(self) -> None:
        """The `fields` parameter gives a part."""
        self.fake.done(self.fake.insert(instance("part"))[1])
        reply = self.fake.api("GET", f"{LIST}?filter=name=part&fields=items(name,networkInterfaces/name),kind")[1]
        self.assertEqual(
            reply,
            {"kind": "compute#instanceList", "items": [{"name": "part", "networkInterfaces": [{"name": "nic0"}]}]},
        )
        self.assertEqual(self.fake.api("GET", f"{LIST}?fields=items(name")[0], 400)

    def test_unknown_faults(self) -> None:
        """What isn't understood is refused."""
        for rule in ({"kind": "storm"}, {"kind": "drop", "tmies": 1}):
            self.assertEqual(self.fake.request("POST", f"{self.fake.ready['control']}/faults", rule)[0], 400)


class TokenTest(FakeTest):
    """Tokens, their endpoint, and metadata servers."""

    def grant(self, **form: str) -> tuple[int, dict[str, str]]:
        """Asks for a token."""
        status, reply, _ = self.fake.request(
            "POST",
            self.fake.ready["token"],
            urllib.parse.urlencode(form).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        return status, reply

    def assertion(self, account: dict[str, str], **claims: object) -> str:
        """What a service account signs."""
        now = int(time.time())
        body = {
            "iss": account["client_email"],
            "scope": SCOPE,
            "aud": account["token_uri"],
            "iat": now,
            "exp": now + 3600,
        } | claims
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, body)]
        text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
        with tempfile.TemporaryDirectory() as folder:
            key = pathlib.Path(folder) / "key"
            key.write_text(account["private_key"], encoding="ascii")
            signature = subprocess.run(
                ["openssl", "dgst", "-sha256", "-sign", str(key)], input=text, check=True, capture_output=True
            ).stdout
        return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()

    def test_service_account(self) -> None:
        """A signed assertion gives a token; a wrong one doesn't."""
        account = self.fake.control("serviceAccount", {})
        kind = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        status, reply = self.grant(grant_type=kind, assertion=self.assertion(account))
        self.assertEqual((status, reply["token_type"]), (200, "Bearer"))
        self.assertEqual(self.fake.api("GET", LIST, token=reply["access_token"])[0], 200)
        good = self.assertion(account)
        for bad in (
            good[:-8] + "AAAAAAAA",
            "x",
            self.assertion(account, iss="nobody@example.com"),
            self.assertion(account, exp=int(time.time()) + 7200),
            self.assertion(account, iat=1, exp=3601),
            self.assertion(account, aud="https://example.com"),
            self.assertion(account, scope=""),
        ):
            self.assertEqual(self.grant(grant_type=kind, assertion=bad)[0], 400)

    def test_refresh_token(self) -> None:
        """A user's login gives a token."""
        user = self.fake.control("authorizedUser", {})
        form = {key: user[key] for key in ("client_id", "client_secret", "refresh_token")}
        status, reply = self.grant(grant_type="refresh_token", **form)
        self.assertEqual(status, 200)
        self.assertEqual(self.fake.api("GET", LIST, token=reply["access_token"])[0], 200)
        self.assertEqual(self.grant(grant_type="refresh_token", **form | {"client_secret": "x"})[0], 401)
        self.assertEqual(
            self.grant(grant_type="refresh_token", **form | {"refresh_token": "x"})[1]["error"], "invalid_grant"
        )

    def test_tokens_end(self) -> None:
        """By time and by revocation; without the scope they are refused; secrets don't stand in the log."""
        token = self.fake.control("token", {"seconds": 0.2})["access_token"]
        self.assertEqual(self.fake.api("GET", LIST, token=token)[0], 200)
        self.eventually(lambda: self.fake.api("GET", LIST, token=token)[0] == 401)
        token = self.fake.control("token", {})["access_token"]
        self.assertEqual(self.fake.control("revoke", {"token": token}), {"revoked": 1})
        status, reply = self.fake.api("GET", LIST, token=token)
        self.assertEqual((status, reply["error"]["status"]), (401, "UNAUTHENTICATED"))
        read_only = self.fake.control("token", {"scopes": [f"{SCOPE}.read-only"]})["access_token"]
        self.assertEqual(self.fake.api("GET", LIST, token=read_only)[0], 200)
        status, reply = self.fake.api("POST", LIST, instance("x"), token=read_only)
        self.assertEqual((status, reply["error"]["details"][0]["reason"]), (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"))
        url = f"{self.fake.ready['compute']}/projects/test-project/{LIST}"
        self.assertEqual(self.fake.request("GET", url)[0], 401)
        log = pathlib.Path(self.fake.ready["requests"]).read_text(encoding="utf-8")
        self.assertNotIn("ya29.", log)
        self.assertIn("sha256:", log)

    def metadata(self, path: str, **headers: str) -> tuple[int, str, str]:
        """Asks the driver's metadata server."""
        url = f"http://{self.fake.ready['metadataHost']}/computeMetadata/v1/{path}"
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        status, reply, got = self.fake.request("GET", url, headers=sent)
        return status, reply, got["Metadata-Flavor"]

    def test_driver_metadata(self) -> None:
        """The header is demanded; the token is good for the API."""
        self.assertEqual(self.metadata("project/project-id")[0], 403)
        self.assertEqual(self.metadata("project/project-id", Metadata_Flavor="Google"), (200, "test-project", "Google"))
        self.assertEqual(self.metadata("project/nothing", Metadata_Flavor="Google")[0], 404)
        status, token, _ = self.metadata("instance/service-accounts/default/token", Metadata_Flavor="Google")
        self.assertEqual(status, 200)
        self.assertEqual(self.fake.api("GET", LIST, token=token["access_token"])[0], 200)  # type: ignore[index]


class StartTest(FakeTest):
    """How it starts."""

    def test_starts_fast(self) -> None:
        """The fastest of five takes less than three seconds on a busy machine."""
        times = []
        for _ in range(5):
            began = time.monotonic()
            fake = Fake()
            self.addCleanup(fake.end)
            times.append(time.monotonic() - began)
        self.assertLess(min(times), 3)
        # Two fakes have different addresses.
        self.assertNotEqual(fake.ready["metadataHost"], self.fake.ready["metadataHost"])
